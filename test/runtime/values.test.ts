// What run takes and gives: arrays without a shape, 64-bit integers, and what a model says of itself.
import { describe, expect, test } from 'vitest';
import { supports } from '../../src/abi/modules.ts';
import { ConvletError } from '../../src/common/error.ts';
import { createLoad } from '../../src/runtime/load.ts';
import { load } from '../../src/runtime/node.ts';
import { nodePlatform } from '../../src/runtime/node-platform.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import * as onnx from '../io/onnx-builder.ts';
import { f, i64 } from '../io/onnx-run.ts';

const engines = [
  { name: 'js', options: { backend: 'js' } },
  { name: 'wasm', options: {} },
  { name: 'two threads', options: { threads: 2 } },
  { name: 'workers', options: { threads: 2, leader: 'worker' } },
] as const;

/** twice = 2·n; picked = rows of `table`; largest: where each row of x is greatest (int64). */
const file = onnx.model({
  initializers: [onnx.int64Tensor('two', [], [2]), onnx.floatTensor('table', [3, 1], [10, 20, 30])],
  nodes: [
    { op: 'Mul', inputs: ['n', 'two'], outputs: ['twice'] },
    { op: 'Gather', inputs: ['table', 'n'], outputs: ['picked'] },
    { op: 'ArgMax', inputs: ['x'], outputs: ['largest'], attributes: { axis: 1, keepdims: 0 } },
  ],
  inputs: [i64('n', 2), f('x', 2, 3)],
  outputs: [i64('twice', 2), f('picked', 2, 1), i64('largest', 2)],
});
const x = new Float32Array([1, 5, 2, 9, 0, 3]);

const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => null,
    (error: ConvletError) => {
      expect(error).toBeInstanceOf(ConvletError);
      return `${error.code}: ${error.message}`;
    },
  );

describe.each(engines)('$name', ({ options }) => {
  test('values without a shape, where the model fixes it; again and again', async () => {
    using model = await load(file, options);
    for (let i = 0; i < 3; i++) {
      for (const n of [new Int32Array([2, 0]), [2, 0], new BigInt64Array([2n, 0n])]) {
        const { twice, picked, largest } = await model.run({ n, x });
        expect([[...twice.data], [...picked.data], [...largest.data]]).toEqual([
          [4, 0],
          [30, 10],
          [1, 0],
        ]);
        expect(twice.data).toBeInstanceOf(Int32Array);
      }
    }
    expect(await codeOf(model.run({ n: [1, 2, 3], x }))).toMatch(/^shape: .*'n' has 3 values, shape \[2\] needs 2/);
    expect(await codeOf(model.run({ n: new Float32Array(2) as never, x }))).toMatch(
      /^dtype: .*'n' expects a Int32Array/,
    );
  });

  test('64-bit integers in and out', async () => {
    using model = await load(file, { ...options, int64: 'bigint' });
    expect(model.int64).toBe('bigint');
    const n = new BigInt64Array([1n, 2n]);
    for (let i = 0; i < 2; i++) {
      const { twice, picked, largest } = await model.run({ n: { data: n, shape: [2] }, x });
      expect(twice).toEqual({ dtype: 'int64', shape: [2], data: new BigInt64Array([2n, 4n]) });
      expect(largest.data).toEqual(new BigInt64Array([1n, 0n]));
      expect(picked.data).toEqual(new Float32Array([20, 30]));
    }
  });

  test('results into arrays of 64-bit integers, whatever the model gives by itself', async () => {
    using model = await load(file, options);
    const into = { twice: new BigInt64Array(2), picked: new Float32Array(2) };
    await model.run({ n: [1, 2], x }, { into });
    expect(into.twice).toEqual(new BigInt64Array([2n, 4n]));
    if (model.leader === 'main') {
      model.runSync({ n: [0, 1], x }, into);
      expect([...into.twice]).toEqual([0n, 2n]);
    }
    const wrong = { picked: new BigInt64Array(2) };
    expect(await codeOf(model.run({ n: [1, 2], x }, { into: wrong }))).toMatch(/^dtype: .*expects a Float32Array/);
  });

  test('an integer that 32 bits do not hold is an error, and the next run works', async () => {
    using model = await load(file, options);
    for (const value of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 62n, 2n ** 53n + 1n]) {
      const said = await codeOf(model.run({ n: new BigInt64Array([0n, value]), x }));
      expect(said).toMatch(/^argument: run: input 'n': element 1 expects an int64 of 32 bits/);
    }
    expect([...(await model.run({ n: new BigInt64Array([0n, 1n]), x })).twice.data]).toEqual([0, 2]);
  });
});

test('an input of a free shape needs one, and the message shows how it is given', async () => {
  const free = onnx.model({
    nodes: [{ op: 'Relu', inputs: ['image'], outputs: ['y'] }],
    inputs: [f('image', 'N', 3)],
    outputs: [f('y', 'N', 3)],
  });
  using model = await load(free, { backend: 'js' });
  expect(await codeOf(model.run({ image: new Float32Array(6) }))).toBe(
    "shape: run: input 'image' needs a shape that fits float32 [?,3]: { image: { data, shape: [1,3] } }",
  );
  const { y } = await model.run({ image: { data: new Float32Array(6), shape: [2, 3] } });
  expect(y.shape).toEqual([2, 3]);
});

test('a shape that was given once is not taken for the next values', async () => {
  const free = onnx.model({
    nodes: [{ op: 'Relu', inputs: ['image'], outputs: ['y'] }],
    inputs: [f('image', 'N', 3)],
    outputs: [f('y', 'N', 3)],
  });
  for (const { options } of engines) {
    using model = await load(free, options);
    const image = new Float32Array(6).fill(2);
    await model.run({ image: { data: image, shape: [2, 3] } });
    for (const given of [image, { data: image }])
      expect(await codeOf(model.run({ image: given }))).toMatch(/^shape: run: input 'image' needs a shape/);
    expect((await model.run({ image: { data: image, shape: [2, 3] } })).y.shape).toEqual([2, 3]);
  }
});

test('tensors of another type or shape are refused, first and later', async () => {
  for (const { options } of engines) {
    using model = await load(file, options);
    const n = tensor(Int32Array.of(1, 2), [2], 'int64');
    for (let i = 0; i < 2; i++) {
      expect(await codeOf(model.run({ n: tensor(Int32Array.of(1, 2)), x }))).toMatch(
        /^dtype: run: input 'n' expects int64, got int32/,
      );
      expect(await codeOf(model.run({ n, x: tensor(x, [3, 2]) }))).toMatch(/^shape: .*\[2,3\], got \[3,2\]/);
      expect([...(await model.run({ n, x: tensor(x, [2, 3]) })).twice.data]).toEqual([2, 4]);
    }
  }
});

test('branches that the data decides on run off the main thread as on it', async () => {
  const graph = (nodes: onnx.NodeSpec[], output: string) => ({ graph: { nodes, outputs: [f(output, 2, 3)] } });
  const branches = onnx.model({
    initializers: [onnx.floatTensor('zero', [], [0])],
    nodes: [
      { op: 'ReduceSum', inputs: ['x'], outputs: ['s'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['s', 'zero'], outputs: ['c'] },
      {
        op: 'If',
        inputs: ['c'],
        outputs: ['y'],
        attributes: {
          then_branch: graph([{ op: 'Sqrt', inputs: ['x'], outputs: ['a'] }], 'a'),
          else_branch: graph([{ op: 'Neg', inputs: ['x'], outputs: ['b'] }], 'b'),
        },
      },
    ],
    inputs: [f('x', 2, 3)],
    outputs: [f('y', 2, 3)],
  });
  for (const { options } of engines) {
    using model = await load(branches, options);
    for (const values of [
      [1, 4, 9, 16, 25, 36],
      [-1, -2, -3, -4, -5, -6],
      [4, 4, 4, 4, 4, 4],
    ]) {
      const { y } = await model.run({ x: new Float32Array(values) });
      expect([...y.data]).toEqual(values.map((v) => (values[0] > 0 ? Math.sqrt(v) : -v)));
    }
  }
});

test('what beginners give is answered with the right form', async () => {
  using model = await load(file, { backend: 'js' });
  const picture = { data: new Uint8Array(6), width: 2, height: 1, channels: 3, shape: [2, 3] };
  expect(await codeOf(model.run(x as never))).toMatch(
    /^argument: run: expects an object of inputs by name, run\(\{ n: …, x: … \}\), got Float32Array/,
  );
  expect(await codeOf(model.run(tensor(x) as never))).toMatch(/^argument: .*got Tensor/);
  expect(await codeOf(model.run({ n: [1, 2], x: 'picture.png' as never }))).toMatch(
    /^dtype: run: input 'x' expects values \(float32 \[2,3\]\), got a string/,
  );
  expect(await codeOf(model.run({ n: [1, 2], x: picture as never }))).toMatch(
    /^dtype: .*got Uint8Array: it is a picture; give what imageToTensor/,
  );
  const pixels = { data: new Uint8ClampedArray(6), width: 2, height: 1, shape: [2, 3] };
  expect(await codeOf(model.run({ n: [1, 2], x: pixels as never }))).toMatch(/got Uint8ClampedArray: it is a picture/);
  const plain = { data: new Uint8Array(6), shape: [2, 3], width: 2 };
  expect(await codeOf(model.run({ n: [1, 2], x: plain as never }))).toMatch(/got Uint8Array$/);
  expect((await model.run({ n: [1, 2], x })).twice.shape).toEqual([2]);
});

test('the plan of a model has no optional input that no shape is given for', async () => {
  const optional = onnx.model({
    initializers: [onnx.floatTensor('w', [3], [1, 2, 3])],
    nodes: [{ op: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [f('x', 2, 3), f('w', 3)],
    outputs: [f('y', 2, 3)],
  });
  using model = await load(optional, { backend: 'js' });
  expect([...model.plan().inputs.keys()]).toEqual(['x']);
  expect([...model.plan({ w: [3] }).inputs.keys()]).toEqual(['x', 'w']);
  expect([...(await model.run({ x, w: [0, 0, 1] })).y.data]).toEqual([0, 0, 2, 0, 0, 3]);
});

test.skipIf(supports('relaxed'))('a kernel build that the runtime cannot run', async () => {
  expect(await codeOf(load(file, { variant: 'relaxed' }))).toBe(
    "environment: load: this runtime cannot run variant 'relaxed'",
  );
});

test('a kernel build that an entry comes without', async () => {
  const bare = createLoad({ ...nodePlatform, variants: () => [] });
  expect(await codeOf(bare(file, { variant: 'simd' }))).toMatch(
    /^environment: load: this entry comes without variant 'simd': import convlet\/kernels\/simd.wasm/,
  );
  expect(await codeOf(bare(file))).toMatch(/^environment: .*use \{ backend: 'js' \}/);
  using model = await bare(file, { backend: 'js' });
  expect(model.backend).toBe('js');
});

test('pixels of a canvas are values of a uint8 input', async () => {
  const bytes = onnx.model({
    nodes: [{ op: 'Cast', inputs: ['pixels'], outputs: ['y'], attributes: { to: 1 } }],
    inputs: [onnx.valueInfo('pixels', 'uint8', [4])],
    outputs: [f('y', 4)],
  });
  using model = await load(bytes, { backend: 'js' });
  const { y } = await model.run({ pixels: new Uint8ClampedArray([0, 1, 254, 255]) });
  expect([...y.data]).toEqual([0, 1, 254, 255]);
});

describe('metadata', () => {
  const entry = (key: string, value: string) => onnx.message((w) => w.string(1, key).string(2, value));
  const more = onnx.message((w) => {
    w.string(3, '2.6').string(4, 'org.example').int(5, 3).string(6, 'Finds cats.');
    w.message(14, entry('classes', 'cat,dog')).message(14, entry('__proto__', 'kept'));
  });
  const plain = onnx.model({
    nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
    inputs: [f('x', 'batch', 3, 'height', 'width')],
    outputs: [f('y', 'batch', 3, 'height', 'width')],
  });

  test('is what the file says', async () => {
    // Fields of a message may stand in any order, so more of them may be put behind.
    using model = await load(new Uint8Array([...plain, ...more.finish()]), { backend: 'js' });
    const { properties, ...rest } = model.metadata;
    expect(Object.entries(properties)).toEqual([
      ['classes', 'cat,dog'],
      ['__proto__', 'kept'],
    ]);
    expect(rest).toEqual({
      irVersion: 8,
      opset: 17,
      opsets: { 'ai.onnx': 17 },
      producer: 'convlet-test 2.6',
      domain: 'org.example',
      version: 3,
      graph: 'test',
      doc: 'Finds cats.',
      shapes: { x: ['batch', 3, 'height', 'width'], y: ['batch', 3, 'height', 'width'] },
    });
  });

  test('of a file that says nothing', async () => {
    using model = await load(plain, { backend: 'js' });
    expect(model.metadata).toMatchObject({ producer: 'convlet-test', doc: '', domain: '', version: 0, properties: {} });
  });

  test('text that is no UTF-8 does not keep a model from loading', async () => {
    const broken = onnx.message((w) => w.bytes(6, new Uint8Array([0x61, 0xff])));
    using model = await load(new Uint8Array([...plain, ...broken.finish()]), { backend: 'js' });
    expect(model.metadata.doc).toBe('a\ufffd');
  });
});
