export type SampleMode = 'nearest' | 'linear' | 'cubic';
export type SamplePadding = 'zeros' | 'border' | 'reflection';

export interface NonMaxSuppressionAttrs {
  /** Boxes are [x centre, y centre, width, height] instead of two opposite corners [y1, x1, y2, x2]. */
  readonly centerPointBox: boolean;
  /** 0: no boxes. */
  readonly maxOutputBoxesPerClass: number;
  /** A box that overlaps a chosen one by more than this (intersection over union) is dropped. */
  readonly iouThreshold: number;
  /** Boxes with at most this score are ignored; −Infinity for none. */
  readonly scoreThreshold: number;
}

export interface RoiAlignAttrs {
  readonly mode: 'avg' | 'max';
  readonly outputHeight: number;
  readonly outputWidth: number;
  /** Samples per bin and axis; 0: ceil(roi size / output size). */
  readonly samplingRatio: number;
  readonly spatialScale: number;
  /** half_pixel shifts the regions by −0.5; output_half_pixel does not, and makes them at least 1 × 1 (torchvision aligned=False). */
  readonly coordinateMode: 'half_pixel' | 'output_half_pixel';
}

export interface GridSampleAttrs {
  readonly mode: SampleMode;
  readonly paddingMode: SamplePadding;
  /** −1 and 1 are the centres of the outermost pixels instead of their outer edges. */
  readonly alignCorners: boolean;
}

export interface AffineGridAttrs {
  /** [N, C, (D,) H, W] of the image to sample. */
  readonly size: readonly number[];
  readonly alignCorners: boolean;
}

export interface SampleOps {
  gridSample: GridSampleAttrs;
  gridSampleGrad: GridSampleAttrs;
  affineGrid: AffineGridAttrs;
  nonMaxSuppression: NonMaxSuppressionAttrs;
  roiAlign: RoiAlignAttrs;
}
