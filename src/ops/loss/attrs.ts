export type Reduction = 'mean' | 'sum' | 'none';

export interface CtcLossAttrs {
  /** Class of the blank. */
  readonly blank: number;
  /** A target that is too long for its input has loss 0 and no gradient instead of ∞. */
  readonly zeroInfinity: boolean;
}

export interface CrossEntropyOpAttrs {
  readonly reduction: Reduction;
  /** Targets of this value are ignored: their loss and gradient are 0. */
  readonly ignoreIndex: number;
  /** Share of the target that is distributed evenly over all classes (Szegedy et al. 2016). */
  readonly labelSmoothing: number;
}

export interface CrossEntropyGradOpAttrs extends CrossEntropyOpAttrs {
  /** True: gradient by the logits; false: by the log-probabilities. */
  readonly logits: boolean;
}

export interface LossOps {
  softmaxCrossEntropy: CrossEntropyOpAttrs;
  nllLoss: CrossEntropyOpAttrs;
  crossEntropyGrad: CrossEntropyGradOpAttrs;
  ctcLoss: CtcLossAttrs;
}
