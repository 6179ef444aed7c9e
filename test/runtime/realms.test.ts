// Typed arrays of another realm, as jsdom, iframes and node:vm have them: no instances of our classes, and taken like ours.
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { isArrayOf, type TypedArray } from '../../src/common/dtype.ts';
import { decodeImage, encodePng, imageToTensor, resizeImage } from '../../src/io/images/index.ts';
import { load } from '../../src/runtime/node.ts';
import * as train from '../../src/runtime/node-train.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import * as onnx from '../io/onnx-builder.ts';
import { f, i64 } from '../io/onnx-run.ts';

const context = createContext({});
const foreign = <T = TypedArray>(kind: string, values: ArrayLike<number | bigint>): T => {
  const made = runInContext(`(values) => ${kind}.from(values)`, context)(Array.from(values));
  expect(made instanceof (globalThis as unknown as Record<string, new () => object>)[kind]).toBe(false);
  return made as T;
};

/** sums = x + n as float; largest: where x is greatest (int64). */
const file = onnx.model({
  nodes: [
    { op: 'Relu', inputs: ['x'], outputs: ['y'] },
    { op: 'ArgMax', inputs: ['x'], outputs: ['largest'], attributes: { axis: 1, keepdims: 0 } },
    { op: 'Add', inputs: ['n', 'n'], outputs: ['twice'] },
  ],
  inputs: [i64('n', 2), f('x', 2, 3)],
  outputs: [f('y', 2, 3), i64('largest', 2), i64('twice', 2)],
});
const x = [1, -5, 2, -9, 0, 3];

describe.each([
  { name: 'wasm', options: {} },
  { name: 'js', options: { backend: 'js' } },
  { name: 'two threads', options: { threads: 2 } },
] as const)('load and run, $name', ({ options }) => {
  test('the model, inputs and outputs', async () => {
    using model = await load(foreign<Uint8Array>('Uint8Array', file), options);
    const inputs = { n: foreign('Int32Array', [3, 4]), x: foreign('Float32Array', x) };
    // Again: the second run fills the slots of the first one.
    for (let i = 0; i < 2; i++) {
      const { y, largest, twice } = await model.run(inputs);
      expect([[...y.data], [...largest.data], [...twice.data]]).toEqual([
        [1, 0, 2, 0, 0, 3],
        [2, 2],
        [6, 8],
      ]);
    }
    const wide = { n: foreign('BigInt64Array', [5n, 6n]), x: { data: foreign('Float32Array', x), shape: [2, 3] } };
    const into = {
      y: foreign<Float32Array>('Float32Array', new Array(6).fill(9)),
      twice: foreign<BigInt64Array>('BigInt64Array', [0n, 0n]),
    };
    model.runSync(wide, into);
    expect([Array.from(into.y), Array.from(into.twice)]).toEqual([
      [1, 0, 2, 0, 0, 3],
      [10n, 12n],
    ]);
  });

  test('another kind is refused as ever, and so is what only has the name', async () => {
    using model = await load(file, options);
    const n = foreign('Int32Array', [3, 4]);
    for (const wrong of [foreign('Float64Array', x), { [Symbol.toStringTag]: 'Float32Array', length: 6 }])
      await expect(model.run({ n, x: { data: wrong as never, shape: [2, 3] } })).rejects.toMatchObject({
        code: 'dtype',
      });
  });
});

test('an ArrayBuffer as a model', async () => {
  using model = await load((foreign<Uint8Array>('Uint8Array', file) as Uint8Array<ArrayBuffer>).buffer);
  expect(model.inputs).toHaveLength(2);
});

test('every kind of array says which dtype it is', () => {
  const kinds = {
    Float32Array: 'float32',
    Float64Array: 'float64',
    Int32Array: 'int32',
    Int16Array: 'int16',
    Int8Array: 'int8',
    Uint32Array: 'uint32',
    Uint16Array: 'uint16',
    Uint8Array: 'uint8',
  };
  for (const [kind, dtype] of Object.entries(kinds)) expect(tensor(foreign(kind, [1, 2])).dtype).toBe(dtype);
  expect(() => tensor(foreign('Uint8ClampedArray', [1]))).toThrow(/expected a typed array/);
  expect(isArrayOf(new DataView(new ArrayBuffer(4)), Uint8Array)).toBe(false);
});

test('pictures: files and pixels', async () => {
  const bytes = readFileSync(new URL('../../examples/workerd/samples/star1.png', import.meta.url));
  const ours = await decodeImage(bytes, { channels: 3 });
  const theirs = await decodeImage(foreign('Uint8Array', bytes), { channels: 3 });
  expect(theirs).toEqual(ours);
  const picture = { ...ours, data: foreign<Uint8Array>('Uint8Array', ours.data) };
  expect(imageToTensor(picture).data).toEqual(imageToTensor(ours).data);
  expect(resizeImage(picture, 5, 7).data).toEqual(resizeImage(ours, 5, 7).data);
  expect(encodePng(picture)).toEqual(encodePng(ours));
  const rgba = { data: foreign<Uint8ClampedArray>('Uint8ClampedArray', [1, 2, 3, 255]), width: 1, height: 1 };
  expect([...(await decodeImage(rgba as never)).data]).toEqual([1, 2, 3, 255]);
});

test('training: variables, data sets, state', async () => {
  await train.init();
  const { data, loadStateDict, nn, saveStateDict, variable } = train;
  expect(
    variable(foreign('Float32Array', [1, 2, 3]))
      .sum()
      .item(),
  ).toBe(6);
  expect(variable(foreign('Int32Array', [1, 2])).dtype).toBe('int32');
  const model = new nn.Linear(2, 1);
  const state: Record<string, never> = Object.fromEntries(
    Object.entries(model.stateDict()).map(([name, { shape, data: values }]) => [
      name,
      { dtype: 'float32' as const, shape, data: foreign('Float32Array', values) } as never,
    ]),
  );
  const saved = saveStateDict(state);
  expect([...loadStateDict(foreign<Uint8Array>('Uint8Array', saved)).keys()].sort()).toEqual(['bias', 'weight']);
  model.loadStateDict(state);
  const inputs = { shape: [2, 2], data: foreign<Float32Array>('Float32Array', [1, 2, 3, 4]) };
  const set = new data.TensorDataset(inputs, foreign<Int32Array>('Int32Array', [0, 1]));
  const batches = [];
  for await (const { input, target } of new data.DataLoader(set, { batchSize: 2 }))
    batches.push([[...input.data], [...target.data]]);
  expect(batches).toEqual([
    [
      [1, 2, 3, 4],
      [0, 1],
    ],
  ]);
});
