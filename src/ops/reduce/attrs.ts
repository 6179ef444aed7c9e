import type { ReduceKind } from '../../backend/prims/reduce.ts';

/** `axes` count from 0 and are sorted. If there are none, the kind is applied to each element by itself. */
export interface ReduceOpAttrs {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

export interface ArgReduceOpAttrs {
  readonly axis: number;
  readonly keepDims: boolean;
  readonly selectLast: boolean;
}

export interface SoftmaxGradOpAttrs {
  readonly axis: number;
  /** y is the logarithm. */
  readonly log: boolean;
}

export interface SoftmaxOpAttrs {
  readonly axis: number;
}

export interface TopKAttrs {
  readonly k: number;
  readonly axis: number;
  readonly largest: boolean;
  /** False allows any order of the results; they are sorted in any case. */
  readonly sorted: boolean;
}

export interface CumulativeAttrs {
  readonly axis: number;
  /** Element i is the result of the elements before it, without element i itself. */
  readonly exclusive: boolean;
  /** True: from the end of the axis to its start. */
  readonly reverse: boolean;
}

export type ReduceName = `reduce${Capitalize<ReduceKind>}`;

type ReduceOfKind = { [N in ReduceName]: ReduceOpAttrs };

export interface ReduceOps extends ReduceOfKind {
  argMax: ArgReduceOpAttrs;
  argMin: ArgReduceOpAttrs;
  softmax: SoftmaxOpAttrs;
  logSoftmax: SoftmaxOpAttrs;
  softmaxGrad: SoftmaxGradOpAttrs;
  topK: TopKAttrs;
  cumSum: CumulativeAttrs;
  cumProd: CumulativeAttrs;
  cumProdGrad: CumulativeAttrs;
}
