/**
 * A 3×3 convolution of stride 1 by Winograd's F(size × size, 3×3), size 4 or 2, with n = (size + 2)² matrices.
 * Strides and offsets in bytes.
 */
@unmanaged
export class WinogradDesc {
  x: usize;
  y: usize;
  /** Transformed weights [n][panels][channels][8] (pack/winograd.ts). */
  weight: usize;
  /** `zeros` where there is none. */
  bias: usize;
  /** 256 bytes. */
  zeros: usize;
  workspace: usize;
  size: i32;
  inputH: i32;
  inputW: i32;
  outputH: i32;
  outputW: i32;
  padH: i32;
  padW: i32;
  channels: i32;
  outChannels: i32;
  pixel: u32;
  yPixel: u32;
  yRow: u32;
  yImage: u32;
  /** Tiles of one image, and of all. */
  tileRowsPerImage: i32;
  tileColumns: i32;
  tiles: i32;
  /** Tiles and panels of a unit of work, and units per chunk of tiles. */
  chunk: i32;
  panelUnit: i32;
  panelUnits: i32;
  panels: i32;
  panelBytes: u32;
  /** From one matrix of the weights, of V [n][chunk][channels] and of M [n][chunk][panelUnit · 8] to the next; from tile to tile. */
  weightMatrix: u32;
  vMatrix: u32;
  vPitch: u32;
  mMatrix: u32;
  mPitch: u32;
  /** Rows of a full register tile. */
  tileRows: i32;
  /** Offsets in the workspace. */
  recordsOffset: u32;
  scratchOffset: u32;
  vOffset: u32;
  mOffset: u32;
  /** Bits of tile.ts; residual is the distance from y to the residual. */
  epilogue: i32;
  residual: u32;
  kind: i32;
  alpha: f32;
  beta: f32;
}
