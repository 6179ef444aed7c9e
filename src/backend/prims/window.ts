/** Extents or steps along D, H, W; the leading axes of 1-d and 2-d convolutions are 1 (0 for padding). */
export type Triple = readonly [number, number, number];

export interface WindowAttrs {
  readonly batch: number;
  readonly input: Triple;
  readonly output: Triple;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly dilation: Triple;
  /** Zeros before the input on each axis; the padding after it follows from `output`. */
  readonly padBegin: Triple;
}
