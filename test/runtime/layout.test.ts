// load(…, { layout: 'channels-last' }): the same values in N, H, W, C.
import { describe, expect, test } from 'vitest';
import { BorrowedStorage } from '../../src/memory/storage.ts';
import { seededInputs } from '../../src/runtime/measure.ts';
import type { Model, ModelOutput } from '../../src/runtime/model.ts';
import { load } from '../../src/runtime/node.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

const fixture = (name: string) => new URL(`../fixtures/models/${name}.onnx`, import.meta.url);

/** Elements of a row-major [N, C, …] in the order N, …, C, by their coordinates. */
function channelsLast(data: ArrayLike<number>, shape: readonly number[]): Float32Array {
  const [n, channels] = shape;
  const inner = data.length / (n * channels);
  return Float32Array.from(data, (_, at) => {
    const [image, pixel, c] = [Math.floor(at / (inner * channels)), Math.floor(at / channels) % inner, at % channels];
    return data[(image * channels + c) * inner + pixel];
  });
}

const ordered = (shape: readonly number[]): boolean => shape.length === 4 || shape.length === 5;
const reordered = ({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }): Float32Array =>
  ordered(shape) ? channelsLast(data, shape) : Float32Array.from(data);

function expectSame(got: { [name: string]: ModelOutput }, expected: { [name: string]: ModelOutput }): void {
  expect(Object.keys(got)).toEqual(Object.keys(expected));
  for (const [name, { shape, data }] of Object.entries(got)) {
    expect(shape).toEqual(expected[name].shape);
    const wanted = reordered(expected[name]);
    for (let i = 0; i < wanted.length; i++) expect(Math.abs(data[i] - wanted[i])).toBeLessThanOrEqual(1e-6);
  }
}

/** Pictures in and out, vectors out, volumes, and one whose output depends on the data. */
const names = ['unet_bilinear_tiny', 'resnet_tiny', 'r3d_tiny', 'espcn_bicubic', 'ssd_nms_tiny', 'tcn_1d'];

describe.each([{ backend: 'js' }, { threads: 1 }, { threads: 2, leader: 'worker' }] as const)('%o', (options) => {
  test.each(names)('%s', async (name) => {
    using first: Model = await load(fixture(name), options);
    using last: Model = await load(fixture(name), { ...options, layout: 'channels-last' });
    expect([first.layout, last.layout]).toEqual(['channels-first', 'channels-last']);
    const inputs = seededInputs(first, new Map()) as { [name: string]: { data: Float32Array; shape: number[] } };
    const expected = await first.run(inputs);
    const entries = Object.entries(inputs);
    const turned = Object.fromEntries(
      entries.map(([key, { data, shape }]) => [key, { data: reordered({ data, shape }), shape }]),
    );
    // Twice: the second run takes the short way.
    for (let i = 0; i < 2; i++) expectSame(await last.run(turned), expected);
    // A tensor knows its own order.
    for (const layout of ['row', 'channelsLast'] as const) {
      const tensors = entries.map(([key, { data, shape }]) => {
        const fits = layout === 'channelsLast' && ordered(shape);
        const values = new BorrowedStorage(fits ? channelsLast(data, shape) : data);
        return [key, new Tensor('float32', shape, fits ? layout : 'row', values)];
      });
      expectSame(await last.run(Object.fromEntries(tensors)), expected);
    }
    const into = Object.fromEntries(Object.entries(expected).map(([key, { data }]) => [key, data.slice().fill(0)]));
    expectSame(await last.run(turned, { into }), expected);
    if (last.leader === 'worker') return;
    for (const array of Object.values(into)) array.fill(0);
    last.runSync(turned, into);
    for (const [key, value] of Object.entries(await last.run(turned))) expect(into[key]).toEqual(value.data);
  });
});

test('runs overlapping on a worker keep their order', async () => {
  using model = await load(fixture('unet_bilinear_tiny'), { leader: 'worker', layout: 'channels-last' });
  const inputs = seededInputs(model, new Map());
  const results = await Promise.all([model.run(inputs), model.run(inputs), model.run(inputs)]);
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test('nothing is rearranged in a plan', async () => {
  using first = await load(fixture('unet_bilinear_tiny'));
  using last = await load(fixture('unet_bilinear_tiny'), { layout: 'channels-last' });
  expect(last.plan().steps.length).toBeLessThan(first.plan().steps.length);
});

test('another value is refused', async () => {
  await expect(load(fixture('resnet_tiny'), { layout: 'nhwc' as 'channels-last' })).rejects.toMatchObject({
    code: 'argument',
    message: expect.stringMatching(/layout expects channels-first or channels-last, got nhwc/),
  });
});
