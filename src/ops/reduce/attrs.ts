import type { ReduceKind } from '../../backend/prims/reduce.ts';

/** `axes` counted from 0, sorted; none reduced where empty (the kind is then applied to each element by itself). */
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
  /** Unsorted results may come in any order: they come sorted all the same. */
  readonly sorted: boolean;
}

export interface CumulativeAttrs {
  readonly axis: number;
  /** Element i gets what comes before it, without itself. */
  readonly exclusive: boolean;
  /** From the end of the axis. */
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
