import { ConvletError } from './error.ts';

/**
 * Element types, and the typed array that stores them. int64 and uint64 are stored in 32 bits, checked where values
 * enter; float16 and bfloat16 are stored as float32, rounded where a value is cast to them.
 */
export const dtypes = {
  float32: { bytes: 4, array: Float32Array, kind: 'float' },
  float64: { bytes: 8, array: Float64Array, kind: 'float' },
  float16: { bytes: 4, array: Float32Array, kind: 'float' },
  bfloat16: { bytes: 4, array: Float32Array, kind: 'float' },
  int64: { bytes: 4, array: Int32Array, kind: 'int' },
  int32: { bytes: 4, array: Int32Array, kind: 'int' },
  int16: { bytes: 2, array: Int16Array, kind: 'int' },
  int8: { bytes: 1, array: Int8Array, kind: 'int' },
  uint64: { bytes: 4, array: Uint32Array, kind: 'int' },
  uint32: { bytes: 4, array: Uint32Array, kind: 'int' },
  uint16: { bytes: 2, array: Uint16Array, kind: 'int' },
  uint8: { bytes: 1, array: Uint8Array, kind: 'int' },
  bool: { bytes: 1, array: Uint8Array, kind: 'bool' },
} as const;

/** Names of the element types, as in ONNX and NumPy. */
export type DType = keyof typeof dtypes;

/** Least and greatest value of the types that tensors are quantized to. */
export const quantizedRanges: { readonly [D in DType]?: readonly [number, number] } = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/** The arrays in which tensors store their elements; `dtypes` says which array for which dtype. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/** Arrays of 64-bit integers, which callers may use in place of the 32-bit storage of int64 and uint64. */
export type BigIntArray = BigInt64Array | BigUint64Array;

/** The 64-bit arrays of int64 and uint64. */
export const bigIntArrays: { readonly [D in DType]?: BigInt64ArrayConstructor | BigUint64ArrayConstructor } = {
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** A zero-filled array that can store `length` elements of `dtype`. */
export function allocateArray(dtype: DType, length: number): TypedArray {
  return new dtypes[dtype].array(length);
}

/** The typed array view of `dtype` over `buffer`; `byteOffset` must be a multiple of the element size. */
export function viewArray(dtype: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray {
  return new dtypes[dtype].array(buffer as ArrayBuffer, byteOffset, length);
}

export function byteLength(dtype: DType, length: number): number {
  return dtypes[dtype].bytes * length;
}

/**
 * Whether a value is a typed array of this class, or of the same class of another realm: those of an iframe, of jsdom and of
 * node:vm are no instances of ours.
 */
export const isArrayOf = <T>(value: unknown, type: { new (length: number): T; readonly name: string }): value is T =>
  value instanceof type ||
  (ArrayBuffer.isView(value) && (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === type.name);

const naturalDTypes = new Map<unknown, DType>([
  [Float32Array, 'float32'],
  [Float64Array, 'float64'],
  [Int32Array, 'int32'],
  [Int16Array, 'int16'],
  [Int8Array, 'int8'],
  [Uint32Array, 'uint32'],
  [Uint16Array, 'uint16'],
  [Uint8Array, 'uint8'],
]);

/** The dtype that a plain typed array stands for. Throws `dtype` for anything else. */
export function dtypeOf(array: unknown): DType {
  const dtype = naturalDTypes.get((array as { constructor?: unknown } | null)?.constructor);
  if (dtype !== undefined) return dtype;
  for (const [type, name] of naturalDTypes) if (isArrayOf(array, type as Float32ArrayConstructor)) return name;
  throw new ConvletError('dtype', `expected a typed array of numbers, got ${describe(array)}`);
}

/** The kind of a value, for messages about a wrong value. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
}

/** Whether an integer or bool type can hold a number. */
export function holds(dtype: DType, value: number): boolean {
  const { kind, array, bytes } = dtypes[dtype];
  if (kind === 'float') return true;
  if (kind === 'bool') return value === 0 || value === 1;
  const isSigned = array === Int32Array || array === Int16Array || array === Int8Array;
  const [least, most] = isSigned ? [-(2 ** (8 * bytes - 1)), 2 ** (8 * bytes - 1) - 1] : [0, 2 ** (8 * bytes) - 1];
  return Number.isInteger(value) && value >= least && value <= most;
}
