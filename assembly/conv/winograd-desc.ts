/**
 * Tiles of an input of 3×3 convolutions of stride 1: what the descriptors that have their matrices V made begin with
 * (transformInput reads them as this class). Strides and offsets in bytes.
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
  /** From one matrix of V [n][chunk][channels] to the next, and from tile to tile. */
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
  /** `zeros` where there is none. */
  bias: usize;
  outputH: i32;
  outputW: i32;
  channels: i32;
  outChannels: i32;
  yPixel: u32;
  yRow: u32;
  yImage: u32;
  tiles: i32;
  /** Tiles and panels of a unit of work, and units per chunk of tiles. */
  chunk: i32;
  panelUnit: i32;
  panelUnits: i32;
  panels: i32;
  panelBytes: u32;
  /** From one matrix of the weights, and of M [n][chunk][panelUnit · 8] to the next; from tile to tile of M. */
  weightMatrix: u32;
  mMatrix: u32;
  mPitch: u32;
  /** Rows of a full register tile. */
  tileRows: i32;
  /** Offsets in the workspace. */
  recordsOffset: u32;
  mOffset: u32;
  /** Bits of tile.ts; residual is the distance from y to the residual. */
  epilogue: i32;
  residual: u32;
  kind: i32;
  alpha: f32;
  beta: f32;
}

/** Matrices of F(3×3, 4×4). @abi */
// @ts-ignore: decorator
@inline export const gradMatrices: i32 = 36;
/** Bytes from matrix to matrix of the scratch block in which a tile is transformed: 64 channels. @abi */
// @ts-ignore: decorator
@inline export const gradScratchBytes: usize = 256;
/** Workspace of finishWinogradGrad: [6 columns][3 rows] of vectors, and as many of their terms' sizes. @abi at least 6 * 3 * 16 + 6 * 3 * 16 */
// @ts-ignore: decorator
@inline export const gradFinishBytes: usize = 576;

/**
 * Gradient of such a convolution by its weight, by F(3×3, 4×4): partial[split][36][channels][outChannels, whole vectors] = Σ over the
 * split's tiles of V · W, where V is transformed x and W transformed gy; finishWinogradGrad adds the splits up and goes back to 3×3.
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
  /** Tiles in all, per split, and per pass (V and W of a pass stay in the second-level cache). */
  tiles: i32;
  splitTiles: i32;
  chunk: i32;
  /** Channels of x (a multiple of 4) and of gy (of 8) per work unit, and units along each. */
  rowBlock: i32;
  rowUnits: i32;
  columnBlock: i32;
  columnUnits: i32;
  /** From one matrix of W [36][chunk][columnBlock] to the next, and from tile to tile. */
  wMatrix: u32;
  wPitch: u32;
  wOffset: u32;
  /** From row to row of a partial's matrix, from matrix to matrix, from split to split. */
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
