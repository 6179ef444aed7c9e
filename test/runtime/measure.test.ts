import { afterEach, describe, expect, test, vi } from 'vitest';
import { measure, percentile, seededInputs } from '../../src/runtime/measure.ts';
import { load } from '../../src/runtime/node.ts';
import * as onnx from '../io/onnx-builder.ts';
import { f, i64 } from '../io/onnx-run.ts';

afterEach(() => vi.restoreAllMocks());

// numpy.percentile
test.each([
  [[7], 50, 7],
  [[1, 2], 50, 1.5],
  [[1, 2, 3, 4], 50, 2.5],
  [[1, 2, 3, 4], 90, 3.7],
  [[1, 2, 3, 4], 0, 1],
  [[1, 2, 3, 4], 100, 4],
  [[10, 20, 40, 80, 160], 95, 144],
])('of %j, percentile %i is %f', (sorted, percent, expected) => {
  expect(percentile(sorted, percent)).toBeCloseTo(expected, 10);
});

const file = onnx.model({
  initializers: [onnx.floatTensor('w', [3, 2], [1, 2, 3, 4, 5, 6])],
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['product'] },
    { op: 'Gather', inputs: ['product', 'rows'], outputs: ['y'] },
  ],
  inputs: [f('x', 'N', 3), i64('rows', 2)],
  outputs: [f('y', 2, 2)],
});

test('inputs of a benchmark: seeded numbers of their types, 1 for what may vary', async () => {
  using model = await load(file, { backend: 'js' });
  const { x, rows } = seededInputs(model, new Map());
  expect([x.shape, rows.shape, [...(rows.data as Int32Array)]]).toEqual([[1, 3], [2], [0, 0]]);
  const wide = seededInputs(model, new Map([['x', [40, 3]]])).x.data as Float32Array;
  expect([...wide.slice(0, 3)]).toEqual([...(x.data as Float32Array)]);
  expect(wide.every((v) => v >= -1 && v < 1)).toBe(true);
  expect(wide.some((v) => v < -0.5) && wide.some((v) => v > 0.5)).toBe(true);
  const other = seededInputs(model, new Map([['x', [40, 3]]]), 8).x.data as Float32Array;
  expect(other).not.toEqual(wide);
});

describe('a measurement', () => {
  /** A clock on which run i takes i milliseconds; nothing else takes any time. */
  async function clocked(options: { seconds: number; runs?: number; warmup?: number }) {
    using model = await load(file, { backend: 'js' });
    const inputs = seededInputs(model, new Map());
    let [now, run] = [1000, 0];
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const original = model.run.bind(model);
    model.run = async (...args) => {
      now += ++run;
      return original(...args);
    };
    const heard: [string, number][] = [];
    const timing = await measure(model, inputs, {
      ...options,
      progress: (what, done) => void heard.push([what, done]),
    });
    return { timing, heard };
  }

  test('of so many runs, behind so many others: mean and percentiles of those runs', async () => {
    const { timing, heard } = await clocked({ seconds: 0, runs: 4, warmup: 2 });
    expect(timing).toMatchObject({ first: 1, warmup: 2, runs: 4, min: 4, max: 7, mean: 5.5, median: 5.5, macs: 6 });
    expect([timing.p90, timing.p95, timing.p99]).toEqual([6.7, 6.85, 6.97].map((v) => expect.closeTo(v, 10)));
    expect(timing.steps.map(({ op, macs, median }) => [op, macs, median])).toEqual([
      ['matmul', 6, 0],
      ['gather', 0, 0],
    ]);
    expect(heard.filter(([what]) => what === 'warm-up').map(([, done]) => done)).toEqual([0.5, 1]);
    expect(heard.filter(([what]) => what === 'runs').map(([, done]) => done)).toEqual([0.25, 0.5, 0.75, 1]);
    expect(heard[0]).toEqual(['first run', 0]);
  });

  test('of so many seconds: half as long before, and three runs at least', async () => {
    const { timing } = await clocked({ seconds: 0.02 });
    // Runs 2 to 4 take 9 ms, run 5 brings them to 14; then 6 + 7 + 8 is enough.
    expect(timing).toMatchObject({ first: 1, warmup: 4, runs: 3, min: 6, max: 8, median: 7 });
    const long = (await clocked({ seconds: 1 })).timing;
    expect(long.warmup).toBe(31);
    expect(long.runs).toBe(23);
    const { timing: none, heard } = await clocked({ seconds: 0, warmup: 0, runs: 1 });
    expect(none).toMatchObject({ warmup: 0, runs: 1 });
    expect(heard.every(([, done]) => done >= 0 && done <= 1)).toBe(true);
  });
});

test.each([
  [{ maxMemoryBytes: 0 }, /maxMemoryBytes expects a positive number/],
  [{ maxMemoryBytes: '5' }, /maxMemoryBytes expects a positive number/],
  [{ maxMemoryBytes: Number.NaN }, /maxMemoryBytes expects a positive number/],
  [{ maxLoopIterations: -1 }, /maxLoopIterations expects a number ≥ 0/],
  [{ maxLoopIterations: '1' }, /maxLoopIterations expects a number ≥ 0/],
  [{ threads: 0 }, /threads expects 'auto' or a whole number ≥ 1/],
  [{ threads: 1.5 }, /threads expects 'auto' or a whole number ≥ 1/],
  [{ kernels: {} }, /kernels expects a WebAssembly\.Module/],
])('load refuses %j', async (options, message) => {
  await expect(load(file, options as object)).rejects.toMatchObject({
    code: 'argument',
    message: expect.stringMatching(message),
  });
});

test('a model that fits in what it may take is loaded, one byte more is refused by name', async () => {
  const size = file.byteLength;
  await expect(load(file, { backend: 'js', maxMemoryBytes: size - 1 })).rejects.toMatchObject({ code: 'memory' });
  (await load(file, { backend: 'js', maxMemoryBytes: size })).dispose();
});

test('arrays for results are all looked at before anything is written', async () => {
  const two = onnx.model({
    nodes: [
      { op: 'Neg', inputs: ['x'], outputs: ['a'] },
      { op: 'Abs', inputs: ['x'], outputs: ['b'] },
    ],
    inputs: [f('x', 2)],
    outputs: [f('a', 2), f('b', 2)],
  });
  using model = await load(two, { backend: 'js' });
  const inputs = { x: { data: Float32Array.of(1, -2), shape: [2] } };
  const into = { a: new Float32Array(2), b: new Float32Array(3) };
  await expect(model.run(inputs, { into })).rejects.toMatchObject({ code: 'shape' });
  expect(() => model.runSync(inputs, into)).toThrow(/'b' expects an array of 2/);
  expect([...into.a]).toEqual([0, 0]);
});
