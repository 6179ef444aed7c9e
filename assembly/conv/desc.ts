/**
 * Convolution over an output grid: y[grid point o] = epilogue(bias + Σ_k w[k] · x[o·stride + k·dilation − pad]). Dilations may be
 * negative and output strides are free, so one phase of a transposed convolution is a case of it. Sizes are in bytes unless
 * stated otherwise; x is [batch][D][H][W][channels].
 */
@unmanaged
export class ConvDesc {
  x: usize;
  /** Panels [groups][⌈columns/8⌉][bias, taps × channels][8]. */
  weight: usize;
  /** Zeros that replace padding: at least as many as a pixel has, in mode `byRun` as a run has. */
  zeros: usize;
  y: usize;
  workspace: usize;
  batch: i32;
  inputD: i32;
  inputH: i32;
  inputW: i32;
  outputD: i32;
  outputH: i32;
  outputW: i32;
  kernelD: i32;
  kernelH: i32;
  kernelW: i32;
  strideD: i32;
  strideH: i32;
  strideW: i32;
  dilationD: i32;
  dilationH: i32;
  dilationW: i32;
  padD: i32;
  padH: i32;
  padW: i32;
  /** Bytes of an input pixel, all channels. */
  pixel: u32;
  yPixel: u32;
  yRow: u32;
  yPlane: u32;
  yBatch: u32;
  /** 1 if the grid points of consecutive rows are `yPixel` apart too. */
  contiguous: i32;
  /** Where rows of A are read (Addressing). */
  mode: i32;
  /** Addresses per row of A, and contiguous elements at each. */
  taps: i32;
  len: i32;
  /** Output channels of one group, and the number of panels that hold them. */
  columns: i32;
  groupPanels: i32;
  panels: i32;
  panelBytes: u32;
  /** Offset of a group's channels in an input and in an output pixel. */
  groupInput: u32;
  groupOutput: u32;
  /** Rows of a full register tile; rows of A per unit of work (acrossImages: pixels of an image, padded: output rows), panels per unit. */
  tileRows: i32;
  rowBlock: i32;
  panelBlock: i32;
  /** Units per row block. */
  panelBlocks: i32;
  /** Offsets in the workspace. */
  stagingOffset: u32;
  /** Bits of Epilogue (tile.ts); residual is the distance from y to the residual. */
  epilogue: i32;
  residual: u32;
  kind: i32;
  alpha: f32;
  beta: f32;
}
