import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DType, dtypes, type TypedArray } from '../../src/common/dtype.ts';
import type { TensorValue } from '../../src/io/elements.ts';
import { readSafetensors, readSafetensorsMetadata, writeSafetensors } from '../../src/io/safetensors.ts';
import { describeShared } from '../shared.ts';
import { expectError, misaligned, onlyConvletErrors } from './errors.ts';
import { anyTensor } from './tensors.ts';

/** A file with the header `text` (not padded) and `dataBytes` zero bytes. */
function file(text: string, dataBytes: number, headerBytes?: number): Uint8Array {
  const header = new TextEncoder().encode(text);
  const out = new Uint8Array(8 + header.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerBytes ?? header.length), true);
  out.set(header, 8);
  return out;
}

/** For comparing bit by bit, much faster than `toEqual`. */
function bytesOf(data: TypedArray): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function entry(dtype: string, shape: number[], begin: number, end: number): string {
  return JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
}

describe('round trips', () => {
  test('any tensors and metadata come back, aligned and not', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__'),
          anyTensor,
          { maxKeys: 6 },
        ),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
        (tensors, metadata) => {
          const bytes = writeSafetensors(Object.entries(tensors), Object.entries(metadata));
          for (const input of [bytes, misaligned(bytes), Buffer.from(bytes)]) {
            const got = readSafetensors(input);
            expect([...got.keys()].sort()).toEqual(Object.keys(tensors).sort());
            for (const [name, tensor] of Object.entries(tensors)) expect(got.get(name)).toEqual(tensor);
            expect(readSafetensorsMetadata(input)).toEqual(new Map(Object.entries(metadata)));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('the layout is the reference implementation’s: wide types first, then names, header padded to 8', () => {
    const one = (dtype: DType) => ({ dtype, shape: [1], data: new dtypes[dtype].array([1]) });
    const bytes = writeSafetensors(
      new Map([
        ['b', one('bool')],
        ['10', one('float32')],
        ['a', one('float32')],
        ['h', one('float16')],
        ['9', one('int64')],
        ['d', one('float64')],
      ]),
      [['format', 'pt']],
    );
    const headerBytes = new DataView(bytes.buffer).getUint32(0, true);
    expect(headerBytes % 8).toBe(0);
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes));
    expect(text.trimEnd()).toBe(
      '{"__metadata__":{"format":"pt"},' +
        '"9":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
        '"d":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},' +
        '"10":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},' +
        '"a":{"dtype":"F32","shape":[1],"data_offsets":[20,24]},' +
        '"h":{"dtype":"F16","shape":[1],"data_offsets":[24,26]},' +
        '"b":{"dtype":"BOOL","shape":[1],"data_offsets":[26,27]}}',
    );
    expect([...bytes.subarray(8 + headerBytes)]).toEqual([
      ...[1, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
      ...[0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f],
      ...[0, 0x3c, 1],
    ]);
    expect([...readSafetensors(bytes).keys()]).toEqual(['9', 'd', '10', 'a', 'h', 'b']);
  });

  test('aligned data is a view, and scalars and empty files are files', () => {
    const bytes = writeSafetensors([['s', { dtype: 'float32', shape: [], data: Float32Array.of(3) }]]);
    expect(readSafetensors(bytes).get('s')?.data.buffer).toBe(bytes.buffer);
    expect(readSafetensors(writeSafetensors([])).size).toBe(0);
  });
});

describe('strictness', () => {
  const f32 = (shape: number[], begin: number, end: number) => entry('F32', shape, begin, end);
  const bad: [name: string, bytes: Uint8Array, message: RegExp][] = [
    ['no bytes', new Uint8Array(0), /got an empty file/],
    ['a header past the end', file('{}', 0, 3), /header of 3 bytes, 2 are left/],
    ['a huge header', file('{}', 0, 100_000_001), /at most 100000000/],
    ['a header length of 2^63', file('{}', 0, 2 ** 63), /at most 100000000/],
    ['an empty header', file('', 0), /does not begin with '{'/],
    ['a header that begins with a space', file(' {}', 0), /does not begin with '{'/],
    ['cut JSON', file('{"a":', 0), /not JSON/],
    ['JSON and more', file('{} x', 0), /not JSON/],
    ['an entry that is not an object', file('{"a":1}', 0), /tensor 'a' is not described by an object/],
    ['an unknown dtype', file(`{"a":${entry('Q8', [1], 0, 1)}}`, 1), /tensor 'a' has unknown dtype "Q8"/],
    ['a dtype from a prototype', file(`{"a":${entry('constructor', [1], 0, 1)}}`, 1), /unknown dtype "constructor"/],
    ['a negative dimension', file(`{"a":${f32([-1], 0, 4)}}`, 4), /shape of natural numbers, got \[-1\]/],
    ['a fractional dimension', file(`{"a":${f32([0.5], 0, 4)}}`, 4), /shape of natural numbers/],
    ['too many elements', file(`{"a":${f32([2 ** 40, 2 ** 40], 0, 4)}}`, 4), /more elements than can be counted/],
    ['offsets backwards', file(`{"a":${f32([0], 4, 0)}}`, 4), /expects data_offsets \[begin, end\], got \[4,0\]/],
    ['one offset', file('{"a":{"dtype":"F32","shape":[],"data_offsets":[4]}}', 4), /expects data_offsets/],
    [
      'too few bytes for the shape',
      file(`{"a":${f32([2], 0, 4)}}`, 4),
      /'a' of shape \[2\] and dtype F32 expects 8 bytes, got 4/,
    ],
    ['a hole at the start', file(`{"a":${f32([1], 4, 8)}}`, 8), /'a' expects to begin at byte 0, got 4/],
    ['a hole', file(`{"a":${f32([1], 0, 4)},"b":${f32([1], 8, 12)}}`, 12), /'b' expects to begin at byte 4, got 8/],
    ['an overlap', file(`{"a":${f32([2], 0, 8)},"b":${f32([1], 4, 8)}}`, 8), /'b' expects to begin at byte 8, got 4/],
    ['data that is cut', file(`{"a":${f32([1], 0, 4)}}`, 3), /cover 4 bytes of data, got 3/],
    ['data left over', file(`{"a":${f32([1], 0, 4)}}`, 5), /cover 4 bytes of data, got 5/],
    ['metadata that is not text', file('{"__metadata__":{"a":1}}', 0), /not an object of strings/],
  ];
  test.each(bad)('%s is malformed', (_name, bytes, text) => {
    expectError(() => readSafetensors(bytes), 'malformed', text);
  });

  test('types that convlet does not store are unsupported', () => {
    const bytes = file(`{"a":${entry('F8_E4M3', [1], 0, 1)}}`, 1);
    expectError(() => readSafetensors(bytes), 'unsupported', /tensor 'a' has dtype F8_E4M3/);
  });

  test('int64 beyond 32 bits is unsupported, with value and name', () => {
    const bytes = file(`{"a":${entry('I64', [1], 0, 8)}}`, 8);
    bytes[bytes.length - 3] = 1;
    expectError(() => readSafetensors(bytes), 'unsupported', /int64 value 1099511627776 of tensor 'a' does not fit/);
  });

  test('the writer checks too', () => {
    const tensor: TensorValue = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) };
    expectError(() => writeSafetensors([['__metadata__', tensor]]), 'argument', /name '__metadata__' is taken/);
    expectError(
      () =>
        writeSafetensors([
          ['a', tensor],
          ['a', tensor],
        ]),
      'argument',
      /name 'a' is taken/,
    );
    expectError(
      () => writeSafetensors([['a', { ...tensor, shape: [3] }]]),
      'shape',
      /\[3\] expects 3 elements, data has 2/,
    );
    expectError(
      () => writeSafetensors([['a', { ...tensor, dtype: 'int8' }]]),
      'dtype',
      /expects a Int8Array, got Float32Array/,
    );
    expectError(() => writeSafetensors([['a', { ...tensor, dtype: 'int4' as DType }]]), 'dtype', /unknown dtype int4/);
  });

  test('cut anywhere is a ConvletError, changed anywhere a ConvletError or tensors', () => {
    const whole = writeSafetensors([
      ['a', { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
      ['b', { dtype: 'int64', shape: [1], data: Int32Array.of(-7) }],
      ['c', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ]);
    for (let end = 0; end < whole.length; end++) {
      expect(onlyConvletErrors(() => readSafetensors(whole.slice(0, end)))).toBe(false);
    }
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          onlyConvletErrors(() => readSafetensors(bytes));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describeShared('safetensors files of ../shared, written by another program', (shared) => {
  const files = ['golden', 'models'].flatMap((directory) =>
    readdirSync(`${shared}${directory}`)
      .filter((name) => name.endsWith('.safetensors'))
      .map((name) => `${directory}/${name}`),
  );

  test.each(files)('%s', (name) => {
    const bytes = readFileSync(shared + name);
    const tensors = readSafetensors(bytes);
    // The header is read again, only with JSON.parse and typed arrays.
    const headerBytes = bytes.readUInt32LE(0);
    const { __metadata__: metadata = {}, ...header } = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes));
    expect(readSafetensorsMetadata(bytes)).toEqual(new Map(Object.entries(metadata)));
    expect([...tensors.keys()].sort()).toEqual(Object.keys(header).sort());
    for (const [key, { dtype, shape, data }] of tensors) {
      const [begin, end] = header[key].data_offsets;
      expect(shape).toEqual(header[key].shape);
      if (dtype !== 'float32') continue;
      const raw = bytes.subarray(8 + headerBytes + begin, 8 + headerBytes + end);
      expect(bytesOf(data).equals(raw)).toBe(true);
    }
    const again = readSafetensors(writeSafetensors(tensors));
    expect(again.size).toBe(tensors.size);
    for (const [key, { dtype, shape, data }] of tensors) {
      const other = again.get(key);
      expect({ dtype: other?.dtype, shape: other?.shape }).toEqual({ dtype, shape });
      expect(bytesOf(other?.data as TypedArray).equals(bytesOf(data))).toBe(true);
    }
  });
});
