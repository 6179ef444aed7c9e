import { beforeEach, describe, expect, test } from 'vitest';
import { apply, checkpoint, noGrad, type Variable, variable } from '../../src/autograd/index.ts';
import { seed } from '../../src/common/random.ts';
import { F } from '../../src/nn/functional.ts';
import { ModuleBuffer, Parameter } from '../../src/nn/parameter.ts';
import { expectClose, expectError } from '../ops/run.ts';
import { describeEngines } from '../support/engines.ts';

const learned = (...values: number[]): Variable => variable(values, undefined, { requiresGrad: true });
const grad = (x: Variable): number[] => Array.from(x.grad?.data ?? []);

describeEngines('tape', (use) => {
  beforeEach(() => {
    use();
  });

  test('chain rule through several ops', () => {
    const [a, b] = [learned(1, 2), learned(3, -4)];
    const y = a.mul(b).add(a).sub(b).relu().sum();
    y.backward();
    // a·b + a − b = [1, −2]: only the first passes the ReLU.
    expect(y.item()).toBe(1);
    expectClose(grad(a), [4, 0]);
    expectClose(grad(b), [0, 0]);
  });

  test('a variable used twice gets both gradients, and broadcasting is summed back', () => {
    const x = learned(3);
    x.mul(x)
      .add(
        variable([
          [1, 2],
          [3, 4],
        ]),
      )
      .sum()
      .backward();
    expectClose(grad(x), [4 * 2 * 3]);
  });

  test('gradients accumulate until they are set to null', () => {
    const x = learned(2);
    for (let i = 1; i <= 3; i++) {
      x.square().sum().backward();
      expectClose(grad(x), [4 * i]);
    }
    x.grad = null;
    x.square().sum().backward();
    expectClose(grad(x), [4]);
  });

  test('gradients of two leaves through the same add are memory of their own', () => {
    const [a, b] = [learned(1, 2), learned(3, 4)];
    a.add(b).mul(2).sum().backward();
    a.grad!.set([9, 9]);
    expectClose(grad(b), [2, 2]);
  });

  test('views share memory and pass gradients on', () => {
    const x = learned(1, 2, 3, 4, 5, 6);
    const y = x.reshape(2, 3).transpose(0, 1).flatten();
    expectClose(y.data, [1, 4, 2, 5, 3, 6]);
    y.mul(variable([1, 2, 3, 4, 5, 6]))
      .sum()
      .backward();
    expectClose(grad(x), [1, 3, 5, 2, 4, 6]);
  });

  test('a given gradient; a result with several elements', () => {
    const x = learned(1, 2, 3);
    x.mul(2).backward(variable([1, 10, 100]));
    expectClose(grad(x), [2, 20, 200]);
  });

  test('detach stops gradients; noGrad records nothing', () => {
    const x = learned(2);
    x.mul(x.detach()).sum().backward();
    expectClose(grad(x), [2]);
    const y = noGrad(() => x.mul(3));
    expect(y.requiresGrad).toBe(false);
    expect(y.item()).toBe(6);
  });

  test('retainGraph allows a second pass', () => {
    const x = learned(3);
    const y = x.square().sum();
    y.backward(null, { retainGraph: true });
    y.backward();
    expectClose(grad(x), [12]);
  });

  test('retainGrad keeps the gradient of a result', () => {
    const x = learned(2);
    const y = x.mul(3).retainGrad();
    y.square().sum().backward();
    expectClose(grad(y), [12]);
    expectClose(grad(x), [36]);
  });

  test('hooks see and replace gradients, of leaves and results, until they are removed', () => {
    const x = learned(1, 2);
    const y = x.mul(2);
    const seen: number[][] = [];
    y.registerHook((g) => {
      seen.push(Array.from(g.data));
      return g.mul(10);
    });
    const remove = x.registerHook((g) => {
      seen.push(Array.from(g.data));
      return undefined;
    });
    y.sum().backward();
    expect(seen).toEqual([
      [1, 1],
      [20, 20],
    ]);
    expectClose(grad(x), [20, 20]);
    remove();
    x.grad = null;
    x.sum().backward();
    expect(seen.length).toBe(2);
  });

  test('checkpoint gives the same gradients, of inputs and of parameters, through dropout too', () => {
    const results = [false, true].map((recompute) => {
      seed(5);
      const x = variable(
        Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)),
        [4, 10],
        { requiresGrad: true },
      );
      const w = new Parameter(
        [6, 10],
        Float32Array.from({ length: 60 }, (_, i) => Math.cos(i)),
      );
      const body = (v: Variable): Variable => F.dropout(F.linear(v, w).tanh(), 0.5);
      const hidden = recompute ? checkpoint(body, x.mul(2)) : body(x.mul(2));
      const y = F.dropout(hidden.square(), 0.5).sum();
      y.backward();
      return [y.item(), ...grad(x), ...grad(w)];
    });
    expect(results[1].some((v) => v !== 0)).toBe(true);
    expect(results[1]).toEqual(results[0]);
  });

  test('checkpoint keeps no intermediate results', () => {
    const engine = use();
    const x = variable(new Float32Array(4096).fill(0.5), [4096], { requiresGrad: true });
    const body = (v: Variable): Variable => v.mul(2).tanh().mul(3).exp();
    body(x).sum().backward();
    x.grad = null;
    engine.flush();
    const held = [() => body(x), () => checkpoint(body, x)].map((run) => {
      const before = engine.liveBytes;
      const y = run().sum();
      const bytes = engine.liveBytes - before;
      y.backward();
      x.grad = null;
      engine.flush();
      return bytes;
    });
    expect(held[1]).toBeLessThan(held[0] / 2);
  });

  test('metrics of a graph that was backpropagated need no detach', () => {
    const x = learned(1, 5, 2);
    const y = x.mul(2);
    y.sum().backward();
    expect(y.argMax().item()).toBe(1);
    expect(y.mean().requiresGrad).toBe(false);
    expectClose(y.data, [2, 10, 4]);
  });

  describe('errors', () => {
    test('backward of several elements without a gradient, of nothing, with a wrong gradient', () => {
      const x = learned(1, 2);
      expectError('argument', ['a gradient is needed', '[2]'], () => x.mul(2).backward());
      expectError('argument', ['does not depend'], () => variable([1]).backward());
      expectError('shape', ['[2]', '[3]'], () => x.mul(2).backward(variable([1, 2, 3])));
    });

    test('a second backward through a freed graph', () => {
      const y = learned(1).square().sum();
      y.backward();
      expectError('argument', ["'", 'retainGraph'], () => y.backward());
    });

    test('an op without a gradient is named', () => {
      const x = learned(1, 2, 3, 4);
      const [y] = apply('hardmax', [x], { axis: 0 });
      expectError('unsupported', ['hardmax', 'no gradient'], () => y.sum().backward());
    });

    test('memory written between forward and backward', () => {
      const w = new Parameter([2], Float32Array.of(1, 2));
      const y = w.square().sum();
      noGrad(() => apply('assign', [w, variable([5, 5])]));
      expectError('argument', ['square', 'in place'], () => y.backward());
      const z = w.square().sum();
      w.set([1, 1]);
      expectError('argument', ['square', 'in place'], () => z.backward());
      // Nobody reads what is written here: a sum does not need its operands.
      const s = w.add(w).sum();
      w.set([2, 2]);
      s.backward();
      expectClose(grad(w), [2, 2]);
    });

    test('in-place ops want memory that may be written', () => {
      const w = new Parameter([1], Float32Array.of(1));
      expectError('argument', ['assign', 'noGrad'], () => apply('assign', [w, variable([1])]));
      expectError('argument', ['assign', 'parameters and buffers'], () => {
        noGrad(() => apply('assign', [variable([1]), variable([2])]));
      });
      const buffer = new ModuleBuffer([1]);
      apply('assign', [buffer, variable([7])]);
      expect(buffer.item()).toBe(7);
    });

    test('integers have no gradients; leaves alone change requiresGrad', () => {
      expectError('dtype', ['int32'], () => variable(Int32Array.of(1), [1], { requiresGrad: true }));
      expectError('argument', ['leaves'], () => learned(1).mul(2).requiresGrad_(false));
      expectError('argument', ['registerHook'], () => variable([1]).registerHook(() => undefined));
    });

    test('noGrad and asynchronous functions', () => {
      expectError('argument', ['synchronous'], () => noGrad(async () => 1));
    });

    test('values: ragged, wrong count, not numbers', () => {
      expectError('shape', ['nested'], () => variable([[1, 2], [3]]));
      expectError('shape', ['3'], () => variable([1, 2], [3]));
      expectError('argument', ['expects numbers'], () => variable(['x'] as never));
      expectError('shape', ['item', '[2]'], () => variable([1, 2]).item());
      expectError('shape', ['set', '2'], () => variable([1, 2]).set([1]));
    });

    test('what is gone says why', () => {
      let leaked: Variable | null = null;
      noGrad(() => {
        leaked = learned(1).mul(2);
      });
      expectError('disposed', ['inside noGrad'], () => leaked!.item());
      const x = variable([1]);
      x.dispose();
      expectError('disposed', ['disposed'], () => x.add(1));
    });
  });
});
