/**
 * Gradient of a convolution by its weight: partial[split][group][tap, c][o] = Σ over the split's output pixels of
 * x[pixel at the tap, c] · gy[pixel, o]; finishWeightGrad adds the splits up. x [batch][D][H][W][channels], gy
 * [batch][oD][oH][oW][outChannels]. Sizes in bytes unless said.
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
  /** 1: one item per tap, `rows` channels each. 0: one item per kernel row, whose taps × channels are contiguous in x. */
  byTap: i32;
  /** (group, tap) pairs; taps of one group, rows of A and columns of one pair. */
  items: i32;
  taps: i32;
  rows: i32;
  columns: i32;
  /** Offsets of a group's channels in a pixel. */
  groupInput: u32;
  groupOutput: u32;
  /** From item to item of a partial, from row to row (whole vectors), from split to split. */
  itemBytes: u32;
  rowBytes: u32;
  splitBytes: u32;
  /** Output pixels in all and per split, and per pass (what stays in the first-level cache). */
  pixels: i32;
  splitPixels: i32;
  blockPixels: i32;
  /** Items and panels of 8 columns per work unit, and units along each. */
  itemBlock: i32;
  itemUnits: i32;
  panelBlock: i32;
  panelUnits: i32;
  tileRows: i32;
  /** Offsets in the workspace: gy's panels [panel][pixel][8], and copies of kernel rows that stick out sideways. */
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
