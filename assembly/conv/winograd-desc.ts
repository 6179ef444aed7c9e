/**
 * Tiles of an input of 3×3 convolutions of stride 1. A descriptor whose tiles transformInput makes into the matrices V begins
 * with these fields, and transformInput reads it as this class. Strides and offsets in bytes.
 */
@unmanaged
export class WinogradTiles {
  x: usize;
  /** 256 bytes. */
  zeros: usize;
  workspace: usize;
  size: i32;
  inputH: i32;
  inputW: i32;
  padH: i32;
  padW: i32;
  pixel: u32;
  /** Tiles of one image. */
  tileRowsPerImage: i32;
  tileColumns: i32;
  /** Distance of matrices of V [n][chunk][channels], and of tiles. */
  vMatrix: u32;
  vPitch: u32;
  /** Offsets in the workspace. */
  scratchOffset: u32;
  vOffset: u32;
}

/**
 * A 3×3 convolution of stride 1 by Winograd's F(size × size, 3×3), size 4 or 2, with n = (size + 2)² matrices.
 * Strides and offsets in bytes.
 */
@unmanaged
export class WinogradDesc {
  /** As WinogradTiles. */
  x: usize;
  zeros: usize;
  workspace: usize;
  size: i32;
  inputH: i32;
  inputW: i32;
  padH: i32;
  padW: i32;
  pixel: u32;
  tileRowsPerImage: i32;
  tileColumns: i32;
  vMatrix: u32;
  vPitch: u32;
  scratchOffset: u32;
  vOffset: u32;
  y: usize;
  /** Transformed weights [n][panels][channels][8] (pack/winograd.ts). */
  weight: usize;
  /** `zeros` if there is none. */
  bias: usize;
  outputH: i32;
  outputW: i32;
  channels: i32;
  outChannels: i32;
  yPixel: u32;
  yRow: u32;
  yImage: u32;
  tiles: i32;
  /** Tiles and panels of a unit of work, and the number of units per chunk of tiles. */
  chunk: i32;
  panelUnit: i32;
  panelUnits: i32;
  panels: i32;
  panelBytes: u32;
  /** Distance of matrices of the weights, of matrices of M [n][chunk][panelUnit · 8], and of tiles of M. */
  weightMatrix: u32;
  mMatrix: u32;
  mPitch: u32;
  /** Rows of a full register tile. */
  tileRows: i32;
  /** Offsets in the workspace. */
  recordsOffset: u32;
  mOffset: u32;
  /** Bits of Epilogue (tile.ts); residual is the distance from y to the residual. */
  epilogue: i32;
  residual: u32;
  kind: i32;
  alpha: f32;
  beta: f32;
}

/** Matrices of F(3×3, 4×4). @abi */
// @ts-ignore: decorator
@inline export const gradMatrices: i32 = 36;
/** Distance of matrices of the scratch block in which a tile is transformed: 64 channels. @abi */
// @ts-ignore: decorator
@inline export const gradScratchBytes: usize = 256;
/** Workspace of finishWinogradGrad: sums [6 columns][3 rows] of vectors, then the sums of their terms' magnitudes. @abi at least 6 * 3 * 16 + 6 * 3 * 16 */
// @ts-ignore: decorator
@inline export const gradFinishBytes: usize = 576;

/**
 * Gradient of such a convolution by its weight, by F(3×3, 4×4): partial[split][36][channels][outChannels, whole vectors] = Σ over the
 * split's tiles of V · W, where V is transformed x and W transformed gy; finishWinogradGrad adds the splits and transforms to 3×3.
 */
@unmanaged
export class WinogradGradDesc {
  /** As WinogradTiles. */
  x: usize;
  zeros: usize;
  workspace: usize;
  size: i32;
  inputH: i32;
  inputW: i32;
  padH: i32;
  padW: i32;
  pixel: u32;
  tileRowsPerImage: i32;
  tileColumns: i32;
  vMatrix: u32;
  vPitch: u32;
  scratchOffset: u32;
  vOffset: u32;
  gy: usize;
  partial: usize;
  outputH: i32;
  outputW: i32;
  channels: i32;
  outChannels: i32;
  gyPixel: u32;
  /** Tiles in all, per split, and per pass; V and W of a pass stay in the second-level cache. */
  tiles: i32;
  splitTiles: i32;
  chunk: i32;
  /** Channels of x (a multiple of 4) and of gy (a multiple of 8) per work unit, and the number of units along both. */
  rowBlock: i32;
  rowUnits: i32;
  columnBlock: i32;
  columnUnits: i32;
  /** Distance of matrices of W [36][chunk][columnBlock], and of tiles. */
  wMatrix: u32;
  wPitch: u32;
  wOffset: u32;
  /** Distance of rows of a partial's matrix, of matrices, of splits. */
  rowBytes: u32;
  matrixBytes: u32;
  splitBytes: u32;
  /** Rows of a full register tile. */
  tileRows: i32;
}

@unmanaged
export class FinishWinogradGradDesc {
  partial: usize;
  gw: usize;
  /** `gradFinishBytes`. */
  workspace: usize;
  splits: i32;
  splitBytes: u32;
  matrixBytes: u32;
  rowBytes: u32;
  channels: i32;
  columns: i32;
}
