import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dtypes } from '../../src/common/dtype.ts';
import { readNpy, writeNpy } from '../../src/io/npy.ts';
import { expectError, misaligned, onlyConvletErrors } from './errors.ts';
import { anyTensor } from './tensors.ts';

/** A .npy file of format version `major` with the dict `dict`. */
function npy(dict: string, data: ArrayLike<number>, major = 1): Uint8Array {
  const header = new TextEncoder().encode(dict);
  const start = major === 1 ? 10 : 12;
  const out = new Uint8Array(start + header.length + data.length);
  out.set([0x93, ...new TextEncoder().encode('NUMPY'), major, 0]);
  const view = new DataView(out.buffer);
  if (major === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  out.set(header, start);
  out.set(data, start + header.length);
  return out;
}

function dict(descr: string, shape: string, fortran = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;
}

describe('reading', () => {
  const values: [descr: string, bytes: number[], dtype: keyof typeof dtypes, values: number[]][] = [
    ['<f4', [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], 'float32', [1, -2]],
    ['>f4', [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], 'float32', [1, -2]],
    ['=f4', [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], 'float32', [1, -2]],
    ['<f8', [...Array(6).fill(0), 0xf0, 0x3f, ...Array(7).fill(0), 0xc0], 'float64', [1, -2]],
    ['>f8', [0x3f, 0xf0, ...Array(6).fill(0), 0xc0, ...Array(7).fill(0)], 'float64', [1, -2]],
    ['<f2', [0, 0x3c, 0xff, 0x7b], 'float16', [1, 65504]],
    ['>f2', [0x3c, 0, 0x7b, 0xff], 'float16', [1, 65504]],
    ['<i8', [2, 0, 0, 0, 0, 0, 0, 0, ...Array(8).fill(255)], 'int64', [2, -1]],
    ['>i8', [0, 0, 0, 0, 0, 0, 0, 2, ...Array(8).fill(255)], 'int64', [2, -1]],
    ['<i4', [2, 1, 0, 0, 255, 255, 255, 255], 'int32', [258, -1]],
    ['>i4', [0, 0, 1, 2, 255, 255, 255, 255], 'int32', [258, -1]],
    ['<i2', [2, 1, 255, 255], 'int16', [258, -1]],
    ['>i2', [1, 2, 255, 255], 'int16', [258, -1]],
    ['|i1', [2, 255], 'int8', [2, -1]],
    ['|u1', [2, 255], 'uint8', [2, 255]],
    ['<u2', [2, 1, 255, 255], 'uint16', [258, 65535]],
    ['<u4', [2, 1, 0, 0, 255, 255, 255, 255], 'uint32', [258, 2 ** 32 - 1]],
    ['<u8', [2, 1, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0], 'uint64', [258, 2 ** 32 - 1]],
    ['|b1', [1, 0], 'bool', [1, 0]],
  ];
  test.each(values)('%s', (descr, bytes, dtype, expected) => {
    for (const major of [1, 2, 3]) {
      const file = npy(dict(descr, '(2,)'), bytes, major);
      const result = { dtype, shape: [2], data: new dtypes[dtype].array(expected) };
      expect(readNpy(file)).toEqual(result);
      expect(readNpy(misaligned(file))).toEqual(result);
      expect(readNpy(Buffer.from(file))).toEqual(result);
    }
  });

  test('Fortran order becomes row-major', () => {
    // numpy: np.arange(6).reshape(2, 3) and np.arange(24).reshape(2, 3, 4), saved with order='F'
    expect(readNpy(npy(dict('|u1', '(2, 3)', 'True'), [0, 3, 1, 4, 2, 5])).data).toEqual(
      Uint8Array.of(0, 1, 2, 3, 4, 5),
    );
    const columns = [0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23];
    expect([...readNpy(npy(dict('|u1', '(2, 3, 4)', 'True'), columns)).data]).toEqual([...Array(24).keys()]);
    expect(readNpy(npy(dict('|u1', '(2, 0)', 'True'), [])).shape).toEqual([2, 0]);
    expect(readNpy(npy(dict('|u1', '()', 'True'), [7])).data).toEqual(Uint8Array.of(7));
  });

  test('other spellings of the header', () => {
    const spellings = [
      `{"shape":(2L,),"fortran_order":False,"descr":"|u1"}`,
      `{'shape': (2,), 'descr': '|u1', 'fortran_order': False}          \n`,
      `  { 'descr' : '|u1' , 'fortran_order' : False , 'shape' : ( 2 , ) , }`,
    ];
    for (const spelling of spellings) expect(readNpy(npy(spelling, [1, 2])).data).toEqual(Uint8Array.of(1, 2));
  });
});

describe('writing', () => {
  test('any tensor comes back', () => {
    fc.assert(
      fc.property(anyTensor, (tensor) => {
        const file = writeNpy(tensor);
        // numpy has no bfloat16: its values come back as float32.
        const dtype = tensor.dtype === 'bfloat16' ? 'float32' : tensor.dtype;
        for (const bytes of [file, misaligned(file)]) expect(readNpy(bytes)).toEqual({ ...tensor, dtype });
      }),
      { numRuns: 300 },
    );
  });

  test('the bytes are those that numpy writes', () => {
    const file = writeNpy({ dtype: 'float32', shape: [2, 1], data: Float32Array.of(1, 2) });
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }`;
    const expected = npy(header.padEnd(117) + '\n', [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]);
    expect(Buffer.from(file).toString('hex')).toBe(Buffer.from(expected).toString('hex'));
    expect(file.length).toBe(128 + 8);
  });

  test('a header beyond 65535 bytes makes version 2', () => {
    const shape = Array(30000).fill(1);
    const file = writeNpy({ dtype: 'uint8', shape, data: Uint8Array.of(5) });
    expect(file[6]).toBe(2);
    expect((file.length - 1) % 64).toBe(0);
    expect(readNpy(file)).toEqual({ dtype: 'uint8', shape, data: Uint8Array.of(5) });
  });

  test('wrong tensors are refused', () => {
    const data = Float32Array.of(1, 2);
    expectError(() => writeNpy({ dtype: 'float32', shape: [3], data }), 'shape', /expects 3 elements, data has 2/);
    expectError(
      () => writeNpy({ dtype: 'uint8', shape: [2], data }),
      'dtype',
      /expects a Uint8Array, got Float32Array/,
    );
  });
});

describe('strictness', () => {
  const version4 = npy(dict('|u1', '(1,)'), [1]);
  version4[6] = 4;
  const longHeader = npy(dict('|u1', '(1,)'), [1], 2);
  new DataView(longHeader.buffer).setUint32(8, 2 ** 32 - 1, true);
  const bad: [name: string, bytes: Uint8Array, message: RegExp][] = [
    ['no bytes', new Uint8Array(0), /got an empty file/],
    ['other magic', new TextEncoder().encode('PK zip file'), /does not begin with/],
    ['version 4', version4, /version 4.0, expected 1.0, 2.0 or 3.0/],
    ['a header past the end', longHeader, /header of 4294967295 bytes, \d+ are left/],
    ['too little data', npy(dict('<f4', '(2, 3)'), Array(23).fill(0)), /\[2,3\] of '<f4' expects 24 bytes, got 23/],
    ['too much data', npy(dict('<f4', '(1,)'), Array(5).fill(0)), /expects 4 bytes, got 5/],
    ['a huge shape', npy(dict('|u1', '(1000000, 1000000)'), []), /expects 1000000000000 bytes, got 0/],
    ['an uncountable shape', npy(dict('|u1', '(10000000000, 10000000000)'), []), /more elements than can be counted/],
    ['a negative dimension', npy(dict('|u1', '(-1,)'), []), /header is not a dict/],
    ['a shape that is a number', npy(dict('|u1', '1'), [1]), /header is not a dict/],
    ['no shape', npy(`{'descr': '|u1', 'fortran_order': False}`, [1]), /header is not a dict/],
    [
      'a fourth key',
      npy(`{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'x': 1}`, [1]),
      /header is not a dict/,
    ],
    ['an open dict', npy(`{'descr': '|u1', 'fortran_order': False, 'shape': (1,)`, [1]), /header is not a dict/],
    ['text after the dict', npy(`${dict('|u1', '(1,)')} x`, [1]), /header is not a dict/],
    ['an expression', npy(`__import__('os')`, []), /header is not a dict/],
    ['deep nesting', npy('{'.padEnd(60000, '('), []), /header is not a dict/],
    ['a multi-byte type without byte order', npy(dict('|f4', '(1,)'), Array(4).fill(0)), /'\|f4' has no byte order/],
  ];
  test.each(bad)('%s is malformed', (_name, bytes, text) => {
    expectError(() => readNpy(bytes), 'malformed', text);
  });

  test.each(['<c8', '|S4', '<U3', '|O', '<M8[ns]', '<f16'])('%s is unsupported', (descr) => {
    expectError(
      () => readNpy(npy(dict(descr, '(1,)'), Array(8).fill(0))),
      'unsupported',
      /element type '.*' is not supported/,
    );
  });

  test('structured types are unsupported', () => {
    const text = `{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }`;
    expectError(() => readNpy(npy(text, Array(8).fill(0))), 'unsupported', /structured/);
  });

  test('int64 beyond 32 bits is unsupported', () => {
    const file = npy(dict('<i8', '(1,)'), [0, 0, 0, 0, 1, 0, 0, 0]);
    expectError(() => readNpy(file), 'unsupported', /int64 value 4294967296 of the array does not fit 32 bits/);
  });

  test('cut anywhere is a ConvletError, changed anywhere a ConvletError or an array', () => {
    const whole = writeNpy({ dtype: 'int64', shape: [2, 2], data: Int32Array.of(1, -2, 3, 4) });
    for (let end = 0; end < whole.length; end++) {
      expect(onlyConvletErrors(() => readNpy(whole.slice(0, end)))).toBe(false);
    }
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          onlyConvletErrors(() => readNpy(bytes));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
