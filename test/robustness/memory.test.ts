// Memory: the limit is kept and the model outlives it; nothing stays behind, however many shapes and models come.
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { inferencePrims } from '../../src/backend/wasm/prims.ts';
import { compile } from '../../src/compile/plan.ts';
import { optimize } from '../../src/graph/passes/index.ts';
import { OnnxProgram } from '../../src/io/onnx/import.ts';
import { parseModel } from '../../src/io/onnx/model.ts';
import { createBackend } from '../../src/runtime/load.ts';
import { Model } from '../../src/runtime/model.ts';
import { load } from '../../src/runtime/node.ts';
import { nodePlatform } from '../../src/runtime/node-platform.ts';
import * as onnx from '../io/onnx-builder.ts';
import { jsBackend } from '../support/js-backend.ts';
import { weights } from './bad-models.ts';
import { failureOf } from './failure.ts';

const { floatTensor, valueInfo } = onnx;
const f = (name: string, ...shape: onnx.Dim[]) => valueInfo(name, 'float32', shape);

/**
 * Free height and width. The convolution's weight is folded from two constants, `grid` is a constant of the size of the
 * map, and NonZero makes a tail.
 */
const bytes = onnx.model({
  nodes: [
    { op: 'Mul', inputs: ['w0', 'two'], outputs: ['w'] },
    { op: 'Conv', name: 'conv', inputs: ['x', 'w'], outputs: ['c'], attributes: { pads: [1, 1, 1, 1] } },
    { op: 'Shape', inputs: ['c'], outputs: ['shape'] },
    {
      op: 'ConstantOfShape',
      inputs: ['shape'],
      outputs: ['grid'],
      attributes: { value: floatTensor('', [1], [0.25]) },
    },
    { op: 'Add', inputs: ['c', 'grid'], outputs: ['g'] },
    { op: 'Relu', inputs: ['g'], outputs: ['y'] },
    { op: 'NonZero', inputs: ['y'], outputs: ['nonzero'] },
  ],
  initializers: [weights('w0', 8, 4, 3, 3), floatTensor('two', [1], [2])],
  inputs: [f('x', 1, 4, 'h', 'w')],
  outputs: [f('y', 1, 8, 'h', 'w'), valueInfo('nonzero', 'int64', [4, null])],
});

const input = (h: number, w: number) => ({
  x: { data: Float32Array.from({ length: 4 * h * w }, (_, i) => Math.cos(i)), shape: [1, 4, h, w] },
});

const backends = ['js', 'wasm'] as const;
const open = (name: 'js' | 'wasm', maxMemoryBytes?: number): Promise<Backend> =>
  createBackend(nodePlatform, { backend: name, ...(maxMemoryBytes && { maxMemoryBytes }) }, inferencePrims);
const read = (file: Uint8Array = bytes): OnnxProgram => new OnnxProgram(parseModel(file));

describe.each(backends)('%s', (name) => {
  test('nothing is left when a model is disposed of', async () => {
    const backend = await open(name);
    const model = new Model(read(), backend);
    for (const size of [5, 9, 17]) await model.run(input(size, size));
    expect(backend.memory.liveBytes).toBeGreaterThan(0);
    model.dispose();
    expect(backend.memory.liveBytes).toBe(0);
  });

  test('nothing is left of a plan, and of its session with it', async () => {
    const backend = await open(name);
    const session = backend.session();
    const program = read();
    const plans = [6, 7].map((size) => {
      const { graph } = program.specialize(new Map([['x', [1, 4, size, size]]]));
      return compile(optimize(graph), backend, session);
    });
    const both = backend.memory.liveBytes;
    plans[0].dispose();
    expect(backend.memory.liveBytes).toBeLessThan(both);
    expect(backend.memory.liveBytes).toBeGreaterThan(plans[1].heldBytes); // the weight is still there
    plans[1].dispose();
    session.dispose();
    expect(backend.memory.liveBytes).toBe(0);
  });

  test('the weights are the same for all shapes', async () => {
    const backend = await open(name);
    const model = new Model(read(), backend);
    const perShape: number[] = [];
    // From the eighth shape on a plan goes for each that comes.
    for (let i = 0; i < 40; i++) {
      await model.run(input(6 + i, 5));
      perShape.push(model.memory().total);
    }
    const [seventh, last] = [perShape[7], perShape[39]];
    // What remains is the growth of the maps: 40 instead of 8 rows, five times 12 channels and the grid's 8.
    expect(last).toBeLessThan(seventh * 5);
    const first = perShape[0];
    for (let i = 0; i < 8; i++) await model.run(input(6, 5 + i));
    expect(model.memory().total).toBeLessThan(first * 16);
    model.dispose();
    expect(backend.memory.liveBytes).toBe(0);
  });

  test('300 shapes over and over take no more than the largest eight', async () => {
    const backend = await open(name);
    const model = new Model(read(), backend);
    const total = async (from: number, to: number): Promise<number> => {
      let most = 0;
      for (let i = from; i < to; i++) {
        await model.run(input(3 + ((i * 7) % 19), 3 + ((i * 13) % 17)));
        most = Math.max(most, model.memory().total);
      }
      return most;
    };
    const early = await total(0, 323); // every combination once
    expect(await total(323, 646)).toBeLessThanOrEqual(early * 1.05);
    model.dispose();
    expect(backend.memory.liveBytes).toBe(0);
  });

  test('maxMemoryBytes holds for weights, activations and workspace, and a smaller shape still runs', async () => {
    const limit = 400_000;
    const backend = await open(name, limit);
    const model = new Model(read(), backend);
    const before = await model.run(input(8, 8));
    for (const size of [110, 160, 800]) {
      const error = await failureOf(() => model.run(input(size, size / 2)));
      expect(error.code).toBe('memory');
      expect(error.message).toMatch(/^node '|^run: the activations for these input shapes take \d+ bytes/);
      expect(backend.memory.liveBytes).toBeLessThanOrEqual(limit);
      expect(await model.run(input(8, 8))).toEqual(before);
    }
    expect(backend.memory.peakBytes).toBeLessThanOrEqual(limit);
    model.dispose();
    expect(backend.memory.liveBytes).toBe(0);
  });

  test('weights count: a model whose weights alone are too large does not run', async () => {
    const heavy = onnx.model({
      nodes: [{ op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['y'] }],
      initializers: [weights('w', 256, 256)],
      inputs: [f('x', 1, 256)],
      outputs: [f('y', 1, 256)],
    });
    const x = { data: new Float32Array(256).fill(1), shape: [1, 256] };
    const small = new Model(read(heavy), await open(name, 200_000));
    const error = await failureOf(() => small.run({ x }));
    expect(error.code).toBe('memory');
    expect(error.message).toMatch(/^node 'product' \(matmul\): /);
    expect(small.memory().total).toBe(0);
    // Twice over: packing brings the weight in beside its packed form.
    const large = new Model(read(heavy), await open(name, 700_000));
    await large.run({ x });
    expect(large.memory().weights).toBeGreaterThanOrEqual(256 * 256 * 4);
    expect((await failureOf(() => load(heavy, { backend: name, maxMemoryBytes: 200_000 }))).code).toBe('memory');
  });
});

test('a workspace that cannot grow leaves the plans that use it as they were', async () => {
  const sizes = [8, 60];
  const prepare = (backend: Backend) => {
    const session = backend.session();
    return (size: number) => {
      const { graph } = read().specialize(new Map([['x', [1, 4, size, size]]]));
      return compile(optimize(graph), backend, session);
    };
  };
  const measured = await open('wasm');
  sizes.forEach(prepare(measured));
  // The workspace comes last: it is what the missing bytes hit.
  const backend = await open('wasm', measured.memory.liveBytes - 64);
  const plan = prepare(backend);
  const small = plan(sizes[0]);
  const run = () => {
    small.inputs.get('x')!.array.set(input(8, 8).x.data);
    small.run();
    return small.outputs.get('y')!.data;
  };
  const before = run();
  const held = backend.memory.liveBytes;
  const error = await failureOf(() => plan(sizes[1]));
  expect(error.code).toBe('memory');
  expect(error.message).not.toMatch(/activations|node/);
  expect(backend.memory.liveBytes).toBe(held);
  // What is free now belongs to others.
  const blocks = Array.from({ length: 40 }, () => backend.memory.allocate(1024));
  const bytesOf = (block: (typeof blocks)[0]) => new Uint8Array(block.buffer(), block.byteOffset, 1024);
  for (const block of blocks) bytesOf(block).fill(0xaa);
  expect(run()).toEqual(before);
  for (const block of blocks) expect(bytesOf(block).every((byte) => byte === 0xaa)).toBe(true);
});

test('constants that do not depend on the shapes are computed once', () => {
  const program = read();
  const constantsOf = (size: number) =>
    program
      .specialize(new Map([['x', [1, 4, size, size]]]))
      .graph.nodes.flatMap((node) => node.inputs.flatMap((value) => value?.constant ?? []));
  const weightOf = (size: number) => constantsOf(size).find((tensor) => tensor.shape.join() === '8,4,3,3');
  const weight = weightOf(5);
  expect(weight).toBeDefined();
  expect(weight!.array[0]).toBeCloseTo(-0.86, 5);
  for (let size = 6; size < 20; size++) expect(weightOf(size)).toBe(weight);
  expect(weightOf(5)).toBe(weight);
});

test('the limit of a memory without one is what 32-bit addresses reach', () => {
  expect(jsBackend().memory.limit).toBe(2 ** 32);
});

test.each(backends)('60 models one after the other leave the heap as it was, %s', async (backend) => {
  const once = async (): Promise<void> => {
    using model = await load(bytes, { backend });
    await model.run(input(9, 9));
  };
  for (let i = 0; i < 10; i++) await once();
  const before = process.memoryUsage();
  for (let i = 0; i < 60; i++) await once();
  const after = process.memoryUsage();
  // 1 MB of WebAssembly memory each, if it were kept.
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(40e6);
  expect(after.rss - before.rss).toBeLessThan(150e6);
});
