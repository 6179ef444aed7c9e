import type { SoftmaxAttrs } from './reduce.ts';

/**
 * Cross entropy of log-probabilities y [outer, length, inner] with target classes [outer, inner] (int64 or int32):
 * loss = −Σ_c aim_c · y_c, aim_c = weight_c · (labelSmoothing/length + (1 − labelSmoothing if c is the target)). Inputs: y,
 * target, weight [length] or null. Outputs: loss [outer, inner], share [outer, inner] (the weight of the target's class); both are 0
 * if the target is `ignoreIndex`. Any other target that is not a class is a ConvletError('index-range').
 */
export interface CrossEntropyAttrs extends Omit<SoftmaxAttrs, 'log'> {
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
}
export const crossEntropyInputs = { y: 0, target: 1, weight: 2 } as const;

/**
 * Gradient of crossEntropy by y; with `logits`, by the logits whose log-softmax is y: gx_c = g·(exp(y_c)·Σ aim − aim_c). Inputs: y,
 * target, weight or null, gy (element `gyStep`·i for loss i), total [1] (the divisor of a mean) or null. Output: gx.
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
