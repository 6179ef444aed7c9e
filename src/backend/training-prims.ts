import type { AdaptivePoolAttrs, LrnAttrs, PoolAttrs, SoftmaxAttrs, UnaryAttrs, WindowAttrs } from './prims.ts';

// The prims that only training needs: gradients, statistics of a batch, losses and optimizer updates.

/**
 * Gradient of conv by its weight: gw[outChannel, c, k] = Σ over n, o of x[n, o·stride + k·dilation − pad, c] · gy[n, o, outChannel].
 * Inputs: x [batch,D,H,W,channels], gy [batch,oD,oH,oW,outChannels]. Output: gw [outChannels, channels/groups, kD,kH,kW]
 * row-major. The gradient of convTranspose by its weight is this with x and gy exchanged.
 */
export interface ConvWeightGradAttrs extends WindowAttrs {
  readonly channels: number;
  readonly outChannels: number;
  readonly groups: number;
}

/**
 * Gradient of pool by x: each window's gy goes to its cells. max: to the first maximum (with NaN to the last one, the
 * place that pool reports); average: divided as in pool; lp: gy · sign(x)·|x|^(p−1) · y^(1−p), 0 where y is 0. Inputs: x
 * (null for average), gy. Output: gx like x.
 */
export type PoolGradAttrs = PoolAttrs;

/** Gradient of adaptivePool by x. Inputs: x (null for average), gy. Output: gx. */
export type AdaptivePoolGradAttrs = AdaptivePoolAttrs;

/**
 * batchNorm with the statistics of x [rows, channels] itself: mean and biased variance per channel. The running ones
 * become old · momentum + batch · (1 − momentum), the batch's variance times `correction`. Inputs: x, weight or null, bias
 * or null, mean, variance (running, [channels]). Outputs: y, new mean, new variance (these may be the inputs' memory).
 */
export interface BatchNormTrainingAttrs {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly correction: number;
}

/**
 * Gradients of batch normalisation over x [rows, channels]. Inputs: x, weight or null, gy, mean, variance ([channels]) or
 * null both: then they are those of x, and depend on it. Outputs: gx, gweight, gbias. With x̂ = (x − mean)·inv, inv = 1/√(variance
 * + epsilon): gbias = Σ gy, gweight = Σ gy·x̂, gx = weight·inv·gy, and with own statistics weight·inv·(gy − gbias/rows −
 * x̂·gweight/rows) (Ioffe & Szegedy 2015).
 */
export interface BatchNormGradAttrs {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
}

/**
 * Gradients of normalize (no activation). Inputs: x, weight or null, gy. Outputs: gx, gweight, gbias (both [groups·size]).
 * With g = gy·weight and means over spatial × size: gx = inv·(g − mean(g) − x̂·mean(g·x̂)), without mean(g) where the mean is
 * not subtracted.
 */
export interface NormalizeGradAttrs {
  readonly outer: number;
  readonly spatial: number;
  readonly groups: number;
  readonly size: number;
  readonly epsilon: number;
  readonly subtractMean: boolean;
}

/**
 * Gradient of lrn, s = bias + alpha/size · Σ x²: gx[i] = gy[i]·s[i]^−beta − 2·alpha·beta/size · x[i] · Σ gy[j]·x[j]·s[j]^(−beta−1)
 * over the windows j that hold i. Inputs: x, gy. Output: gx.
 */
export type LrnGradAttrs = LrnAttrs;

/**
 * gx[i] = gy[i]·f′(v[i]), f being the unary kind. Inputs: v (the x or the y of the function, whichever js/unary-grad.ts
 * says for the kind), gy. `exclusive` is clip's: no gradient at the bounds themselves.
 */
export interface UnaryGradAttrs extends UnaryAttrs {
  readonly exclusive: boolean;
}

/**
 * Gradient of softmax along `length`: gx = y·(gy − Σ gy·y), or of its logarithm: gx = gy − exp(y)·Σ gy. Inputs: y (the
 * softmax or log-softmax), gy. Output: gx.
 */
export type SoftmaxGradAttrs = SoftmaxAttrs;

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

/**
 * Gradient of crossEntropy by y, or with `logits` by what y is the log-softmax of: gx_c = g·(exp(y_c)·Σ aim − aim_c). Inputs: y,
 * target, weight or null, gy (element `gyStep`·i for loss i), total [1] that a mean divided by, or null. Output: gx.
 */
export interface CrossEntropyGradAttrs extends CrossEntropyAttrs {
  readonly logits: boolean;
  readonly gyStep: 0 | 1;
}

/**
 * One step of an optimizer, in place. Inputs: parameter, gradient, up to three states (null where the kind or the variant
 * has none), hyper (the numbers of the step, `optimizerHyper`). Outputs: what is written, the same memory as the inputs.
 */
export interface OptimizerAttrs {
  readonly kind: OptimizerKind;
  readonly length: number;
}

/**
 * Entries of `hyper` by kind; flags are 0 or 1, rest1 = 1 − beta1 and the like. adam: stepSize = lr / (1 − beta1^t), decay = 1
 * − lr·weightDecay if that is decoupled, correction = 1/√(1 − beta2^t).
 */
export const optimizerHyper = {
  sgd: ['lr', 'momentum', 'dampening', 'weightDecay', 'nesterov', 'maximize', 'first'],
  adam: ['stepSize', 'beta1', 'rest1', 'beta2', 'rest2', 'epsilon', 'weightDecay', 'decay', 'correction', 'maximize'],
  rmsprop: ['lr', 'alpha', 'rest', 'epsilon', 'weightDecay', 'momentum', 'maximize'],
  adagrad: ['lr', 'epsilon', 'weightDecay', 'maximize'],
  adadelta: ['lr', 'rho', 'rest', 'epsilon', 'weightDecay', 'maximize'],
  adamax: ['stepSize', 'beta1', 'rest1', 'beta2', 'epsilon', 'weightDecay', 'maximize'],
  nadam: ['ofGrad', 'ofMean', 'beta1', 'rest1', 'beta2', 'rest2', 'epsilon', 'weightDecay', 'correction', 'maximize'],
  radam: ['stepSize', 'adaptive', 'beta1', 'rest1', 'beta2', 'rest2', 'epsilon', 'weightDecay', 'maximize'],
  rprop: ['etaMinus', 'etaPlus', 'least', 'most', 'maximize'],
  lion: ['lr', 'beta1', 'rest1', 'beta2', 'rest2', 'decay', 'maximize'],
  lamb: ['lr', 'beta1', 'rest1', 'beta2', 'rest2', 'epsilon', 'weightDecay', 'scale1', 'correction', 'maximize'],
  lambApply: ['lr'],
} as const satisfies { readonly [kind: string]: readonly string[] };

export type OptimizerKind = keyof typeof optimizerHyper;

/** Attributes of each of them by name. */
export interface TrainingPrims {
  convWeightGrad: ConvWeightGradAttrs;
  poolGrad: PoolGradAttrs;
  adaptivePoolGrad: AdaptivePoolGradAttrs;
  batchNormTraining: BatchNormTrainingAttrs;
  batchNormGrad: BatchNormGradAttrs;
  normalizeGrad: NormalizeGradAttrs;
  lrnGrad: LrnGradAttrs;
  unaryGrad: UnaryGradAttrs;
  softmaxGrad: SoftmaxGradAttrs;
  crossEntropy: CrossEntropyAttrs;
  crossEntropyGrad: CrossEntropyGradAttrs;
  optimizerStep: OptimizerAttrs;
}
