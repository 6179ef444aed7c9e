// Wrong inputs of a good model: an error of the right kind, and the model gives the same answer afterwards.
import { describe, expect, test } from 'vitest';
import type { ConvletErrorCode } from '../../src/common/error.ts';
import { type LoadOptions, load, type Model, tensor } from '../../src/runtime/node.ts';
import * as onnx from '../io/onnx-builder.ts';
import { weights } from './bad-models.ts';
import { failureOf } from './failure.ts';

const { valueInfo } = onnx;

/** y = relu(conv(x)) with rows picked by i at run time, z = x where keep: a float, an integer and a truth value. */
const bytes = onnx.model({
  nodes: [
    { op: 'Conv', name: 'conv', inputs: ['x', 'w'], outputs: ['c'], attributes: { pads: [1, 1, 1, 1] } },
    { op: 'Relu', name: 'relu', inputs: ['c'], outputs: ['r'] },
    { op: 'Gather', name: 'pick', inputs: ['r', 'i'], outputs: ['y'], attributes: { axis: 2 } },
    { op: 'Where', name: 'where', inputs: ['keep', 'x', 'zero'], outputs: ['z'] },
  ],
  initializers: [weights('w', 8, 4, 3, 3), onnx.floatTensor('zero', [1], [0])],
  inputs: [
    valueInfo('x', 'float32', [1, 4, 'h', 'w']),
    valueInfo('i', 'int64', [2]),
    valueInfo('keep', 'bool', [1, 1, 1, 1]),
  ],
  outputs: [valueInfo('y', 'float32', [1, 8, 2, null]), valueInfo('z', 'float32', [1, 4, null, null])],
});

const picture = Float32Array.from({ length: 4 * 6 * 5 }, (_, i) => Math.sin(i));
const right = {
  x: { data: picture, shape: [1, 4, 6, 5] },
  i: { data: Int32Array.of(5, -6), shape: [2] },
  keep: { data: Uint8Array.of(1), shape: [1, 1, 1, 1] },
};

const engines: readonly (LoadOptions & { name: string })[] = [
  { name: 'js', backend: 'js' },
  { name: 'wasm', backend: 'wasm' },
  { name: 'wasm, 2 threads', backend: 'wasm', threads: 2 },
];

const detached = new Float32Array(120);
structuredClone(detached.buffer, { transfer: [detached.buffer] });
const laterDetached = tensor(new Float32Array(120), [1, 4, 6, 5]);
structuredClone(laterDetached.array.buffer, { transfer: [laterDetached.array.buffer as ArrayBuffer] });

type Row = readonly [name: string, change: object, code: ConvletErrorCode, message: RegExp];

const wrong: readonly Row[] = [
  ['missing', { x: undefined }, 'missing-input', /input 'x' \(float32 \[1,4,\?,\?\]\) is missing/],
  ['null', { x: null }, 'missing-input', /input 'x'/],
  ['one too many', { other: right.x }, 'unknown-name', /no input 'other'; its inputs are x, i, keep/],
  [
    'something else',
    { x: { data: 'values', shape: [1, 4, 6, 5] } },
    'dtype',
    /input 'x' expects a Float32Array .*got string/,
  ],
  [
    'another dtype',
    { x: { data: new Float64Array(120), shape: [1, 4, 6, 5] } },
    'dtype',
    /Float32Array .*got Float64Array/,
  ],
  [
    'a tensor of another dtype',
    { x: tensor(new Int32Array(120), [1, 4, 6, 5]) },
    'dtype',
    /expects float32, got int32/,
  ],
  [
    '64-bit integers that 32 bits do not hold',
    { i: { data: BigInt64Array.of(1n, 2n ** 40n), shape: [2] } },
    'argument',
    /input 'i': element 1 expects an int64 of 32 bits.* got 1099511627776/,
  ],
  [
    '64-bit integers without a sign',
    { i: { data: BigUint64Array.of(1n, 2n), shape: [2] } },
    'dtype',
    /Int32Array .*got BigUint64Array/,
  ],
  [
    'big integers',
    { i: { data: [1n, 2n], shape: [2] } },
    'dtype',
    /input 'i': element 0 expects a number .*got bigint/,
  ],
  ['texts', { x: { data: new Array(120).fill('1'), shape: [1, 4, 6, 5] } }, 'dtype', /element 0 .*got string/],
  ['a fraction', { i: { data: [0, 1.5], shape: [2] } }, 'argument', /element 1 expects a value of int64, got 1.5/],
  ['beyond 32 bits', { i: { data: [2 ** 40, 0], shape: [2] } }, 'argument', /element 0 .*got 1099511627776/],
  [
    'another shape',
    { x: { data: new Float32Array(90), shape: [1, 3, 6, 5] } },
    'shape',
    /expects shape \[1,4,\?,\?\], got \[1,3,6,5\]/,
  ],
  ['another rank', { x: { data: picture, shape: [4, 6, 5] } }, 'shape', /got \[4,6,5\]/],
  [
    'another length',
    { x: { data: picture.subarray(1), shape: [1, 4, 6, 5] } },
    'shape',
    /has 119 values, shape \[1,4,6,5\] needs 120/,
  ],
  ['no shape', { x: { data: picture } }, 'shape', /needs a shape/],
  ['NaN in the shape', { x: { data: picture, shape: [1, 4, Number.NaN, 5] } }, 'shape', /got \[1,4,NaN,5\]/],
  ['a negative size', { x: { data: picture, shape: [1, 4, -6, -5] } }, 'shape', /got \[1,4,-6,-5\]/],
  ['a size that cannot be counted', { x: { data: picture, shape: [1, 4, 1e300, 5] } }, 'shape', /shape/],
  ['a shape that is no array', { x: { data: picture, shape: '1x4x6x5' } }, 'shape', /got 1x4x6x5/],
  ['nothing to convolve', { x: { data: new Float32Array(0), shape: [1, 4, 0, 5] } }, 'shape', /node 'conv' \(Conv\)/],
  ['a detached buffer', { x: { data: detached, shape: [1, 4, 6, 5] } }, 'shape', /has 0 values/],
  ['a tensor whose buffer went away', { x: laterDetached }, 'disposed', /expects 480 bytes, got 0/],
  [
    'an index too large',
    { i: { data: Int32Array.of(0, 6), shape: [2] } },
    'index-range',
    /^node 'pick' \(gather\): .*index 6 at position 1/,
  ],
  [
    'an index too small',
    { i: { data: Int32Array.of(-7, 0), shape: [2] } },
    'index-range',
    /^node 'pick' \(gather\): .*index -7/,
  ],
  ['the least integer', { i: { data: Int32Array.of(0, -(2 ** 31)), shape: [2] } }, 'index-range', /-2147483648/],
];

describe.each(engines)('$name', ({ name: _, ...options }) => {
  const use = async (act: (model: Model) => Promise<void>): Promise<void> => {
    using model = await load(bytes, options);
    await act(model);
  };

  test('every wrong input, and the right one after each', async () => {
    await use(async (model) => {
      const before = await model.run(right);
      for (const [name, change, code, message] of wrong) {
        const error = await failureOf(() => model.run({ ...right, ...change } as typeof right));
        expect(error.message, name).toMatch(message);
        expect(error.code, name).toBe(code);
        expect(await model.run(right), `after: ${name}`).toEqual(before);
      }
      for (const inputs of [null, undefined, 7, 'x']) {
        const error = await failureOf(() => model.run(inputs as unknown as typeof right));
        expect(error.code).toBe('argument');
      }
      expect(await model.run(right)).toEqual(before);
    });
  });

  test('runs at once, shared memory, and outputs given back as inputs', async () => {
    await use(async (model) => {
      const other = { ...right, x: { data: picture.slice(0, 4 * 3 * 7), shape: [1, 4, 3, 7] } };
      const small = { ...other, i: { data: Int32Array.of(2, 0), shape: [2] } };
      const [a, b] = [await model.run(right), await model.run(small)];
      expect(a.y.data).not.toEqual(b.y.data);
      expect(await Promise.all([model.run(right), model.run(small), model.run(right)])).toEqual([a, b, a]);
      const kept = a.z.data.slice();
      expect(await model.run({ ...right, x: { data: a.z.data, shape: a.z.shape } })).toEqual(a);
      expect(a.z.data).toEqual(kept);
      const shared = new Float32Array(new SharedArrayBuffer(picture.byteLength));
      shared.set(picture);
      expect(await model.run({ ...right, x: { data: shared, shape: [1, 4, 6, 5] } })).toEqual(a);
      // Any number but 0 is true.
      expect(await model.run({ ...right, keep: { data: Uint8Array.of(255), shape: [1, 1, 1, 1] } })).toEqual(a);
      expect(await model.run({ ...right, keep: { data: [1], shape: [1, 1, 1, 1] } })).toEqual(a);
    });
  });

  test('dispose: during a run, twice, and runs after it', async () => {
    const model = await load(bytes, options);
    const expected = await model.run(right);
    const running = model.run(right);
    model.dispose();
    model.dispose();
    expect(await running).toEqual(expected);
    for (const act of [() => model.run(right), () => model.memory(), () => model.plan()]) {
      expect((await failureOf(act)).code).toBe('disposed');
    }
  });
});

test('names that every object inherits are names like others', async () => {
  using model = await load(
    onnx.model({
      nodes: [{ op: 'Add', inputs: ['constructor', 'toString'], outputs: ['__proto__'] }],
      inputs: [valueInfo('constructor', 'float32', [1]), valueInfo('toString', 'float32', [1])],
      outputs: [valueInfo('__proto__', 'float32', [1])],
    }),
    { backend: 'js' },
  );
  expect((await failureOf(() => model.run({}))).message).toMatch(/input 'constructor' .* is missing/);
  const outputs = await model.run({ constructor: { data: [1] }, toString: { data: [2] } } as never);
  expect(Object.entries(outputs).map(([name, { data }]) => [name, [...data]])).toEqual([['__proto__', [3]]]);
});
