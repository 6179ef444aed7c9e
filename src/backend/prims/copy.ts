/**
 * Strided copy of any dtype: y[outputOffset + Σ i·outputStrides] = x[inputOffset + Σ i·inputStrides] for all i < dims.
 * Transpose, slice (negative strides), expand (stride 0), concat and padding (offset into the output) are this.
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
 * y[o, j, i] = x[o, index[j], i], x as [outer, length, inner], index int32/int64 of `count` entries, all checked to be in
 * 0..length−1 where they are constants; a run-time index outside is a ConvletError('index-range'), negative ones count from the end.
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
