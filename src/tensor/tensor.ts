/// <reference lib="esnext.disposable" preserve="true" />
import {
  type BigIntArray,
  byteLength,
  type DType,
  describe,
  dtypeOf,
  dtypes,
  isArrayOf,
  type TypedArray,
  viewArray,
} from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { BorrowedStorage, type Storage } from '../memory/storage.ts';
import { elementCount, type Layout, rowStrides, stridesOf } from './layout.ts';
import { describeValues, inspect } from './text.ts';

/**
 * A shaped array: logical `shape` in PyTorch/ONNX order, an element type, and a storage whose element order is
 * `layout`. It has no math: ops work on tensors.
 */
export class Tensor {
  static readonly name: string = 'Tensor';

  /** Element type. */
  readonly dtype: DType;
  /** Logical dimensions in PyTorch/ONNX order (N,C,H,W); [] for a scalar. */
  readonly shape: readonly number[];
  /** How the elements lie in memory: 'row', or with channels last. */
  readonly layout: Layout;
  /** Number of elements. */
  readonly size: number;
  /** @internal True if the values never change (weights, tables): backends may keep a packed form of them. */
  readonly constant: boolean;
  /** @internal Null only during compilation, until memory has been assigned. */
  storage: Storage | null;
  private cachedBuffer: ArrayBufferLike | null = null;
  private cachedArray: TypedArray | null = null;

  /** @internal */
  constructor(dtype: DType, shape: readonly number[], layout: Layout, storage: Storage | null, constant = false) {
    this.dtype = dtype;
    this.shape = shape;
    this.layout = layout;
    this.size = elementCount(shape);
    this.storage = storage;
    this.constant = constant;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Bytes of the elements as stored (int64 takes 4, float16 takes 4: see `dtypes`). */
  get byteLength(): number {
    return byteLength(this.dtype, this.size);
  }

  /** The elements in memory order (see `layout`); a live view, valid until the memory grows. */
  get array(): TypedArray {
    if (this.storage === null) throw new Error('tensor has no memory yet');
    const buffer = this.storage.buffer();
    if (buffer !== this.cachedBuffer || this.cachedArray === null) {
      this.cachedBuffer = buffer;
      this.cachedArray = viewArray(this.dtype, buffer, this.storage.byteOffset, this.size);
    }
    return this.cachedArray;
  }

  /** The bytes of the elements in memory order, at any alignment; a live view like `array`. */
  get bytes(): Uint8Array {
    return this.storage?.bytes ?? new Uint8Array(this.array.buffer, this.array.byteOffset, this.array.byteLength);
  }

  /** @internal The memory of the elements, to tell constants apart; their values may not have been read into it. */
  get place(): Uint8Array {
    return this.storage?.place ?? this.bytes;
  }

  /** @internal Fills `target` with the bytes of the elements in memory order, from byte `start` on. */
  copyTo(target: Uint8Array, start = 0): void {
    if (this.storage?.copyTo !== undefined) this.storage.copyTo(target, start);
    else target.set(this.bytes.subarray(start, start + target.byteLength));
  }

  /** A copy of the elements in logical row-major order. */
  get data(): TypedArray {
    return this.dataIn('row');
  }

  /** A copy of the elements in the order of `layout`. */
  dataIn(layout: Layout): TypedArray {
    const source = this.array;
    const out = new dtypes[this.dtype].array(this.size);
    if (layout === this.layout || this.size === 0) {
      out.set(source);
      return out;
    }
    // Both directions are a transposition of [rows][columns] for each image.
    const [n, channels] = this.shape;
    const inner = this.size / (n * channels);
    const [rows, columns] = layout === 'row' ? [channels, inner] : [inner, channels];
    for (let i = 0, at = 0; i < n; i++) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0, from = i * rows * columns + r; c < columns; c++, from += rows) out[at++] = source[from];
      }
    }
    return out;
  }

  /** Element strides of the logical axes. */
  get strides(): number[] {
    return stridesOf(this.shape, this.layout);
  }

  /** @internal The same storage under another shape and layout of equally many elements. */
  as(shape: readonly number[], layout: Layout): Tensor {
    return new Tensor(this.dtype, shape, layout, this.storage, this.constant);
  }

  /** Frees the memory; the values can no longer be read. */
  dispose(): void {
    this.storage?.free();
    this.cachedArray = null;
    this.cachedBuffer = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Type, shape and the first values. */
  toString(): string {
    if (this.storage === null) return `Tensor(${this.dtype}${shapeText(this.shape)}), without memory`;
    try {
      return describeValues('Tensor', this.dtype, this.shape, this.data);
    } catch {
      return `Tensor(${this.dtype}${shapeText(this.shape)}), disposed`;
    }
  }

  /** Type, shape and elements (row-major), for JSON.stringify. */
  toJSON(): { dtype: DType; shape: readonly number[]; data: number[] } {
    return { dtype: this.dtype, shape: this.shape, data: Array.from(this.data) };
  }

  [inspect](): string {
    return this.toString();
  }
}

/** A row-major tensor over an array that is not copied. */
export function wrap(
  array: TypedArray,
  shape: readonly number[],
  dtype: DType = dtypeOf(array),
  constant = false,
): Tensor {
  return new Tensor(dtype, shape, 'row', new BorrowedStorage(array), constant);
}

/** A constant of the graph: row-major, never written. */
export function constant(array: TypedArray, shape: readonly number[], dtype: DType = dtypeOf(array)): Tensor {
  return wrap(array, shape, dtype, true);
}

/**
 * A tensor from values in logical row-major order.
 *
 * @param data a typed array (kept, not copied) or plain numbers (float32 unless `dtype` says otherwise)
 * @param shape default: one dimension, as long as `data`
 * @param dtype default: the one that the typed array stands for (Int32Array: int32, Uint8Array: uint8, …)
 * @throws ConvletError `shape` if the counts differ or a dimension is not a whole number ≥ 0, `dtype` if the array's
 * type does not store `dtype`
 */
export function tensor(data: TypedArray | readonly number[], shape?: readonly number[], dtype?: DType): Tensor {
  const array: TypedArray = Array.isArray(data) ? toArray('tensor', data, dtype ?? 'float32') : (data as TypedArray);
  const type = dtype ?? dtypeOf(array);
  if (!Object.hasOwn(dtypes, type))
    throw new ConvletError('dtype', `tensor: dtype ${String(dtype)} is not one of ${Object.keys(dtypes).join(', ')}`);
  const dims = checkShape('tensor', shape ?? [array.length]);
  if (!isArrayOf<TypedArray>(array, dtypes[type].array)) {
    throw new ConvletError(
      'dtype',
      `tensor: dtype ${type} expects a ${dtypes[type].array.name}, got a ${describe(array)}`,
    );
  }
  if (elementCount(dims) !== array.length) {
    throw new ConvletError(
      'shape',
      `tensor: shape ${shapeText(dims)} expects ${elementCount(dims)} values, got ${array.length}`,
    );
  }
  return wrap(array, dims, type);
}

/** A copy of `shape`, checked: whole numbers ≥ 0 whose product is a safe integer. */
export function checkShape(what: string, shape: readonly number[]): number[] {
  if (!Array.isArray(shape))
    throw new ConvletError('shape', `${what}: shape expects an array of numbers, got ${String(shape)}`);
  const ok = shape.every((d) => Number.isInteger(d) && d >= 0) && Number.isSafeInteger(elementCount(shape) * 8);
  if (!ok) throw new ConvletError('shape', `${what}: shape expects whole numbers ≥ 0, got ${shapeText(shape)}`);
  return [...shape];
}

/**
 * Numbers in the storage of `dtype`. Throws `dtype` for a value that is not a number, `argument` for a number that the storage
 * would change (a fraction or 300 as uint8). Rounding to a float is allowed.
 */
export function toArray(what: string, values: readonly number[], dtype: DType): TypedArray {
  const type = Object.hasOwn(dtypes, dtype) ? dtypes[dtype] : undefined;
  if (type === undefined) throw new ConvletError('dtype', `${what}: unknown dtype ${String(dtype)}`);
  const array = new type.array(values.length);
  for (let i = 0; i < array.length; i++) {
    const value: unknown = values[i];
    if (typeof value !== 'number') {
      throw new ConvletError('dtype', `${what}: element ${i} expects a number (${dtype}), got ${describe(value)}`);
    }
    array[i] = value;
    if (type.kind !== 'float' && array[i] !== value) {
      throw new ConvletError('argument', `${what}: element ${i} expects a value of ${dtype}, got ${value}`);
    }
  }
  return array;
}

/** 64-bit integers in the storage of `dtype`, which has 32 bits. Throws `argument` for a number that does not fit. */
export function fromBigInts(what: string, values: BigIntArray, dtype: DType): TypedArray {
  const array = new dtypes[dtype].array(values.length);
  for (let i = 0; i < array.length; i++) {
    array[i] = Number(values[i]);
    if (BigInt(array[i]) !== values[i]) {
      const text = `${what}: element ${i} expects an ${dtype} of 32 bits, which convlet computes with, got ${values[i]}`;
      throw new ConvletError('argument', text);
    }
  }
  return array;
}

export { rowStrides };
