import type { DType } from '../../common/dtype.ts';

export interface DropoutMaskAttrs {
  /** Shape of the mask. */
  readonly shape: readonly number[];
  /** Probability of `dropped`. */
  readonly p: number;
  /** Mask value of a kept element, 1/(1 − p) in plain dropout. */
  readonly kept: number;
  /** Mask value of a dropped element. */
  readonly dropped: number;
}

export type Distribution = 'uniform' | 'normal' | 'integers';

export interface DrawAttrs {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly distribution: Distribution;
  /** For integers: the least value, and the bound below which all values are. */
  readonly low: number;
  readonly high: number;
}

export interface RandomOps {
  draw: DrawAttrs;
  dropoutMask: DropoutMaskAttrs;
}
