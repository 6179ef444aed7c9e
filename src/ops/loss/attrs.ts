export type Reduction = 'mean' | 'sum' | 'none';

export interface CtcLossAttrs {
  /** Class of the blank. */
  readonly blank: number;
  /** A target that is too long for its input has loss 0 and no gradient instead of ∞. */
  readonly zeroInfinity: boolean;
}

export interface CrossEntropyOpAttrs {
  readonly reduction: Reduction;
  /** Targets of this value count for nothing. */
  readonly ignoreIndex: number;
  /** Share of the target that is spread evenly over all classes (Szegedy et al. 2016). */
  readonly labelSmoothing: number;
}

export interface CrossEntropyGradOpAttrs extends CrossEntropyOpAttrs {
  /** Gradient by the logits, else by the log-probabilities. */
  readonly logits: boolean;
}

export interface LossOps {
  softmaxCrossEntropy: CrossEntropyOpAttrs;
  nllLoss: CrossEntropyOpAttrs;
  crossEntropyGrad: CrossEntropyGradOpAttrs;
  ctcLoss: CtcLossAttrs;
}
