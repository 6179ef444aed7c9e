// Plans of one model share packed weights and a workspace, and are called in any order: what a run gives must not depend on
// the runs before it. Every result is compared, bit by bit, with that of a model that has run nothing else.
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import type { LoadOptions } from '../../src/runtime/load.ts';
import type { Model } from '../../src/runtime/model.ts';
import { load } from '../../src/runtime/node.ts';
import type { ModelInputs } from '../../src/runtime/values.ts';
import { floatTensor, model, valueInfo } from '../io/onnx-builder.ts';
import { f } from '../io/onnx-run.ts';
import { Random, seeds, variants } from '../kernels/harness.ts';

/** Convolutions of several algorithms (with workspaces of different sizes), a product, and a choice by truth values. */
function network(): Uint8Array<ArrayBuffer> {
  const random = new Random(3);
  const weight = (name: string, dims: number[]) => {
    const size = dims.reduce((product, d) => product * d, 1);
    return floatTensor(name, dims, [...random.floats(size, -0.5, 0.5)]);
  };
  const same = { pads: [1, 1, 1, 1], kernel_shape: [3, 3] };
  return model({
    initializers: [
      weight('w1', [16, 3, 3, 3]),
      weight('w2', [24, 16, 3, 3]),
      weight('w3', [24, 1, 3, 3]),
      weight('w4', [24, 8, 2, 2]),
      weight('w5', [24, 10]),
    ],
    nodes: [
      { op: 'Conv', inputs: ['x', 'w1'], outputs: ['a'], attributes: same },
      { op: 'Relu', inputs: ['a'], outputs: ['b'] },
      { op: 'Conv', inputs: ['b', 'w2'], outputs: ['c'], attributes: same },
      { op: 'Conv', inputs: ['c', 'w3'], outputs: ['d'], attributes: { ...same, group: 24 } },
      { op: 'Add', inputs: ['c', 'd'], outputs: ['e'] },
      { op: 'ConvTranspose', inputs: ['e', 'w4'], outputs: ['up'], attributes: { strides: [2, 2] } },
      { op: 'GlobalAveragePool', inputs: ['e'], outputs: ['g'] },
      { op: 'Flatten', inputs: ['g'], outputs: ['h'] },
      { op: 'MatMul', inputs: ['h', 'w5'], outputs: ['classes'] },
      { op: 'Neg', inputs: ['x'], outputs: ['n'] },
      { op: 'Where', inputs: ['mask', 'x', 'n'], outputs: ['chosen'] },
      { op: 'Cast', inputs: ['mask'], outputs: ['counted'], attributes: { to: 1 } },
    ],
    inputs: [f('x', 'N', 3, 'H', 'W'), valueInfo('mask', 'bool', ['H', 'W'])],
    outputs: [f('up', 'N', 8, 'U', 'V'), f('classes', 'N', 10), f('chosen', 'N', 3, 'H', 'W'), f('counted', 'H', 'W')],
  });
}

type Shape = readonly [batch: number, height: number, width: number];

const shapes: readonly Shape[] = [
  [1, 4, 4],
  [1, 32, 32],
  [4, 16, 16],
  [1, 7, 9],
  [2, 33, 17],
  [1, 64, 48],
  [3, 1, 5],
  [1, 12, 12],
  [2, 12, 12],
  [1, 24, 20],
];

/** `true` in a mask is any number but 0. */
function inputsOf([batch, height, width]: Shape, seed: number): ModelInputs {
  const random = new Random(seed);
  const mask = Uint8Array.from({ length: height * width }, () => random.pick([0, 0, 1, 2, 255]));
  return {
    x: { data: random.floats(batch * 3 * height * width), shape: [batch, 3, height, width] },
    mask: { data: mask, shape: [height, width] },
  };
}

/** Names, shapes and hashes of the results. */
async function bitsOf(model: Model, inputs: ModelInputs): Promise<string[]> {
  const outputs = await model.run(inputs);
  return Object.entries(outputs).map(
    ([name, { data, shape }]) => `${name} ${shape} ${createHash('md5').update(data).digest('hex')}`,
  );
}

const file = network();
const settings: LoadOptions[] = [
  { backend: 'js' },
  ...variants.flatMap((variant) => [{ variant }, { variant, threads: 2 }, { variant, leader: 'worker' as const }]),
];

describe.each(settings)('%j', (options) => {
  const known = new Map<string, string[]>();

  /** What a model gives that has run nothing else. */
  async function fresh(at: number, seed: number): Promise<string[]> {
    const key = `${at} ${seed}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    using model = await load(file, options);
    const result = await bitsOf(model, inputsOf(shapes[at], seed));
    known.set(key, result);
    return result;
  }

  afterAll(() => known.clear());

  test.each(seeds(3))('shapes in any order give the same as by themselves (CONVLET_SEED=%i)', async (seed) => {
    const random = new Random(seed);
    using model = await load(file, options);
    // 3 to 6 shapes that come again and again: small, large, small.
    const chosen = Array.from({ length: random.int(3, 6) }, () => random.int(0, shapes.length - 1));
    for (let i = 0; i < 14; i++) {
      const [at, data] = [i < chosen.length ? chosen[i] : random.pick(chosen), random.int(1, 2)];
      expect(await bitsOf(model, inputsOf(shapes[at], data)), `run ${i}, shape ${shapes[at]}`).toEqual(
        await fresh(at, data),
      );
    }
  });

  test('more shapes than plans are kept, twice over', async () => {
    using model = await load(file, options);
    for (let i = 0; i < 2 * shapes.length; i++) {
      const at = (3 * i) % shapes.length;
      expect(await bitsOf(model, inputsOf(shapes[at], 1)), `run ${i}, shape ${shapes[at]}`).toEqual(await fresh(at, 1));
    }
  });
});
