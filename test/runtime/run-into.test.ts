// Results in the caller's arrays, and what a run allocates.
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { supportedVariants } from '../../src/abi/modules.ts';
import { WasmBackend } from '../../src/backend/wasm/backend.ts';
import { seededInputs } from '../../src/runtime/measure.ts';
import type { Model } from '../../src/runtime/model.ts';
import { load } from '../../src/runtime/node.ts';
import * as onnx from '../io/onnx-builder.ts';
import { f } from '../io/onnx-run.ts';
import { lenet } from '../support/lenet.ts';
import { run } from './package.ts';

const fixture = (name: string) => new URL(`../fixtures/models/${name}.onnx`, import.meta.url);
const image = (batch: number) => ({
  x: { data: Float32Array.from({ length: batch * 784 }, (_, i) => Math.sin(i)), shape: [batch, 1, 28, 28] },
});

describe.each([{ backend: 'js' }, { threads: 1 }, { threads: 2 }, { threads: 2, leader: 'worker' }] as const)(
  '%o',
  (options) => {
    test('results are those of run, in the arrays that were given', async () => {
      using model = await load(lenet('n'), options);
      for (const batch of [1, 3, 1, 2, 2]) {
        const { y: expected } = await model.run(image(batch));
        const into = { y: new Float32Array(10 * batch) };
        const { y } = await model.run(image(batch), { into });
        expect(y.data).toBe(into.y);
        expect(y).toEqual(expected);
        if (model.leader === 'worker') continue;
        into.y.fill(0);
        expect(model.runSync(image(batch), into)).toBeUndefined();
        expect(into.y).toEqual(expected.data);
      }
    });

    test('only the outputs that are named; shapes that depend on the data as well', async () => {
      using model = await load(fixture('ssd_nms_tiny'), options);
      const inputs = seededInputs(model, new Map());
      const all = await model.run(inputs);
      for (const [name, expected] of Object.entries(all)) {
        const into = { [name]: expected.data.slice().fill(0) };
        expect(await model.run(inputs, { into })).toEqual({ [name]: expected });
        const longer = { [name]: new (expected.data.constructor as Float32ArrayConstructor)(expected.data.length + 1) };
        await expect(model.run(inputs, { into: longer })).rejects.toMatchObject({ code: 'shape' });
      }
    });

    test('arrays and inputs that do not fit are refused, before and after a run that did', async () => {
      using model = await load(lenet(), options);
      const y = new Float32Array(10);
      const refused: [string, object, RegExp][] = [
        ['unknown-name', { z: y }, /no output 'z'; its outputs are y/],
        ['dtype', { y: new Float64Array(10) }, /output 'y' \(float32\) expects a Float32Array, got/],
        ['dtype', { y: [1, 2] }, /output 'y' \(float32\) expects a Float32Array, got/],
        ['shape', { y: new Float32Array(11) }, /output 'y' expects an array of 10 \(shape \[1,10\]\), got one of 11/],
        ['argument', null as unknown as object, /expects an object of arrays/],
      ];
      const data = new Float32Array(784);
      const wrong: [string, object][] = [
        ['missing-input', {}],
        ['unknown-name', { x: { data }, z: { data } }],
        ['dtype', { x: { data: new Float64Array(784) } }],
        ['shape', { x: { data: new Float32Array(783) } }],
        ['shape', { x: { data, shape: [1, 784] } }],
        ['shape', { x: { data, shape: [1, 1, 784, 1] } }],
        ['missing-input', { x: null }],
        ['argument', 5 as unknown as object],
      ];
      for (let round = 0; round < 3; round++) {
        for (const [code, into, message] of refused) {
          const error = await model.run(image(1), { into: into as never }).catch((e) => e);
          expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
          if (model.leader === 'main') expect(() => model.runSync(image(1), into as never)).toThrow(message);
        }
        for (const [code, inputs] of wrong) {
          await expect(model.run(inputs as never, { into: { y } }), JSON.stringify(code)).rejects.toMatchObject({
            code,
          });
        }
        await model.run(image(1), { into: { y } });
        expect(y.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      }
    });
  },
);

test('truth values that are not 0 or 1 count as true, on the way without checks as well', async () => {
  const bytes = onnx.model({
    nodes: [{ op: 'Not', inputs: ['b'], outputs: ['y'] }],
    inputs: [onnx.valueInfo('b', 'bool', [4])],
    outputs: [onnx.valueInfo('y', 'bool', [4])],
  });
  using model = await load(bytes);
  const y = new Uint8Array(4);
  for (let i = 0; i < 3; i++) {
    model.runSync({ b: { data: Uint8Array.of(0, 1, 2, 255) } }, { y });
    expect([...y]).toEqual([1, 0, 0, 0]);
  }
});

test('an input that no node reads may be given and may not be left out', async () => {
  const bytes = onnx.model({
    nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
    inputs: [f('x', 2), f('unused', 1)],
    outputs: [f('y', 2)],
  });
  using model = await load(bytes);
  const x = { data: Float32Array.of(-1, 2) };
  for (let i = 0; i < 3; i++) {
    expect([...(await model.run({ x, unused: { data: Float32Array.of(1) } })).y.data]).toEqual([0, 2]);
    await expect(model.run({ x })).rejects.toMatchObject({ code: 'missing-input' });
  }
});

describe.each(supportedVariants())('WebAssembly memory, %s', (variant) => {
  /** Everything that the backend is asked for, while a model runs. */
  async function counted(bytes: Uint8Array | URL, threads: number): Promise<{ model: Model; count: () => number }> {
    let allocations = 0;
    const model = await load(bytes, { variant, threads });
    const backend = (model as unknown as { engine: WasmBackend }).engine;
    expect(backend).toBeInstanceOf(WasmBackend);
    const { memory } = backend;
    const allocate = memory.allocate.bind(memory);
    memory.allocate = (size) => {
      allocations++;
      return allocate(size);
    };
    const grow = memory.memory.grow.bind(memory.memory);
    memory.memory.grow = (pages) => {
      allocations++;
      return grow(pages);
    };
    return { model, count: () => allocations };
  }

  test.each([
    'mobilenet_v2_tiny',
    'resnet_tiny',
    'unet_bilinear_tiny',
    'convnext_tiny_ln',
    'r3d_tiny',
    'tcn_1d',
    'espcn_bicubic',
  ])('%s: none after the first run', async (name) => {
    for (const threads of [1, 2]) {
      const { model, count } = await counted(fixture(name), threads);
      const inputs = seededInputs(model, new Map());
      await model.run(inputs);
      const first = count();
      expect(first).toBeGreaterThan(0);
      const memory = model.memory();
      for (let i = 0; i < 5; i++) await model.run(inputs);
      expect(count()).toBe(first);
      expect(model.memory()).toEqual(memory);
      model.dispose();
    }
  });

  test('none when shapes that were seen come again', async () => {
    const { model, count } = await counted(lenet('n'), 1);
    for (const batch of [1, 2, 5, 8]) await model.run(image(batch));
    const first = count();
    const memory = model.memory();
    for (let i = 0; i < 20; i++) await model.run(image([1, 2, 5, 8][i % 4]));
    expect(count()).toBe(first);
    expect(model.memory()).toEqual(memory);
    model.dispose();
  });
});

describe('JavaScript heap over 10,000 runs', () => {
  const script = fileURLToPath(new URL('heap-growth.ts', import.meta.url));
  const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64', '--import', 'tsx'];
  const growth = async (how: string, threads: number) => {
    const { code, stdout, stderr } = await run(process.execPath, [...flags, script, how, '10000', String(threads)], {});
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return JSON.parse(stdout) as { grown: number; memory: number; peak: number; y: number[] };
  };

  // The smallest object has 12 bytes: one a run would be 120,000. What the engine compiles meanwhile is some 40,000.
  test.each([1, 2])('runSync, %i thread(s): less than one object a run', async (threads) => {
    const { grown, memory, peak, y } = await growth('sync', threads);
    expect(grown).toBeLessThan(100_000);
    expect({ memory, peak }).toEqual({ memory: 0, peak: 0 });
    expect(y.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });

  test('the measure sees what run allocates', async () => {
    expect((await growth('async', 1)).grown).toBeGreaterThan(1_000_000);
  });
});
