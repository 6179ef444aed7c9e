/**
 * Gradient of a convolution by its weight: partial[split][group][tap, c][o] = Σ over the split's output pixels of
 * x[pixel at the tap, c] · gy[pixel, o]; finishWeightGrad adds the splits. x [batch][D][H][W][channels], gy
 * [batch][oD][oH][oW][outChannels]. Sizes are in bytes unless stated otherwise.
 */
@unmanaged
export class ConvWeightGradDesc {
  x: usize;
  gy: usize;
  partial: usize;
  workspace: usize;
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
  /** A pixel of x and of gy, all channels. */
  pixel: u32;
  gyPixel: u32;
  /** 1: an item is one tap with `rows` channels. 0: an item is one kernel row, whose taps × channels are contiguous in x. */
  byTap: i32;
  /** Number of items, which are (group, tap) pairs; then taps of one group, and rows of A and columns of one item. */
  items: i32;
  taps: i32;
  rows: i32;
  columns: i32;
  /** Offsets of a group's channels in a pixel. */
  groupInput: u32;
  groupOutput: u32;
  /** Distance of items of a partial, of rows (whole vectors), of splits. */
  itemBytes: u32;
  rowBytes: u32;
  splitBytes: u32;
  /** Output pixels in all, per split, and per pass; the pixels of a pass stay in the first-level cache. */
  pixels: i32;
  splitPixels: i32;
  blockPixels: i32;
  /** Items and panels (8 columns each) per work unit, and the number of units along both. */
  itemBlock: i32;
  itemUnits: i32;
  panelBlock: i32;
  panelUnits: i32;
  tileRows: i32;
  /** Offsets in the workspace: gy's panels [panel][pixel][8], and copies of kernel rows that extend beyond the row's ends. */
  panelOffset: u32;
  stagingOffset: u32;
  stagingRow: u32;
}

@unmanaged
export class FinishWeightGradDesc {
  partial: usize;
  gw: usize;
  splits: i32;
  splitBytes: u32;
  groupBytes: u32;
  rowBytes: u32;
  groups: i32;
  channels: i32;
  taps: i32;
  columns: i32;
}
