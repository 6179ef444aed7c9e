import type { DType } from '../../common/dtype.ts';

export interface DropoutMaskAttrs {
  /** Of the mask. */
  readonly shape: readonly number[];
  /** Probability of `dropped`. */
  readonly p: number;
  /** Value of an element that stays, 1/(1 − p) in plain dropout. */
  readonly kept: number;
  /** Value of one that goes. */
  readonly dropped: number;
}

export type Distribution = 'uniform' | 'normal' | 'integers';

export interface DrawAttrs {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly distribution: Distribution;
  /** Of integers: the least, and what all are below. */
  readonly low: number;
  readonly high: number;
}

export interface RandomOps {
  draw: DrawAttrs;
  dropoutMask: DropoutMaskAttrs;
}
