import type { DType, TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import {
  checkTensor,
  countElements,
  decodeElements,
  type ElementType,
  elementTypeOf,
  elementTypes,
  encodeElements,
  plainBytes,
  type TensorValue,
} from './elements.ts';
import { foreignError } from './foreign.ts';

/** numpy's type codes (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), without byte order. */
const npyTypes: { readonly [code: string]: ElementType } = {
  f8: 'f64',
  f4: 'f32',
  f2: 'f16',
  i8: 'i64',
  i4: 'i32',
  i2: 'i16',
  i1: 'i8',
  u8: 'u64',
  u4: 'u32',
  u2: 'u16',
  u1: 'u8',
  b1: 'bool',
};
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const what = 'the array';
/** A header is about a hundred bytes; numpy refuses those over 10,000. */
const maxHeaderBytes = 2 ** 20;

/**
 * Reads a .npy file (format versions 1 to 3, either byte order, C or Fortran order) to a row-major tensor. Aligned
 * little-endian data in C order is viewed, not copied; int64 becomes checked int32, float16 becomes float32.
 * Throws `malformed` or `unsupported`.
 */
export function readNpy(bytes: Uint8Array): { dtype: DType; shape: number[]; data: TypedArray } {
  const file = plainBytes(bytes, 'npy');
  const { header, dataStart } = readHeader(file);
  const { descr, fortranOrder, shape } = parseHeader(header);
  const [, order, code] = /^([<>|=])(\w+)$/.exec(descr) ?? [];
  const type = code !== undefined && Object.hasOwn(npyTypes, code) ? npyTypes[code] : undefined;
  if (type === undefined) throw new ConvletError('unsupported', `npy: element type '${descr}' is not supported`);
  const { bytes: size, dtype } = elementTypes[type];
  if (order === '|' && size > 1) throw malformed(`element type '${descr}' has no byte order`);
  const count = countElements(shape);
  if (Number.isNaN(count)) throw malformed(`shape ${shapeText(shape)} has more elements than can be counted`);
  const data = file.subarray(dataStart);
  if (data.byteLength !== count * size) {
    throw malformed(`shape ${shapeText(shape)} of '${descr}' expects ${count * size} bytes, got ${data.byteLength}`);
  }
  const values = decodeElements(type, data, { format: 'npy', what }, order === '>');
  return { dtype, shape, data: fortranOrder ? fromFortranOrder(values, shape) : values };
}

/**
 * Writes a .npy file in C order, little-endian, as numpy does: version 1, or 2 if the header is longer than 65535
 * bytes. bfloat16, which numpy does not have, is written as float32. Throws `dtype` or `shape`.
 */
export function writeNpy(tensor: TensorValue): Uint8Array<ArrayBuffer> {
  checkTensor(tensor, { format: 'npy', what });
  const type = tensor.dtype === 'bfloat16' ? 'f32' : elementTypeOf[tensor.dtype];
  const code = Object.keys(npyTypes).find((key) => npyTypes[key] === type);
  const descr = `${elementTypes[type].bytes === 1 ? '|' : '<'}${code}`;
  const shape = tensor.shape.length === 1 ? `(${tensor.shape[0]},)` : `(${tensor.shape.join(', ')})`;
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const prefix = (lengthBytes: number) => magic.length + 2 + lengthBytes;
  const padded = (lengthBytes: number) => Math.ceil((prefix(lengthBytes) + header.length + 1) / 64) * 64;
  const lengthBytes = padded(2) - prefix(2) <= 0xffff ? 2 : 4;
  const dataStart = padded(lengthBytes);
  const encoded = encodeElements(type, tensor.data);
  const out = new Uint8Array(dataStart + encoded.byteLength);
  out.set(magic);
  out[6] = lengthBytes === 2 ? 1 : 2;
  const view = new DataView(out.buffer);
  const headerBytes = dataStart - prefix(lengthBytes);
  if (lengthBytes === 2) view.setUint16(8, headerBytes, true);
  else view.setUint32(8, headerBytes, true);
  out.fill(0x20, prefix(lengthBytes), dataStart - 1);
  out.set(new TextEncoder().encode(header), prefix(lengthBytes));
  out[dataStart - 1] = 0x0a;
  out.set(encoded, dataStart);
  return out;
}

function malformed(problem: string): ConvletError {
  return new ConvletError('malformed', `npy: ${problem}`);
}

function readHeader(file: Uint8Array): { header: string; dataStart: number } {
  if (magic.some((byte, at) => file[at] !== byte)) {
    const problem = malformed(`the file does not begin with \\x93NUMPY`);
    throw foreignError(file, 'npy', 'a .npy file', problem);
  }
  const major = file[6];
  const minor = file[7];
  if (!(major >= 1 && major <= 3 && minor === 0))
    throw malformed(`version ${major}.${minor}, expected 1.0, 2.0 or 3.0`);
  const start = major === 1 ? 10 : 12;
  if (file.byteLength < start) throw malformed(`truncated: ${file.byteLength} bytes`);
  const view = new DataView(file.buffer, file.byteOffset, start);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > file.byteLength - start) {
    throw malformed(`header of ${length} bytes, ${file.byteLength - start} are left`);
  }
  if (length > maxHeaderBytes) throw malformed(`header of ${length} bytes, at most ${maxHeaderBytes}`);
  // Only names of structured fields could be other than ASCII, and those are not supported.
  const header = new TextDecoder('utf-8').decode(new Uint8Array(file.subarray(start, start + length)));
  return { header, dataStart: start + length };
}

/** Tokens of the header, a Python dict literal: strings, names, numbers (Python 2 wrote 3L), punctuation. */
const token = /\s*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|(\d+)L?|([{}()[\],:]))\s*/y;

type Literal = string | boolean | number | Literal[];

function parseHeader(text: string): { descr: string; fortranOrder: boolean; shape: number[] } {
  let at = 0;
  const bad = (): ConvletError =>
    malformed(`header is not a dict of descr, fortran_order and shape, at character ${at}`);
  const read = (): { value: Literal | undefined; mark: string } => {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw bad();
    at = token.lastIndex;
    const [, single, double, boolean, number, mark = ''] = match;
    const value =
      boolean === undefined ? (number === undefined ? (single ?? double) : Number(number)) : boolean === 'True';
    return { value, mark };
  };
  const peek = (mark: string): boolean => {
    const before = at;
    if (at < text.length && read().mark === mark) return true;
    at = before;
    return false;
  };
  const expect = (mark: string): void => {
    if (!peek(mark)) throw bad();
  };
  const readValue = (depth: number): Literal => {
    const { value, mark } = read();
    if (value !== undefined) return value;
    const close = { '(': ')', '[': ']' }[mark];
    if (close === undefined || depth > 8) throw bad();
    const items: Literal[] = [];
    while (!peek(close)) {
      items.push(readValue(depth + 1));
      if (peek(close)) break;
      expect(',');
    }
    return items;
  };

  const entries = new Map<Literal, Literal>();
  expect('{');
  while (!peek('}')) {
    const key = readValue(0);
    expect(':');
    entries.set(key, readValue(0));
    if (peek('}')) break;
    expect(',');
  }
  if (at !== text.length) throw bad();
  const descr = entries.get('descr');
  const fortranOrder = entries.get('fortran_order');
  const shape = entries.get('shape');
  if (Array.isArray(descr)) throw new ConvletError('unsupported', 'npy: structured element types are not supported');
  if (typeof descr !== 'string' || typeof fortranOrder !== 'boolean' || !isNaturals(shape) || entries.size !== 3) {
    throw bad();
  }
  return { descr, fortranOrder, shape };
}

function isNaturals(value: Literal | undefined): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
}

/** Reorders elements whose first index varies fastest, so that the last index does. */
function fromFortranOrder(values: TypedArray, shape: readonly number[]): TypedArray {
  const out = new (values.constructor as new (length: number) => TypedArray)(values.length);
  const index = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    out[at] = values[i];
    // Step the column-major index and keep its row-major position in `at`.
    let stride = values.length;
    for (let axis = 0; axis < shape.length; axis++) {
      stride /= shape[axis];
      at += stride;
      if (++index[axis] < shape[axis]) break;
      at -= stride * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}
