// What is wrong with ops of the user's own is said with the class's name, and the next call works.
import { expect, test } from 'vitest';
import {
  apply1,
  Function as CustomFunction,
  type FunctionContext,
  grad,
  type Variable,
  variable,
} from '../../src/autograd/index.ts';
import { ConvletError } from '../../src/common/error.ts';
import { describeEngines } from '../support/engines.ts';

const leaf = (values: number[], shape?: number[]): Variable => variable(values, shape, { requiresGrad: true });
const close = (got: Variable | null, expected: ArrayLike<number>): void => {
  expect(got).not.toBeNull();
  expect(got!.size).toBe(expected.length);
  got!.data.forEach((value, i) => {
    expect(Math.abs(value - expected[i]), `element ${i}: ${value}, ${expected[i]}`).toBeLessThanOrEqual(
      1e-5 * (1 + Math.abs(expected[i])),
    );
  });
};

function expectRefusal(act: () => unknown, code: string, message: RegExp): void {
  let error: unknown = null;
  try {
    act();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ConvletError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}

/** x · |x|, saved by input. */
class Signed extends CustomFunction {
  static forward(ctx: FunctionContext, x: Variable) {
    ctx.saveForBackward(x);
    return x.mul(x.abs());
  }
  static backward(ctx: FunctionContext, g: Variable) {
    const [x] = ctx.savedVariables as [Variable];
    return g.mul(x.abs()).mul(2);
  }
}

describeEngines('Function', (use) => {
  use();

  test('a saved input that was written since', () => {
    const x = leaf([1, 2]);
    const y = Signed.apply(x).sum();
    x.set([5, 6]);
    expectRefusal(() => y.backward(), 'argument', /an input of 'Signed' was written in place/);
  });

  test('the second gradient of a value that was computed on the way', () => {
    class Hidden extends CustomFunction {
      static forward(ctx: FunctionContext, x: Variable) {
        const twice = x.mul(2);
        ctx.saveForBackward(twice);
        return twice.square();
      }
      static backward(ctx: FunctionContext, g: Variable) {
        return g.mul(ctx.savedVariables[0]!).mul(4);
      }
    }
    const x = leaf([3]);
    const [first] = grad(Hidden.apply(x), x, { createGraph: true });
    close(first, [24]);
    expectRefusal(
      () => first.backward(),
      'unsupported',
      /'Hidden' saved a value that forward computed.*return the value/,
    );
  });

  const wrong = {
    'forward that gives a number': {
      forward: () => 3,
      backward: () => null,
      message: /forward expects to return.*got 3/,
    },
    'forward that gives nothing': { forward: () => [], backward: () => null, message: /forward expects to return/ },
    'too few gradients': {
      forward: (x: Variable) => x.add(1),
      backward: () => [],
      message: /expects 1 gradients.*got 0/,
    },
    'too many gradients': {
      forward: (x: Variable) => x.add(1),
      backward: (g: Variable) => [g, g],
      message: /expects 1 gradients, one for each argument.*got 2/,
    },
    'a gradient that is a number': {
      forward: (x: Variable) => x.add(1),
      backward: () => [1],
      message: /expects variables or null, got 1 for argument 0/,
    },
    'a gradient of another shape': {
      forward: (x: Variable) => x.add(1),
      backward: (g: Variable) => g.sum(),
      message: /expects a gradient of shape \[2\] for argument 0, got \[\]/,
    },
    'saving what is no variable': {
      forward: (x: Variable, ctx: FunctionContext) => {
        ctx.saveForBackward(3 as never);
        return x;
      },
      backward: (g: Variable) => g,
      message: /saveForBackward: expects variables or null, got 3/,
    },
  };
  test.each(Object.entries(wrong))('%s is an error, and the next call works', (_, { forward, backward, message }) => {
    class Wrong extends CustomFunction {
      static forward(ctx: FunctionContext, x: Variable) {
        return forward(x as never, ctx) as Variable;
      }
      static backward(_ctx: FunctionContext, g: Variable) {
        return backward(g as never) as Variable;
      }
    }
    const x = leaf([1, 2]);
    expect(() => Wrong.apply(x).sum().backward()).toThrow(message);
    x.grad = null;
    Signed.apply(x).sum().backward();
    close(x.grad, [2, 4]);
  });

  test('a gradient for what is no variable, and methods that are missing', () => {
    class Surplus extends CustomFunction {
      static forward(_: FunctionContext, x: Variable, by: number) {
        return x.mul(by);
      }
      static backward(_: FunctionContext, g: Variable) {
        return [g, g];
      }
    }
    expectRefusal(
      () => Surplus.apply(leaf([1]), 2).backward(),
      'argument',
      /gradient for argument 1, which is no variable/,
    );
    class Half extends CustomFunction {
      static forward(_: FunctionContext, x: Variable) {
        return x.mul(0.5);
      }
    }
    expectRefusal(() => Half.apply(leaf([1])), 'argument', /Half: expects a method static backward\(ctx, …\)/);
    class None extends CustomFunction {}
    expectRefusal(
      () => (None as unknown as typeof Half).apply(leaf([1])),
      'argument',
      /None: expects a method static forward/,
    );
    // Nothing is left half done.
    close(apply1('add', [leaf([1]), leaf([2])]), [3]);
  });

  test('what forward makes and does not save is gone, with a way out', () => {
    let made: Variable | null = null;
    class Leak extends CustomFunction {
      static forward(_: FunctionContext, x: Variable) {
        made = x.mul(3);
        return made.add(1);
      }
      static backward(_: FunctionContext, g: Variable) {
        return g.mul(made!);
      }
    }
    expectRefusal(() => Leak.apply(leaf([1])).backward(), 'disposed', /is gone/);
  });
});
