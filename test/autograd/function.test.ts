// Ops of the user's own: against the same computation by ops with a gradient, eagerly, compiled and differentiated again.
import { expect, test } from 'vitest';
import {
  Function as CustomFunction,
  engine,
  type FunctionContext,
  grad,
  noGrad,
  type Variable,
  variable,
} from '../../src/autograd/index.ts';
import { seed } from '../../src/common/random.ts';
import { compileStep } from '../../src/nn/compile-step.ts';
import { F } from '../../src/nn/functional.ts';
import * as nn from '../../src/nn/modules.ts';
import { SGD } from '../../src/optim/sgd.ts';
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

/** e^x, saved by output. */
class Exp extends CustomFunction {
  static forward(ctx: FunctionContext, x: Variable) {
    const y = x.exp();
    ctx.saveForBackward(y);
    return y;
  }
  static backward(ctx: FunctionContext, g: Variable) {
    return g.mul(ctx.savedVariables[0]!);
  }
}

/** scale · x + y and x · y: several inputs and outputs, an argument that is no variable, a value computed on the way. */
class Pair extends CustomFunction {
  static forward(ctx: FunctionContext, x: Variable, scale: number, y: Variable) {
    const scaled = x.mul(scale);
    ctx.saveForBackward(x, y, scaled, null);
    ctx.scale = scale;
    return [scaled.add(y), x.mul(y)];
  }
  static backward(ctx: FunctionContext, first: Variable, second: Variable) {
    const [x, y, scaled, nothing] = ctx.savedVariables;
    expect(nothing).toBeNull();
    const scale = ctx.scale as number;
    return [first.mul(scale).add(second.mul(y!)), null, first.add(second.mul(scaled!).div(scale)).add(x!.mul(0))];
  }
}

/** The gradient goes back with another sign; the forward gives its argument itself. */
class Reverse extends CustomFunction {
  static forward(ctx: FunctionContext, x: Variable, factor: number) {
    ctx.factor = factor;
    return x;
  }
  static backward(ctx: FunctionContext, g: Variable) {
    return [g.mul(-(ctx.factor as number)), null];
  }
}

/** Steps of 1, through which gradients pass as they are. */
class StraightThrough extends CustomFunction {
  static forward(_: FunctionContext, x: Variable) {
    return x.round();
  }
  static backward(_: FunctionContext, g: Variable) {
    return g;
  }
}

describeEngines('Function', (use) => {
  use();

  test('values and gradients; leaves get theirs as from any op', () => {
    const x = leaf([2, -3, 0.5]);
    const y = Signed.apply(x);
    close(y, [4, -9, 0.25]);
    expect([y.requiresGrad, y.node?.name, y.isLeaf]).toEqual([true, 'Signed', false]);
    y.mul(variable([1, 2, 3]))
      .sum()
      .backward();
    close(x.grad, [4, 12, 3]);
    Signed.apply(x).sum().backward();
    close(x.grad, [8, 18, 4]);
  });

  test('saved outputs, inside of a graph of other ops', () => {
    const x = leaf([0.1, -0.2, 0.3]);
    Exp.apply(x.mul(2)).sin().sum().backward();
    const expected = leaf([0.1, -0.2, 0.3]);
    expected.mul(2).exp().sin().sum().backward();
    close(x.grad, expected.grad!.data);
  });

  test('several inputs and outputs, other arguments, and what is computed on the way', () => {
    for (const which of [0, 1, 2]) {
      const [a, b] = [leaf([1, 2]), leaf([-3, 0.5])];
      const [c, d] = [leaf([1, 2]), leaf([-3, 0.5])];
      const outputs = Pair.apply(a, 1.5, b);
      const plain = [c.mul(1.5).add(d), c.mul(d)];
      const pick = (o: readonly Variable[]) => (which === 2 ? o[0].mul(o[1]) : o[which]).square().sum();
      pick(outputs).backward(); // of 0 and 1 the other output has no gradient: zeros
      pick(plain).backward();
      close(a.grad, c.grad!.data);
      close(b.grad, d.grad!.data);
    }
  });

  test('one variable twice', () => {
    const x = leaf([2, 3]);
    Pair.apply(x, 2, x)[1].sum().backward();
    close(x.grad, [4, 6]);
  });

  test('an input that needs no gradient', () => {
    const seen: (readonly boolean[])[] = [];
    class Product extends CustomFunction {
      static forward(ctx: FunctionContext, x: Variable, y: Variable) {
        seen.push(ctx.needsInputGrad);
        ctx.saveForBackward(x, y);
        return x.mul(y);
      }
      static backward(ctx: FunctionContext, g: Variable) {
        seen.push(ctx.needsInputGrad);
        const [x, y] = ctx.savedVariables as [Variable, Variable];
        return [ctx.needsInputGrad[0] ? g.mul(y) : null, ctx.needsInputGrad[1] ? g.mul(x) : null];
      }
    }
    const x = leaf([2]);
    Product.apply(x, variable([5])).backward();
    close(x.grad, [5]);
    expect(seen).toEqual([
      [true, false],
      [true, false],
    ]);
  });

  test('gradients of gradients', () => {
    const x = leaf([0.3, -0.7]);
    const [first] = grad(Exp.apply(Signed.apply(x)).sum(), x, { createGraph: true });
    const found = [...first.data];
    first.square().sum().backward();
    const other = leaf([0.3, -0.7]);
    const [plain] = grad(other.mul(other.abs()).exp().sum(), other, { createGraph: true });
    close(plain, found);
    plain.square().sum().backward();
    close(x.grad, other.grad!.data);
  });

  test('grad without createGraph, and only what it asks for', () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    const [byB] = grad(Pair.apply(a, 2, b)[1].sum(), b);
    close(byB, [1, 2]);
    expect([a.grad, b.grad, byB.requiresGrad]).toEqual([null, null, false]);
  });

  test('a gradient that is turned around, of a parameter that is written afterwards', () => {
    const x = leaf([1, 2]);
    const y = Reverse.apply(x, 0.5);
    close(y, [1, 2]);
    x.set([9, 9]);
    close(y, [1, 2]);
    y.sum().backward();
    close(x.grad, [-0.5, -0.5]);
  });

  test('rounding with the gradient of what was rounded', () => {
    const x = leaf([0.4, 1.6]);
    StraightThrough.apply(x).mul(3).sum().backward();
    close(x.grad, [3, 3]);
  });

  test('outputs that are not differentiable', () => {
    class Top extends CustomFunction {
      static forward(ctx: FunctionContext, x: Variable) {
        const most = x.max();
        const place = x.argmax().to('float32');
        ctx.saveForBackward(x, most);
        ctx.markNonDifferentiable(place);
        return [most, place];
      }
      static backward(ctx: FunctionContext, ...grads: Variable[]) {
        expect(grads.length).toBe(1);
        const [x, most] = ctx.savedVariables as [Variable, Variable];
        return x.eq(most).to('float32').mul(grads[0]);
      }
    }
    const x = leaf([1, 5, 3]);
    const [most, place] = Top.apply(x);
    expect([most.requiresGrad, place.requiresGrad, place.item()]).toEqual([true, false, 1]);
    most.mul(place.add(1)).backward();
    close(x.grad, [0, 2, 0]);
  });

  test('without gradients nothing is recorded', () => {
    const x = leaf([2, -3]);
    const y = noGrad(() => Signed.apply(x));
    expect([y.requiresGrad, y.node]).toEqual([false, null]);
    close(y, [4, -9]);
    close(Pair.apply(variable([1]), 2, variable([3]))[0], [5]);
  });

  test('hooks see gradients by its outputs', () => {
    const x = leaf([2]);
    const y = Signed.apply(x);
    y.registerHook((g) => g.mul(10));
    y.backward();
    close(x.grad, [40]);
  });

  test('memory goes with the graph', () => {
    const x = leaf(Array.from({ length: 1000 }, (_, i) => i / 1000));
    const step = (): void => {
      const [sum, product] = Pair.apply(x, 2, Exp.apply(x));
      sum.mul(product).sum().backward();
      x.grad = null;
    };
    step();
    step();
    engine().flush();
    const before = engine().liveBytes;
    for (let i = 0; i < 20; i++) step();
    engine().flush();
    expect(engine().liveBytes).toBeLessThanOrEqual(before);
  });

  test('compiled steps do the same', () => {
    const train = (isCompiled: boolean) => {
      seed(4);
      class Net extends nn.Module {
        fc = new nn.Linear(6, 5);
        last = new nn.Linear(5, 1);
        forward(x: Variable): Variable {
          const [sum, product] = Pair.apply(
            Signed.apply(this.fc.forward(x)),
            0.5,
            Exp.apply(this.fc.forward(x).mul(0.1)),
          );
          return this.last.forward(StraightThrough.apply(sum.mul(4)).add(product).add(Reverse.apply(sum, 0.3)));
        }
      }
      const model = new Net();
      const optimizer = new SGD(model.parameters(), { lr: 0.01 });
      const step = compileStep(model, (output: Variable, target: Variable) => F.mseLoss(output, target), optimizer);
      const losses = Array.from({ length: 4 }, (_, i) => {
        const x = variable(
          Float32Array.from({ length: 24 }, (__, j) => Math.sin(i * 3 + j)),
          [4, 6],
        );
        const y = variable(new Float32Array(4).fill(i), [4, 1]);
        if (isCompiled) return step.step(x, y);
        optimizer.zeroGrad();
        const loss = F.mseLoss(model.forward(x), y);
        loss.backward();
        optimizer.step();
        return loss.item();
      });
      step.dispose();
      return [losses, Object.values(model.stateDict()).map((value) => [...value.data])];
    };
    expect(train(true)).toEqual(train(false));
  });
});
