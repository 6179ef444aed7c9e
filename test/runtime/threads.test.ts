import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { supportedVariants } from '../../src/abi/modules.ts';
import { withSharedMemory } from '../../src/abi/shared-memory.ts';
import { seededInputs } from '../../src/runtime/measure.ts';
import { load } from '../../src/runtime/node.ts';
import { spawnWorker } from '../../src/runtime/node-platform.ts';
import * as onnx from '../io/onnx-builder.ts';
import { f, i64 } from '../io/onnx-run.ts';

const models = new URL('../fixtures/models/', import.meta.url);
const names = [
  'mobilenet_v2_tiny',
  'resnet_tiny',
  'unet_bilinear_tiny',
  'convnext_tiny_ln',
  'ssd_nms_tiny',
  'r3d_tiny',
];

async function outputs(name: string, options: object, runs = 3) {
  const model = await load(new URL(`${name}.onnx`, models), options);
  try {
    let last = await model.run(seededInputs(model, new Map()));
    for (let i = 1; i < runs; i++) last = await model.run(seededInputs(model, new Map()));
    return { threads: model.threads, last };
  } finally {
    model.dispose();
  }
}

describe.each(supportedVariants())('threads, %s', (variant) => {
  test.each(names)('%s: bit-equal on 1, 2 and 3 threads', async (name) => {
    const alone = await outputs(name, { variant, threads: 1 });
    for (const threads of [2, 3]) {
      const shared = await outputs(name, { variant, threads });
      expect(shared.threads).toBe(threads);
      for (const [output, { data }] of Object.entries(alone.last)) {
        expect(shared.last[output].data, `${output} on ${threads} threads`).toEqual(data);
      }
    }
  });

  test('an error in a step leaves the team ready for the next run', async () => {
    const bytes = onnx.model({
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['r'] },
        { op: 'Gather', inputs: ['r', 'i'], outputs: ['g'] },
        { op: 'Sigmoid', inputs: ['g'], outputs: ['y'] },
      ],
      inputs: [f('x', 4, 3), i64('i', 2)],
      outputs: [f('y', 2, 3)],
    });
    const model = await load(bytes, { variant, threads: 2 });
    try {
      const x = { data: Float32Array.from({ length: 12 }, (_, i) => i - 6), shape: [4, 3] };
      const good = { x, i: { data: Int32Array.of(0, 3), shape: [2] } };
      const before = await model.run(good);
      for (let round = 0; round < 3; round++) {
        const bad = model.run({ x, i: { data: Int32Array.of(0, 4), shape: [2] } });
        await expect(bad).rejects.toMatchObject({ code: 'index-range' });
        expect((await model.run(good)).y.data).toEqual(before.y.data);
      }
    } finally {
      model.dispose();
    }
  });
});

test("'auto' takes at least one thread, and workers end with the model", async () => {
  const { threads, last } = await outputs('resnet_tiny', { threads: 'auto' });
  expect(threads).toBeGreaterThanOrEqual(1);
  expect(Object.keys(last)).not.toHaveLength(0);
});

test('the shared build differs from the plain one in the type of its memory alone', () => {
  const bytes = readFileSync(new URL('../../build/kernels.simd.wasm', import.meta.url));
  const shared = withSharedMemory(bytes, 100);
  const module = new WebAssembly.Module(shared);
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 100, shared: true });
  expect(() => new WebAssembly.Instance(module, { env: { memory } })).not.toThrow();
  const plain = new WebAssembly.Memory({ initial: 16, maximum: 100 });
  expect(() => new WebAssembly.Instance(module, { env: { memory: plain } })).toThrow(WebAssembly.LinkError);
  expect(shared.subarray(-1000)).toEqual(new Uint8Array(bytes.subarray(-1000)));
});

test('a worker that does not start is an error of the environment, with its reason', async () => {
  const { ready, terminate } = spawnWorker({});
  await expect(ready).rejects.toMatchObject({ code: 'environment', message: 'load: a worker thread did not start' });
  await ready.catch(({ cause }) => expect(cause).toBeInstanceOf(Error));
  terminate();
});
