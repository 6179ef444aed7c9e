export type InterpolateMode = 'nearest' | 'linear' | 'cubic' | 'area' | 'lanczos3';
export type CoordinateMode =
  | 'half_pixel'
  | 'half_pixel_symmetric'
  | 'pytorch_half_pixel'
  | 'align_corners'
  | 'asymmetric'
  | 'tf_half_pixel_for_nn'
  | 'tf_crop_and_resize';
export type NearestMode = 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil';

export interface InterpolateAttrs {
  /** Full rank: any axis may be resized. */
  readonly outputShape: readonly number[];
  /** Full rank, output cells per input cell; null: output / input. */
  readonly scales: readonly number[] | null;
  readonly mode: InterpolateMode;
  readonly coordinateMode: CoordinateMode;
  readonly nearestMode: NearestMode;
  /** −0.75 in PyTorch and ONNX, −0.5 in Keys' paper, PIL and PyTorch's antialiased bicubic. */
  readonly cubicCoeffA: number;
  /** Cells outside the input have weight 0, instead of the value of the edge. PyTorch's antialias and PIL: true. */
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
  /** The value of samples outside the input, for tf_crop_and_resize. */
  readonly extrapolationValue: number;
  /** Starts of all axes, then ends (0…1), for tf_crop_and_resize. */
  readonly roi: readonly number[] | null;
}

export interface InterpolateGradAttrs extends InterpolateAttrs {
  /** Shape of interpolate's input. */
  readonly inputShape: readonly number[];
}

export interface InterpolateOps {
  interpolate: InterpolateAttrs;
  interpolateGrad: InterpolateGradAttrs;
}
