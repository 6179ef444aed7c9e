import { type DType, dtypes, isArrayOf, type TypedArray, viewArray } from '../common/dtype.ts';
import { ConvletError } from '../common/error.ts';
import {
  bfloat16ToFloat32Bits,
  float16ToFloat32Bits,
  float32ToBfloat16Bits,
  float32ToFloat16Bits,
} from '../common/half.ts';

/** How one element is stored in a file: its size, and the dtype as which it is read. */
export const elementTypes = {
  f64: { bytes: 8, dtype: 'float64' },
  f32: { bytes: 4, dtype: 'float32' },
  f16: { bytes: 2, dtype: 'float16' },
  bf16: { bytes: 2, dtype: 'bfloat16' },
  i64: { bytes: 8, dtype: 'int64' },
  i32: { bytes: 4, dtype: 'int32' },
  i16: { bytes: 2, dtype: 'int16' },
  i8: { bytes: 1, dtype: 'int8' },
  u64: { bytes: 8, dtype: 'uint64' },
  u32: { bytes: 4, dtype: 'uint32' },
  u16: { bytes: 2, dtype: 'uint16' },
  u8: { bytes: 1, dtype: 'uint8' },
  bool: { bytes: 1, dtype: 'bool' },
} as const satisfies Record<string, { bytes: number; dtype: DType }>;

export type ElementType = keyof typeof elementTypes;

/** A tensor to read or write: row-major `data` in the storage of `dtype`. */
export interface TensorValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** The format and the tensor that an error is about: `onnx`, `initializer 'w'`. */
export interface Source {
  readonly format: string;
  readonly what: string;
}

/** A plain Uint8Array of bytes that may be a Node Buffer, whose `slice` does not copy. */
export function plainBytes(bytes: Uint8Array, format: string): Uint8Array {
  if (!isArrayOf(bytes, Uint8Array)) {
    throw new ConvletError('argument', `${format}: expected the file's bytes as a Uint8Array, got ${typeof bytes}`);
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Product of dimensions, or NaN if a dimension is not a natural number or the product exceeds 2^53-1. */
export function countElements(shape: readonly number[]): number {
  let count = 1;
  let empty = false;
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) return Number.NaN;
    if (dim === 0) empty = true;
    else count *= dim;
  }
  // The check is over the non-zero dimensions, since strides of an empty shape are computed too.
  return Number.isSafeInteger(count) ? (empty ? 0 : count) : Number.NaN;
}

/**
 * Reads `bytes` as elements of `type`; the caller has checked that the byte count is a multiple of the element size.
 * The result is a view if the data is little-endian, aligned in `bytes.buffer` and of a type with the same storage; else a copy.
 */
export function decodeElements(type: ElementType, bytes: Uint8Array, source: Source, bigEndian = false): TypedArray {
  const size = elementTypes[type].bytes;
  const dtype = elementTypes[type].dtype;
  const little = bigEndian && size > 1 ? swapped(bytes, size) : bytes;
  if (type === 'f16' || type === 'bf16') return decodeHalf(little, type);
  if (type === 'i64' || type === 'u64') return decodeInt64(little, type, source);
  if (type === 'bool') return decodeBool(little);
  const aligned = little.byteOffset % size === 0 ? little : new Uint8Array(little);
  return viewArray(dtype, aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}

/** Little-endian bytes of `data` as elements of `type`: the reverse of `decodeElements`. A view where possible. */
export function encodeElements(type: ElementType, data: TypedArray): Uint8Array {
  if (type === 'f16' || type === 'bf16') {
    const toHalf = type === 'f16' ? float32ToFloat16Bits : float32ToBfloat16Bits;
    const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
    const out = new Uint16Array(data.length);
    for (let i = 0; i < out.length; i++) out[i] = toHalf(bits[i]);
    return new Uint8Array(out.buffer);
  }
  if (type === 'i64' || type === 'u64') {
    const out = new Int32Array(data.length * 2);
    for (let i = 0; i < data.length; i++) {
      out[2 * i] = data[i];
      out[2 * i + 1] = data[i] < 0 ? -1 : 0;
    }
    return new Uint8Array(out.buffer);
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The element type as which a dtype is written. */
export const elementTypeOf = Object.fromEntries(
  Object.entries(elementTypes).map(([type, { dtype }]) => [dtype, type]),
) as Record<DType, ElementType>;

/** Checks a tensor before it is written: known dtype, data in its storage, as many elements as the shape has. */
export function checkTensor(tensor: TensorValue, source: Source): void {
  const { format, what } = source;
  const spec = Object.hasOwn(dtypes, tensor.dtype) ? dtypes[tensor.dtype] : undefined;
  if (spec === undefined) throw new ConvletError('dtype', `${format}: ${what} has unknown dtype ${tensor.dtype}`);
  if (!isArrayOf<TypedArray>(tensor.data, spec.array)) {
    throw new ConvletError(
      'dtype',
      `${format}: ${what} of dtype ${tensor.dtype} expects a ${spec.array.name}, got ${(tensor.data as object)?.constructor?.name}`,
    );
  }
  const count = countElements(tensor.shape);
  if (tensor.data.length !== count) {
    throw new ConvletError(
      'shape',
      `${format}: ${what} of shape [${tensor.shape}] expects ${count} elements, data has ${tensor.data.length}`,
    );
  }
}

const sentinel = 0x40000000; // high word of 2^62

/**
 * A 64-bit integer (low word unsigned, high word signed) in 32-bit storage. Values from 2^62 on saturate: exporters write int64's
 * limits and their neighbours for "to the end". Any other value that does not fit becomes NaN.
 */
export function narrowInt64(low: number, high: number, signed: boolean): number {
  if (signed) {
    if (high === (low | 0) >> 31) return low | 0;
    if (high >= sentinel) return 0x7fffffff;
    return high < -sentinel || (high === -sentinel && low === 0) ? -0x80000000 : Number.NaN;
  }
  if (high === 0) return low >>> 0;
  return high >>> 0 >= sentinel ? 0xffffffff : Number.NaN;
}

/** The error for a value that `narrowInt64` cannot hold. */
export function int64Error(low: number, high: number, signed: boolean, source: Source): ConvletError {
  const exact = (BigInt(high) << 32n) | BigInt(low >>> 0);
  const [type, value] = signed ? ['int64', exact] : ['uint64', BigInt.asUintN(64, exact)];
  return new ConvletError(
    'unsupported',
    `${source.format}: ${type} value ${value} of ${source.what} does not fit 32 bits`,
  );
}

function decodeInt64(bytes: Uint8Array, type: 'i64' | 'u64', source: Source): TypedArray {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
  const signed = type === 'i64';
  const out = new (signed ? Int32Array : Uint32Array)(words.length / 2);
  for (let i = 0; i < out.length; i++) {
    const low = words[2 * i] >>> 0;
    const high = words[2 * i + 1];
    const value = narrowInt64(low, high, signed);
    if (Number.isNaN(value)) throw int64Error(low, high, signed, source);
    out[i] = value;
  }
  return out;
}

function decodeHalf(bytes: Uint8Array, type: 'f16' | 'bf16'): Float32Array {
  const toFloat = type === 'f16' ? float16ToFloat32Bits : bfloat16ToFloat32Bits;
  const bits = new Uint32Array(bytes.byteLength / 2);
  for (let i = 0; i < bits.length; i++) bits[i] = toFloat(bytes[2 * i] | (bytes[2 * i + 1] << 8));
  return new Float32Array(bits.buffer);
}

/** Any non-zero byte is true, as in numpy; kernels need 0 or 1. */
function decodeBool(bytes: Uint8Array): Uint8Array {
  return bytes.every((byte) => byte <= 1) ? bytes : Uint8Array.from(bytes, (byte) => (byte === 0 ? 0 : 1));
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(bytes.byteLength);
  for (let i = 0; i < out.length; i++) out[i] = bytes[i - (i % size) + size - 1 - (i % size)];
  return out;
}
