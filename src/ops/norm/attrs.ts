import type { Activation } from '../../backend/prims/elementwise.ts';

export interface BatchNormOpAttrs {
  readonly epsilon: number;
  readonly activation: Activation | null;
}

export interface BatchNormTrainingAttrs {
  readonly epsilon: number;
  /** running = running · momentum + batch · (1 − momentum) (ONNX; PyTorch's momentum is 1 − this). */
  readonly momentum: number;
  /** True: the running variance is updated with n/(n−1) times the batch's variance (PyTorch); absent or false: with the batch's (ONNX). */
  readonly unbiased?: boolean;
}

export interface GroupNormAttrs extends BatchNormOpAttrs {
  readonly groups: number;
}

export interface LayerNormAttrs {
  /** Statistics are taken over the axes from this one to the last. */
  readonly axis: number;
  readonly epsilon: number;
}

export interface LrnOpAttrs {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
}

export interface BatchNormGradOpAttrs {
  readonly epsilon: number;
}

export interface GroupNormGradAttrs {
  readonly groups: number;
  readonly epsilon: number;
}

export interface LayerNormGradAttrs {
  readonly axis: number;
  readonly epsilon: number;
  /** False for RMS normalisation. */
  readonly subtractMean: boolean;
}

export interface LrnGradOpAttrs {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
}

export interface NormOps {
  batchNorm: BatchNormOpAttrs;
  batchNormTraining: BatchNormTrainingAttrs;
  instanceNorm: BatchNormOpAttrs;
  groupNorm: GroupNormAttrs;
  layerNorm: LayerNormAttrs & { readonly statistics: boolean };
  rmsNorm: LayerNormAttrs;
  lrn: LrnOpAttrs;
  batchNormGrad: BatchNormGradOpAttrs;
  groupNormGrad: GroupNormGradAttrs;
  layerNormGrad: LayerNormGradAttrs;
  lrnGrad: LrnGradOpAttrs;
}
