// Convolutions of seven taps at stride 2 along W (the first layer of ResNet and similar networks) by Winograd's algorithm along the
// rows alone. The even and the odd columns of a kernel row are two filters of stride 1, F(4, 4) on the even and F(4, 3) on the odd
// input columns, with the same points ±½, ±1, ±2, and ∞ for the even ones. So their products are summed before the output transform,
// and four pixels take 6·2 + 1 = 13 multiplications instead of 28. The rows of a kernel are part of K, summed as in a direct
// convolution. The greatest error is four times that of a direct convolution (8.3e-7 and 2.1e-7 of the greatest Σ|x||w|).
// 3→64 @224: 4.5 → 2.5 ms relaxed, 4.8 → 2.85 plain.
//
// Bᵀ with p² = ¼, 1, 4 and the sum s and product q of the other two squares, rows ±p, on d0 … d5:
//   (d5 − s·d3 + q·d1) ± p·(d4 − s·d2 + q·d0);   ∞, on d0 … d6: d6 − 5¼·d4 + 5¼·d2 − d0
// Aᵀ: rows 1, p, p², p³ (and ∞ in the last).
import { fma, fnma } from '../common/simd';
import { runPanel, workspaceHead } from '../micro/panel';
import { sweep } from '../micro/sweep';
import { Epilogue, Tile } from '../micro/tile';
import { copyFloats, placeRows, zeroFloats } from '../pack/table';
import { storePixel } from './winograd-output';

/** Strides and offsets in bytes. A tile is four output pixels of a row. */
@unmanaged
export class WinogradRowDesc {
  x: usize;
  y: usize;
  /** Transformed weights [panels][six matrices [kernelH][even, odd][channels][8], then the one of ∞ [kernelH][channels][8]]. */
  weight: usize;
  /** `zeros` if there is none. */
  bias: usize;
  /** 256 bytes. */
  zeros: usize;
  workspace: usize;
  inputH: i32;
  inputW: i32;
  outputH: i32;
  outputW: i32;
  kernelH: i32;
  strideH: i32;
  padH: i32;
  padW: i32;
  channels: i32;
  outChannels: i32;
  pixel: u32;
  yPixel: u32;
  yRow: u32;
  yImage: u32;
  /** Tiles of an output row; output rows per unit of work, and units per image. */
  tiles: i32;
  rowBlock: i32;
  rowBlocks: i32;
  panels: i32;
  /** Rows of a full register tile. */
  tileRows: i32;
  /** Distance of matrices of V [6][tiles][input rows][even, odd][channels], of tiles of V, and of tiles of the matrix of ∞. */
  vMatrix: u32;
  vTile: u32;
  infinityTile: u32;
  /** Distance of matrices of M [7][tiles][8]. */
  mMatrix: u32;
  /** Offsets in the workspace. */
  recordsOffset: u32;
  infinityRecordsOffset: u32;
  stagingOffset: u32;
  vOffset: u32;
  infinityOffset: u32;
  mOffset: u32;
  /** Bits of Epilogue (tile.ts); residual is the distance from y to the residual. */
  epilogue: i32;
  residual: u32;
  kind: i32;
  alpha: f32;
  beta: f32;
}

/** Input columns that a tile reads. @abi */
const winogradRowColumns: i32 = 13;
/** Input columns from tile to tile. */
const columnStep: i32 = 8;

/** Stores rows ±p of Bᵀ at `to` and in the next matrix. */
// @ts-ignore: decorator
@inline
function storePoints(to: usize, matrix: usize, p: v128, odd: v128, even: v128): void {
  v128.store(to, fma(p, even, odd));
  v128.store(to + matrix, fnma(p, even, odd));
}

/** Stores Bᵀ · (d0 … d5) in the six matrices. */
// @ts-ignore: decorator
@inline
function finitePoints(to: usize, matrix: usize, d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128): void {
  const quarter = f32x4.splat(0.25);
  const five = f32x4.splat(5);
  const four = f32x4.splat(4);
  const half = f32x4.splat(0.5);
  storePoints(to, matrix, half, fma(four, d1, fnma(five, d3, d5)), fma(four, d0, fnma(five, d2, d4)));
  const middle = f32x4.splat(4.25);
  const one = f32x4.splat(1);
  to += 2 * matrix;
  storePoints(to, matrix, one, fnma(middle, d3, f32x4.add(d5, d1)), fnma(middle, d2, f32x4.add(d4, d0)));
  const large = f32x4.splat(1.25);
  const two = f32x4.splat(2);
  to += 2 * matrix;
  storePoints(to, matrix, two, fma(quarter, d1, fnma(large, d3, d5)), fma(quarter, d0, fnma(large, d2, d4)));
}

/**
 * Transforms one input row of a tile: 13 pixels from `p` on. Writes up to 12 bytes past the channels; later writes overwrite those
 * bytes: the odd columns are written after the even ones, then the next row.
 */
function transformRow(p: usize, pixel: usize, to: usize, matrix: usize, infinity: usize, channels: i32): void {
  const step = pixel << 1;
  let q = p;
  let a = to;
  for (let n = channels; n > 0; n -= 4, q += 16, a += 16, infinity += 16) {
    const d0 = v128.load(q);
    const d1 = v128.load(q + step);
    const d2 = v128.load(q + 2 * step);
    const d3 = v128.load(q + 3 * step);
    const d4 = v128.load(q + 4 * step);
    const d5 = v128.load(q + 5 * step);
    const d6 = v128.load(q + 6 * step);
    finitePoints(a, matrix, d0, d1, d2, d3, d4, d5);
    v128.store(infinity, fma(f32x4.splat(5.25), f32x4.sub(d2, d4), f32x4.sub(d6, d0)));
  }
  q = p + pixel;
  a = to + (<usize>channels << 2);
  for (let n = channels; n > 0; n -= 4, q += 16, a += 16) {
    const d0 = v128.load(q);
    const d1 = v128.load(q + step);
    const d2 = v128.load(q + 2 * step);
    const d3 = v128.load(q + 3 * step);
    const d4 = v128.load(q + 4 * step);
    const d5 = v128.load(q + 5 * step);
    finitePoints(a, matrix, d0, d1, d2, d3, d4, d5);
  }
}

/** Copies the 13 pixels of a tile that extends beyond the row's ends, with zeros outside the input. */
function stageColumns(d: WinogradRowDesc, to: usize, p: usize, iw: i32): void {
  const channels = d.channels;
  const pixel = <usize>d.pixel;
  const pitch = <usize>((channels + 3) >> 2) << 4;
  for (let t = 0; t < winogradRowColumns; t++, p += pixel, to += pitch, iw++) {
    if (<u32>iw < <u32>d.inputW) copyFloats(to, p, channels);
    else zeroFloats(to, channels);
  }
}

/** Writes V of `rows` input rows from `ih` on. */
function transformInput(d: WinogradRowDesc, image: usize, ih: i32, rows: i32): void {
  const channels = d.channels;
  const pixel = <usize>d.pixel;
  const line = pixel * d.inputW;
  const matrix = <usize>d.vMatrix;
  const rowBytes = <usize>channels << 3;
  const staging = d.workspace + d.stagingOffset;
  const stagingPixel = <usize>((channels + 3) >> 2) << 4;
  let v = d.workspace + d.vOffset;
  let w = d.workspace + d.infinityOffset;
  let iw = -d.padW;
  for (let tile = 0; tile < d.tiles; tile++, iw += columnStep, v += d.vTile, w += d.infinityTile) {
    const between = iw >= 0 && iw + winogradRowColumns <= d.inputW;
    let p = image + line * ih + pixel * iw;
    let to = v;
    let infinity = w;
    for (let r = 0; r < rows; r++, p += line, to += rowBytes, infinity += rowBytes >> 1) {
      if (<u32>(ih + r) >= <u32>d.inputH) {
        for (let j = 0; j < 6; j++) zeroFloats(to + matrix * j, channels << 1);
        zeroFloats(infinity, channels);
      } else if (between) {
        transformRow(p, pixel, to, matrix, infinity, channels);
      } else {
        stageColumns(d, staging, p, iw);
        transformRow(staging, stagingPixel, to, matrix, infinity, channels);
      }
    }
  }
}

/** Applies Aᵀ to four channels at `m` and stores the first `n` of them in `count` pixels from `y` on. */
// @ts-ignore: decorator
@inline
function outputQuad(d: WinogradRowDesc, low: v128, high: v128, m: usize, bias: v128, y: usize, count: i32, n: i32): void {
  const matrix = <usize>d.mMatrix;
  const pixel = <usize>d.yPixel;
  const epilogue = d.epilogue;
  const residual = <usize>d.residual;
  const m0 = v128.load(m);
  const m1 = v128.load(m + matrix);
  const m2 = v128.load(m + 2 * matrix);
  const m3 = v128.load(m + 3 * matrix);
  const m4 = v128.load(m + 4 * matrix);
  const m5 = v128.load(m + 5 * matrix);
  const s0 = f32x4.add(m0, m1);
  const s1 = f32x4.add(m2, m3);
  const s2 = f32x4.add(m4, m5);
  const u0 = f32x4.sub(m0, m1);
  const u1 = f32x4.sub(m2, m3);
  const u2 = f32x4.sub(m4, m5);
  storePixel(epilogue, residual, low, high, y, f32x4.add(f32x4.add(f32x4.add(s0, bias), s1), s2), n);
  if (count > 1) {
    const v = fma(f32x4.splat(2), u2, fma(f32x4.splat(0.5), u0, f32x4.add(u1, bias)));
    storePixel(epilogue, residual, low, high, y + pixel, v, n);
  }
  if (count > 2) {
    const v = fma(f32x4.splat(4), s2, fma(f32x4.splat(0.25), s0, f32x4.add(s1, bias)));
    storePixel(epilogue, residual, low, high, y + 2 * pixel, v, n);
  }
  if (count > 3) {
    const last = f32x4.add(v128.load(m + 6 * matrix), bias);
    const v = fma(f32x4.splat(8), u2, fma(f32x4.splat(0.125), u0, f32x4.add(u1, last)));
    storePixel(epilogue, residual, low, high, y + 3 * pixel, v, n);
  }
}

/** Stores one output row of `channels` (1..8) channels from M. */
function transformOutput(d: WinogradRowDesc, y: usize, bias: usize, channels: i32): void {
  const low = f32x4.splat(d.alpha);
  const high = f32x4.splat(d.beta);
  const bias0 = v128.load(bias);
  const bias1 = v128.load(bias, 16);
  const pixel = <usize>d.yPixel;
  let m = d.workspace + d.mOffset;
  for (let left = d.outputW; left > 0; left -= 4, m += 32, y += 4 * pixel) {
    const count = min(left, 4);
    outputQuad(d, low, high, m, bias0, y, count, channels);
    if (channels > 4) outputQuad(d, low, high, m + 16, bias1, y + 16, count, channels - 4);
    if (d.epilogue & Epilogue.activateStored) sweep(d.kind, d.alpha, d.beta, y, count, channels, pixel);
  }
}

/** Unit of work: a block of output rows of one image. */
export function convWinogradRow(d: WinogradRowDesc, begin: i32, end: i32): void {
  const t = changetype<Tile>(d.workspace);
  t.taps = 1;
  t.rowPitch = <usize>d.tileRows << 2;
  t.bPitch = 32;
  t.cPitch = 32;
  t.residual = 0;
  t.epilogue = 0;
  const length = d.kernelH * d.channels;
  const matrixBytes = <usize>length << 6;
  const panelBytes = matrixBytes * 6 + (matrixBytes >> 1);
  const rowBytes = <usize>(d.strideH * d.channels) << 3;
  const hasBias = d.bias != d.zeros;
  const records = d.workspace + d.recordsOffset;
  const infinityRecords = d.workspace + d.infinityRecordsOffset;
  const m = d.workspace + d.mOffset;
  const groups = placeRows(records, d.tileRows, d.tiles, d.workspace + d.vOffset, d.vTile, m, 32);
  placeRows(infinityRecords, d.tileRows, d.tiles, d.workspace + d.infinityOffset, d.infinityTile, m + 6 * d.mMatrix, 32);
  for (let unit = begin; unit < end; unit++) {
    const image = unit / d.rowBlocks;
    const first = (unit - image * d.rowBlocks) * d.rowBlock;
    const height = min(d.rowBlock, d.outputH - first);
    const x = d.x + <usize>(d.pixel * d.inputW * d.inputH) * image;
    transformInput(d, x, first * d.strideH - d.padH, (height - 1) * d.strideH + d.kernelH);
    for (let r = 0; r < height; r++) {
      let y = d.y + d.yImage * image + d.yRow * (first + r);
      let weight = d.weight;
      let bias = d.bias;
      for (let panel = 0; panel < d.panels; panel++, weight += panelBytes, y += 32) {
        t.len = length << 1;
        t.aOffset = rowBytes * r;
        let b = weight;
        let to: usize = 0;
        for (let j = 0; j < 6; j++) {
          runPanel(t, records, groups, d.zeros, b, to, 8);
          t.aOffset += d.vMatrix;
          b += matrixBytes;
          to += d.mMatrix;
        }
        t.len = length;
        t.aOffset = (rowBytes >> 1) * r;
        runPanel(t, infinityRecords, groups, d.zeros, b, 0, 8);
        transformOutput(d, y, bias, min(8, d.outChannels - (panel << 3)));
        if (hasBias) bias += 32;
      }
    }
  }
}
