import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { noGrad, useBackend, type Variable, variable } from '../../src/autograd/index.ts';
import { SGD } from '../../src/optim/sgd.ts';
import { expectClose } from '../ops/run.ts';
import { describeEngines } from '../support/engines.ts';
import { jsBackend } from '../support/js-backend.ts';
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

describeEngines('graphs that are never backpropagated', (use) => {
  const forward = (w: Variable, elements: number): Variable => w.mul(variable(new Float32Array(elements).fill(1)));

  test('forward passes outside of noGrad do not pile up in the memory of the backend, and stay right', () => {
    const engine = use();
    const w = variable([3], undefined, { requiresGrad: true });
    const first = forward(w, 4).square();
    const before = engine.liveBytes;
    for (let i = 0; i < 40; i++) forward(w, 2 ** 20);
    // 128 MB of results that nobody took back, the graph that is being recorded, and copies of inputs.
    expect(engine.liveBytes - before).toBeLessThan(2 ** 27 + 2 ** 24 + 2 ** 26);
    // It moved to the JavaScript heap, and is copied in again for its backward pass.
    first.sum().backward();
    expectClose(w.grad!.data, [24]);
    expectClose(first.data, [9, 9, 9, 9]);
  });

  test('many small graphs are not kept either, and graphs that an op joins are one', () => {
    const engine = use();
    const w = variable([3], undefined, { requiresGrad: true });
    const parts = Array.from({ length: 100 }, (_, i) => forward(w, i + 1).sum());
    const live = engine.liveBytes;
    for (let i = 0; i < 200; i++) forward(w, 1000);
    expect(engine.liveBytes - live).toBeLessThan((64 + 256 + 4) * 4 * 1024);
    parts.reduce((a, b) => a.add(b)).backward();
    expectClose(w.grad!.data, [5050]);
  });
});

test('a synchronous training loop does not fill the JavaScript heap', () => {
  const script = fileURLToPath(new URL('heap-loop.ts', import.meta.url));
  const output = execFileSync(process.execPath, ['--max-old-space-size=40', '--import', 'tsx', script, '8000'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(JSON.parse(output)).toEqual({ grown: 0 });
});

test('variables move to the engine that uses them', () => {
  useBackend(jsBackend());
  const w = variable([1, 2], undefined, { requiresGrad: true });
  const y = w.mul(3).detach();
  useBackend(jsBackend());
  w.mul(y).sum().backward();
  expectClose(w.grad!.data, [3, 6]);
});
