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

export interface RandomOps {
  dropoutMask: DropoutMaskAttrs;
}
