import { expect, test } from 'vitest';
import { noGrad, useBackend, variable } from '../../src/autograd/index.ts';
import { JsBackend } from '../../src/backend/js/backend.ts';
import { SGD } from '../../src/optim/sgd.ts';
import { expectClose } from '../ops/run.ts';
import { describeEngines } from '../support/engines.ts';
import { batches, loss, smallNetwork } from '../support/networks.ts';

describeEngines('memory', (use) => {
  test('a training loop without a memory call: the same live bytes at every step after the second', () => {
    const engine = use();
    const model = smallNetwork(0.2);
    const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
    const data = batches(4);
    const live: number[] = [];
    for (let i = 0; i < 12; i++) {
      const { x, y } = data[i % 4];
      optimizer.zeroGrad();
      const output = model.forward(x);
      const value = loss(output, y);
      value.backward();
      optimizer.step();
      // What loops do besides: read the loss and count right answers.
      expect(Number.isFinite(value.item())).toBe(true);
      const right = output.argMax(1).eq(y.to('int64'));
      expect(right.shape).toEqual([8]);
      live.push(engine.liveBytes);
    }
    expect(new Set(live.slice(2)).size).toBe(1);
  });

  test('evaluation inside noGrad leaves nothing behind; its result stays', () => {
    const engine = use();
    const model = smallNetwork().eval();
    const [{ x }] = batches(1);
    const first = noGrad(() => model.forward(x));
    const live = engine.liveBytes;
    for (let i = 0; i < 5; i++) {
      const output = noGrad(() => model.forward(x));
      expect(engine.liveBytes).toBe(live);
      expect(output.data).toEqual(first.data);
    }
  });

  test('two graphs that share nothing are freed one by one', () => {
    const engine = use();
    const [a, b] = [1, 2].map((v) => variable([v, v], undefined, { requiresGrad: true }));
    const step = (): void => {
      const [p, q] = [a.square(), b.exp()];
      p.sum().backward();
      // The second graph is begun before the first one is over, and survives it.
      q.mul(2).sum().backward();
      a.grad = null;
      b.grad = null;
    };
    const live: number[] = [];
    for (let i = 0; i < 6; i++) {
      step();
      live.push(engine.liveBytes);
    }
    expect(new Set(live.slice(2)).size).toBe(1);
  });

  test('the loss and values without a graph can be read in later steps', () => {
    use();
    const w = variable([1, 2], undefined, { requiresGrad: true });
    const scale = variable([3, 4]).mul(2);
    const losses = Array.from({ length: 4 }, () => {
      const value = w.mul(scale).sum();
      value.backward();
      return value;
    });
    expect(losses.map((value) => value.item())).toEqual([22, 22, 22, 22]);
    expectClose(scale.data, [6, 8]);
  });

  test('an error in a step costs nothing', () => {
    const engine = use();
    const model = smallNetwork();
    const [{ x, y }] = batches(1);
    const step = (): void => {
      model.zeroGrad();
      loss(model.forward(x), y).backward();
    };
    for (let i = 0; i < 3; i++) step();
    const live = engine.liveBytes;
    expect(() => model.forward(variable(new Float32Array(20), [1, 2, 10, 1]))).toThrow(/2/);
    for (let i = 0; i < 2; i++) step();
    expect(engine.liveBytes).toBe(live);
  });

  test('dispose gives everything back', () => {
    const engine = use();
    const before = engine.liveBytes;
    const model = smallNetwork();
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const [{ x, y }] = batches(1);
    loss(model.forward(x), y).backward();
    optimizer.step();
    engine.flush();
    optimizer.dispose();
    model.dispose();
    expect(engine.liveBytes).toBe(before);
  });
});

test('variables move to the engine that uses them', () => {
  useBackend(new JsBackend());
  const w = variable([1, 2], undefined, { requiresGrad: true });
  const y = w.mul(3).detach();
  useBackend(new JsBackend());
  w.mul(y).sum().backward();
  expectClose(w.grad!.data, [3, 6]);
});
