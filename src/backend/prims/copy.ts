/**
 * Strided copy of any dtype: y[outputOffset + Σ i·outputStrides] = x[inputOffset + Σ i·inputStrides] for all i < dims.
 * Transpose, slice (negative strides), expand (stride 0), concat and padding (offset into the output) are such copies.
 */
export interface CopyAttrs {
  readonly dims: readonly number[];
  readonly inputOffset: number;
  readonly inputStrides: readonly number[];
  readonly outputOffset: number;
  readonly outputStrides: readonly number[];
}

/** Every element of the output := value. No inputs. */
export interface FillAttrs {
  readonly value: number;
  readonly length: number;
}

/**
 * y[o, j, i] = x[o, index[j], i], x as [outer, length, inner], index int32/int64 of `count` entries. Constant indices have been checked
 * to be in 0..length−1. Run-time indices may be negative and then count from the end; one out of range is a ConvletError('index-range').
 */
export interface TakeAttrs {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly count: number;
}

export interface CopyPrims {
  copy: CopyAttrs;
  fill: FillAttrs;
  take: TakeAttrs;
}
