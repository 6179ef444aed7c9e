import type { Activation } from '../../backend/prims/elementwise.ts';

/** What convolutions and pools have in common; one entry per spatial axis. */
export interface SpatialAttrs {
  readonly stride: readonly number[];
  readonly padBegin: readonly number[];
  readonly padEnd: readonly number[];
  readonly dilation: readonly number[];
}

export interface ConvTransposeOpAttrs extends ConvOpAttrs {
  /** Cells added at the end of each axis of the output, fewer than stride or dilation. */
  readonly outputPadding: readonly number[];
}

export interface ConvWeightGradOpAttrs extends SpatialAttrs {
  readonly groups: number;
  readonly kernel: readonly number[];
}

export interface ConvOpAttrs extends SpatialAttrs {
  readonly groups: number;
  readonly activation: Activation | null;
}

/** Windows of a 2-d map; padding counts as zero. */
export interface UnfoldAttrs extends SpatialAttrs {
  readonly kernel: readonly number[];
}

export interface FoldAttrs extends UnfoldAttrs {
  /** Height and width of the map. */
  readonly outputSize: readonly number[];
}

export interface ConvOps {
  conv: ConvOpAttrs;
  convTranspose: ConvTransposeOpAttrs;
  convWeightGrad: ConvWeightGradOpAttrs;
  unfold: UnfoldAttrs;
  fold: FoldAttrs;
}
