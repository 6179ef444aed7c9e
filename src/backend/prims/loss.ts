import type { SoftmaxAttrs } from './reduce.ts';

/**
 * Cross entropy of log-probabilities y [outer, length, inner] with target classes [outer, inner] (int64 or int32):
 * loss = −Σ_c aim_c · y_c, aim_c = weight_c · (labelSmoothing/length + (1 − labelSmoothing if c is the target)). Inputs: y,
 * target, weight [length] or null. Outputs: loss [outer, inner], share [outer, inner] (the target's weight); both are 0
 * where the target is `ignoreIndex`. Other targets that are no class are a ConvletError('index-range').
 */
export interface CrossEntropyAttrs extends Omit<SoftmaxAttrs, 'log'> {
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
}
export const crossEntropyInputs = { y: 0, target: 1, weight: 2 } as const;

/**
 * Gradient of crossEntropy by y, or with `logits` by what y is the log-softmax of: gx_c = g·(exp(y_c)·Σ aim − aim_c). Inputs: y,
 * target, weight or null, gy (element `gyStep`·i for loss i), total [1] that a mean divided by, or null. Output: gx.
 */
export interface CrossEntropyGradAttrs extends CrossEntropyAttrs {
  readonly logits: boolean;
  readonly gyStep: 0 | 1;
}
export const crossEntropyGradInputs = { y: 0, target: 1, weight: 2, gy: 3, total: 4 } as const;

export interface LossTrainingPrims {
  crossEntropy: CrossEntropyAttrs;
  crossEntropyGrad: CrossEntropyGradAttrs;
}
