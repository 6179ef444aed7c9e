export const reduceKinds = [
  'sum',
  'mean',
  'max',
  'min',
  'prod',
  'l1',
  'l2',
  'sumSquare',
  'logSum',
  'logSumExp',
] as const;

export type ReduceKind = (typeof reduceKinds)[number];

/** x as [outer, length, inner] → y [outer, inner]. An empty axis gives the kind's neutral element (NaN for mean). */
export interface ReduceAttrs {
  readonly kind: ReduceKind;
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Position (int64) of the largest or smallest element along `length`; the first of equals, or the last. */
export interface ArgReduceAttrs {
  readonly kind: 'max' | 'min';
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly selectLast: boolean;
}

/** exp(x − max) / Σ, or its logarithm, along `length` of x as [outer, length, inner]. */
export interface SoftmaxAttrs {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly log: boolean;
}

/**
 * Gradient of softmax along `length`: gx = y·(gy − Σ gy·y), or of its logarithm: gx = gy − exp(y)·Σ gy. Inputs: y (the
 * softmax or log-softmax), gy. Output: gx.
 */
export type SoftmaxGradAttrs = SoftmaxAttrs;

export interface ReducePrims {
  softmax: SoftmaxAttrs;
  reduce: ReduceAttrs;
  argReduce: ArgReduceAttrs;
}

export interface ReduceTrainingPrims {
  softmaxGrad: SoftmaxGradAttrs;
}
