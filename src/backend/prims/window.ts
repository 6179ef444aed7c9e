/** Extents or steps along D, H, W; 1-d and 2-d convolutions have 1 (0 for padding) in front. */
export type Triple = readonly [number, number, number];

export interface WindowAttrs {
  readonly batch: number;
  readonly input: Triple;
  readonly output: Triple;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly dilation: Triple;
  /** Zeros in front of each axis; what lies behind follows from `output`. */
  readonly padBegin: Triple;
}
