import type { Activation } from './elementwise.ts';

/**
 * y = activation((x − mean) / sqrt(variance + epsilon) · weight + bias) over x as [outer, channels, inner].
 * Inputs: x, weight or null, bias or null, mean, variance (all [channels]). Output: y.
 */
export interface BatchNormAttrs {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  readonly epsilon: number;
  readonly activation: Activation | null;
}
export const batchNormInputs = { x: 0, weight: 1, bias: 2, mean: 3, variance: 4 } as const;

/**
 * Statistics from the data itself: x as [outer, spatial, groups, size], mean and (biased) variance over spatial × size
 * for each (outer, group); y = activation((x − mean) / sqrt(variance + epsilon) · weight[g·size + s] + bias[g·size + s]).
 * Layer norm: spatial = groups = 1. Instance norm: size = 1. Group norm: size = channels / groups. RMS norm:
 * `subtractMean` false (mean taken as 0). Inputs: x, weight or null, bias or null. Output: y.
 */
export interface NormalizeAttrs {
  readonly outer: number;
  readonly spatial: number;
  readonly groups: number;
  readonly size: number;
  readonly epsilon: number;
  readonly subtractMean: boolean;
  readonly activation: Activation | null;
}
export const normalizeInputs = { x: 0, weight: 1, bias: 2 } as const;

/**
 * Local response normalisation across channels (Krizhevsky 2012): y = x / (bias + alpha/size · Σ x²)^beta, the sum over
 * channels c − floor((size−1)/2) … c + ceil((size−1)/2). x [outer, channels].
 */
export interface LrnAttrs {
  readonly outer: number;
  readonly channels: number;
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
}

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
 * Gradients of batch normalisation over x [rows, channels]. Inputs: x, weight or null, gy, mean, variance (both [channels], or
 * both null: then the statistics are those of x, and depend on x). Outputs: gx, gweight, gbias. With x̂ = (x − mean)·inv,
 * inv = 1/√(variance + epsilon): gbias = Σ gy, gweight = Σ gy·x̂, gx = weight·inv·gy, and with the statistics of x
 * gx = weight·inv·(gy − gbias/rows − x̂·gweight/rows) (Ioffe & Szegedy 2015).
 */
export interface BatchNormGradAttrs {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
}
export const batchNormGradInputs = { x: 0, weight: 1, gy: 2, mean: 3, variance: 4 } as const;

/**
 * Gradients of normalize (no activation). Inputs: x, weight or null, gy. Outputs: gx, gweight, gbias (both [groups·size]).
 * With g = gy·weight and means over spatial × size: gx = inv·(g − mean(g) − x̂·mean(g·x̂)), without mean(g) if the mean is
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
export const normalizeGradInputs = { x: 0, weight: 1, gy: 2 } as const;

/**
 * Gradient of lrn, s = bias + alpha/size · Σ x²: gx[i] = gy[i]·s[i]^−beta − 2·alpha·beta/size · x[i] · Σ gy[j]·x[j]·s[j]^(−beta−1)
 * over the windows j that contain i. Inputs: x, gy. Output: gx.
 */
export type LrnGradAttrs = LrnAttrs;

export interface NormPrims {
  batchNorm: BatchNormAttrs;
  normalize: NormalizeAttrs;
  lrn: LrnAttrs;
}

export interface NormTrainingPrims {
  batchNormTraining: BatchNormTrainingAttrs;
  batchNormGrad: BatchNormGradAttrs;
  normalizeGrad: NormalizeGradAttrs;
  lrnGrad: LrnGradAttrs;
}
