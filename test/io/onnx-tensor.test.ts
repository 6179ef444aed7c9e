import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DType, TypedArray } from '../../src/common/dtype.ts';
import { type OnnxTensor, parseModel } from '../../src/io/onnx/model.ts';
import type { ProtoWriter } from '../../src/io/onnx/protobuf-writer.ts';
import { decodeTensor, decodeTensorProto } from '../../src/io/onnx/tensor.ts';
import { expectError, misaligned, onlyConvletErrors } from './errors.ts';
import { int64Tensor, message, model } from './onnx-builder.ts';

function proto(dataType: number, dims: readonly number[], write: (writer: ProtoWriter) => void): Uint8Array {
  return message((w) => write(w.packedInts(1, dims).int(2, dataType).string(8, 't'))).finish();
}

function bytesOf(array: { buffer: ArrayBuffer }): Uint8Array {
  return new Uint8Array(array.buffer);
}

/** The same three values in every storage that TensorProto has for the type. */
const storages: [
  name: string,
  dtype: DType,
  expected: TypedArray,
  raw: Uint8Array,
  typed: (w: ProtoWriter) => void,
  code: number,
][] = [
  [
    'FLOAT',
    'float32',
    Float32Array.of(1.5, -0, NaN),
    bytesOf(Float32Array.of(1.5, -0, NaN)),
    (w) => w.packedFloats(4, [1.5, -0, NaN]),
    1,
  ],
  ['UINT8', 'uint8', Uint8Array.of(0, 7, 255), Uint8Array.of(0, 7, 255), (w) => w.packedInts(5, [0, 7, 255]), 2],
  ['INT8', 'int8', Int8Array.of(-128, 7, 127), Uint8Array.of(128, 7, 127), (w) => w.packedInts(5, [-128, 7, 127]), 3],
  [
    'UINT16',
    'uint16',
    Uint16Array.of(0, 7, 65535),
    bytesOf(Uint16Array.of(0, 7, 65535)),
    (w) => w.packedInts(5, [0, 7, 65535]),
    4,
  ],
  [
    'INT16',
    'int16',
    Int16Array.of(-32768, 7, 9),
    bytesOf(Int16Array.of(-32768, 7, 9)),
    (w) => w.packedInts(5, [-32768, 7, 9]),
    5,
  ],
  [
    'INT32',
    'int32',
    Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1),
    bytesOf(Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)),
    (w) => w.packedInts(5, [-(2 ** 31), 0, 2 ** 31 - 1]),
    6,
  ],
  [
    'INT64',
    'int64',
    Int32Array.of(-(2 ** 31), -1, 2 ** 31 - 1),
    bytesOf(BigInt64Array.of(-(2n ** 31n), -1n, 2n ** 31n - 1n)),
    (w) => w.packedInts(7, [-(2 ** 31), -1, 2 ** 31 - 1]),
    7,
  ],
  ['BOOL', 'bool', Uint8Array.of(1, 0, 1), Uint8Array.of(1, 0, 255), (w) => w.packedInts(5, [1, 0, 1]), 9],
  [
    'FLOAT16',
    'float16',
    Float32Array.of(1, -2, 65504),
    Uint8Array.of(0, 0x3c, 0, 0xc0, 0xff, 0x7b),
    (w) => w.packedInts(5, [0x3c00, 0xc000, 0x7bff]),
    10,
  ],
  [
    'DOUBLE',
    'float64',
    Float64Array.of(0.1, 1e300, -0),
    bytesOf(Float64Array.of(0.1, 1e300, -0)),
    (w) => w.packedDoubles(10, [0.1, 1e300, -0]),
    11,
  ],
  [
    'UINT32',
    'uint32',
    Uint32Array.of(0, 7, 2 ** 32 - 1),
    bytesOf(Uint32Array.of(0, 7, 2 ** 32 - 1)),
    (w) => w.packedInts(11, [0, 7, 2 ** 32 - 1]),
    12,
  ],
  [
    'UINT64',
    'uint64',
    Uint32Array.of(0, 7, 2 ** 32 - 1),
    bytesOf(BigUint64Array.of(0n, 7n, 2n ** 32n - 1n)),
    (w) => w.packedInts(11, [0, 7, 2 ** 32 - 1]),
    13,
  ],
  [
    'BFLOAT16',
    'bfloat16',
    Float32Array.of(1, -2, 2 ** -126),
    Uint8Array.of(0x80, 0x3f, 0, 0xc0, 0x80, 0),
    (w) => w.packedInts(5, [0x3f80, 0xc000, 0x0080]),
    16,
  ],
];

describe.each(storages)('%s', (_name, dtype, data, raw, typed, code) => {
  test('raw_data, aligned and not', () => {
    const file = proto(code, [3, 1], (w) => w.bytes(9, raw));
    const expected = { name: 't', dtype, shape: [3, 1], data };
    expect(decodeTensorProto(file)).toEqual(expected);
    expect(decodeTensorProto(misaligned(file))).toEqual(expected);
  });

  test('typed field, packed, in two packets and one by one', () => {
    const expected = { name: 't', dtype, shape: [3], data };
    const file = proto(code, [3], typed);
    expect(decodeTensorProto(file)).toEqual(expected);
    expect(decodeTensorProto(misaligned(file))).toEqual(expected);
    const twice = proto(code, [6], (w) => {
      typed(w);
      typed(w);
    });
    expect([...decodeTensorProto(twice).data]).toEqual([...data, ...data]);
    const single = proto(code, [2], (w) => {
      if (dtype === 'float32') w.float(4, 1.5).float(4, 2);
      else if (dtype === 'float64') w.double(10, 1.5).double(10, 2);
      else
        w.int({ int64: 7, uint32: 11, uint64: 11 }[dtype as string] ?? 5, 1).int(
          { int64: 7, uint32: 11, uint64: 11 }[dtype as string] ?? 5,
          0,
        );
    });
    expect(decodeTensorProto(single).data).toHaveLength(2);
    expect(decodeTensorProto(single).data[1]).toBe(dtype.startsWith('float') && dtype !== 'float16' ? 2 : 0);
  });

  test('no elements, with and without a field', () => {
    for (const write of [() => {}, (w: ProtoWriter) => w.bytes(9, new Uint8Array(0))]) {
      const got = decodeTensorProto(proto(code, [0, 4], write));
      expect(got).toEqual({ name: 't', dtype, shape: [0, 4], data: data.slice(0, 0) });
    }
  });

  test('counts that do not match the shape are malformed', () => {
    const size = raw.length / 3;
    const rawText = new RegExp(
      `tensor 't' of shape \\[4\\] and type \\w+ expects ${4 * size} bytes of raw_data, got ${3 * size}$`,
    );
    expectError(() => decodeTensorProto(proto(code, [4], (w) => w.bytes(9, raw))), 'malformed', rawText);
    expectError(
      () => decodeTensorProto(proto(code, [3], (w) => w.bytes(9, raw.slice(1)))),
      'malformed',
      /raw_data, got/,
    );
    const typedText = /tensor 't' of shape \[2\] and type \w+ expects 2 values in \w+_data, got 3$/;
    expectError(() => decodeTensorProto(proto(code, [2], typed)), 'malformed', typedText);
    expectError(() => decodeTensorProto(proto(code, [2 ** 40], typed)), 'malformed', /expects 1099511627776 values/);
    expectError(() => decodeTensorProto(proto(code, [2 ** 40], (w) => w.bytes(9, raw))), 'malformed', /got \d+$/);
    expectError(
      () => decodeTensorProto(proto(code, [1], () => {})),
      'malformed',
      /expects 1 values in \w+_data, got 0/,
    );
  });
});

test('scalars have an empty shape', () => {
  expect(decodeTensorProto(proto(1, [], (w) => w.packedFloats(4, [2])))).toMatchObject({
    shape: [],
    data: Float32Array.of(2),
  });
});

test('aligned float data is a view of the file', () => {
  const views = [0, 1, 2, 3].map((shift) => {
    const file = proto(1, [100], (w) => w.bytes(9, new Uint8Array(400)));
    const buffer = new Uint8Array(file.length + shift);
    buffer.set(file, shift);
    return decodeTensorProto(buffer.subarray(shift)).data.buffer === buffer.buffer;
  });
  expect(views.filter(Boolean)).toHaveLength(1);
});

describe('64-bit integers', () => {
  const read = (value: bigint, code: 7 | 13, raw: boolean) => {
    const array = code === 7 ? BigInt64Array.of(value) : BigUint64Array.of(value);
    const file = proto(code, [1], (w) =>
      raw ? w.bytes(9, bytesOf(array)) : w.packedInts(code === 7 ? 7 : 11, [value]),
    );
    return decodeTensorProto(file).data[0];
  };

  test.each([true, false])('from 2^62 on they saturate (raw: %s)', (raw) => {
    for (const value of [2n ** 62n, 2n ** 63n - 1n, 2n ** 63n - 2n]) expect(read(value, 7, raw)).toBe(2 ** 31 - 1);
    for (const value of [-(2n ** 62n), -(2n ** 63n), 1n - 2n ** 63n]) expect(read(value, 7, raw)).toBe(-(2 ** 31));
    for (const value of [2n ** 62n, 2n ** 63n, 2n ** 64n - 1n]) expect(read(value, 13, raw)).toBe(2 ** 32 - 1);
  });

  test.each([true, false])('others that do not fit are unsupported, with value and name (raw: %s)', (raw) => {
    for (const value of [2n ** 31n, 2n ** 62n - 1n, -(2n ** 31n) - 1n, 1n - 2n ** 62n]) {
      expectError(
        () => read(value, 7, raw),
        'unsupported',
        new RegExp(`int64 value ${value} of tensor 't' does not fit 32 bits`),
      );
    }
    for (const value of [2n ** 32n, 2n ** 62n - 1n]) {
      expectError(
        () => read(value, 13, raw),
        'unsupported',
        new RegExp(`uint64 value ${value} of tensor 't' does not fit`),
      );
    }
  });

  test.each([true, false])('property: exact within 32 bits, else saturated or refused (raw: %s)', (raw) => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
          fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }),
        ),
        (value) => {
          let got: number | null = null;
          onlyConvletErrors(() => (got = read(value, 7, raw)));
          if (value >= -(2n ** 31n) && value < 2n ** 31n) expect(got).toBe(Number(value));
          else if (value >= 2n ** 62n || value <= -(2n ** 62n)) expect(got).toBe(value > 0 ? 2 ** 31 - 1 : -(2 ** 31));
          else expect(got).toBe(null);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('an initializer is named as such', () => {
    const file = model({ initializers: [int64Tensor('big', [1], [2 ** 40])] });
    const tensor = parseModel(file).graph.initializers.get('big') as OnnxTensor;
    expectError(
      () => decodeTensor(tensor),
      'unsupported',
      /^onnx: int64 value 1099511627776 of initializer 'big' does not fit 32 bits$/,
    );
  });
});

describe('what is not read', () => {
  test.each([
    [8, 'STRING'],
    [14, 'COMPLEX64'],
    [17, 'FLOAT8E4M3FN'],
    [20, 'FLOAT8E5M2FNUZ'],
    [21, 'UINT4'],
    [22, 'INT4'],
  ])('data type %i is unsupported and named', (code, name) => {
    const text = new RegExp(`tensor 't' has element type ${name}, which is not supported`);
    expectError(() => decodeTensorProto(proto(code, [1], (w) => w.bytes(6, Uint8Array.of(65)))), 'unsupported', text);
  });

  test('segments are unsupported', () => {
    const file = proto(1, [1], (w) =>
      w
        .message(
          3,
          message((s) => s.int(1, 0).int(2, 1)),
        )
        .packedFloats(4, [1]),
    );
    expectError(() => decodeTensorProto(file), 'unsupported', /segments/);
  });

  test.each([
    ['an undefined data type', 0, () => {}, /has data type 0, which ONNX does not define/],
    ['another undefined data type', 99, () => {}, /data type 99/],
    [
      'values in the wrong field',
      1,
      (w: ProtoWriter) => w.packedInts(5, [1]),
      /type FLOAT expects its values in raw_data or float_data, got int32_data/,
    ],
    [
      'values in two fields',
      1,
      (w: ProtoWriter) => w.packedFloats(4, [1]).bytes(9, new Uint8Array(4)),
      /values both in float_data and in raw_data/,
    ],
    ['a value outside int8', 3, (w: ProtoWriter) => w.packedInts(5, [128]), /value 128 of tensor 't' is outside INT8/],
    [
      'a value outside uint32',
      12,
      (w: ProtoWriter) => w.packedInts(11, [2 ** 32]),
      /value 4294967296 of tensor 't' is outside UINT32/,
    ],
    [
      'a half float of 17 bits',
      10,
      (w: ProtoWriter) => w.packedInts(5, [65536]),
      /value 65536 of tensor 't' is outside FLOAT16/,
    ],
    [
      'packed floats of 5 bytes',
      1,
      (w: ProtoWriter) => w.bytes(4, new Uint8Array(5)),
      /expects 1 values in float_data, got 1.25/,
    ],
  ])('%s is malformed', (_name, code, write, text) => {
    expectError(() => decodeTensorProto(proto(code, [1], write)), 'malformed', text);
  });
});

test('any tensor cut or changed anywhere: a ConvletError or a tensor', () => {
  for (const [, , , raw, typed, code] of storages) {
    for (const whole of [proto(code, [3], typed), proto(code, [3], (w) => w.bytes(9, raw))]) {
      let failed = 0;
      for (let at = 0; at < whole.length; at++) {
        onlyConvletErrors(() => decodeTensorProto(whole.slice(0, at)));
        for (const value of [0, 1, 0x7f, 0x80, 0xff, whole[at] ^ 1]) {
          const bytes = whole.slice();
          bytes[at] = value;
          if (!onlyConvletErrors(() => decodeTensorProto(bytes))) failed++;
        }
      }
      expect(failed).toBeGreaterThan(10);
    }
  }
});
