// Depthwise convolution, channel multiplier 1. Four output pixels of one row at a time, four channels per vector: an input
// pixel is loaded once per kernel row for all the outputs that need it. A table [kernel row][position] holds the addresses of
// the pixels; a pixel of the padding has the address of zeros, so that one loop serves borders and interior.
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';
import { sweep } from '../micro/sweep';
import { clampTo, Epilogue } from '../micro/tile';

/**
 * A convolution over a grid of output points, like ConvDesc, with one kernel per channel. Sizes are in bytes unless stated
 * otherwise; x is [batch][D][H][W][channels].
 */
@unmanaged
export class DepthwiseDesc {
  x: usize;
  /** Panels [⌈channels/8⌉][bias, taps][8]. */
  weight: usize;
  /** Zeros in place of a pixel of the padding. */
  zeros: usize;
  y: usize;
  /** The table: `tableRows` rows of addresses. */
  workspace: usize;
  channels: i32;
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
  panelBytes: u32;
  /** What a row of the table is (DepthwiseRow), the number of taps of a row, and the number of rows. */
  row: i32;
  rowTaps: i32;
  tableRows: i32;
  /** Bits of Epilogue (tile.ts); residual is the distance from y to the residual. */
  epilogue: i32;
  residual: u32;
  kind: i32;
  alpha: f32;
  beta: f32;
}

/** What a row of the table of addresses is: one tap, or a kernel row of dilation 1 that has a separate loop. @abi */
const enum DepthwiseRow {
  tap,
  taps3stride1,
  taps3stride2,
  taps5stride1,
  taps5stride2,
  taps7stride1,
}

/** Output pixels per call: a row of the table has (depthwisePixels − 1) · stride + taps addresses. @abi */
// @ts-ignore: decorator
@inline const depthwisePixels: i32 = 4;

// @ts-ignore: decorator
@inline
function storePixel(d: DepthwiseDesc, y: usize, v: v128, channels: i32): void {
  const epilogue = d.epilogue;
  if (epilogue & Epilogue.addResidual) v = f32x4.add(v, v128.load(y + d.residual));
  if (epilogue & Epilogue.clamp) v = clampTo(v, f32x4.splat(d.alpha), f32x4.splat(d.beta));
  storeFirst(y, v, channels);
}

/** v + x · w[tap], or v if there is no such tap. `tap` and `taps` are constants after inlining. */
// @ts-ignore: decorator
@inline
function feed(tap: i32, taps: i32, x: v128, v: v128, w0: v128, w1: v128, w2: v128, w3: v128, w4: v128, w5: v128, w6: v128): v128 {
  if (tap < 0 || tap >= taps) return v;
  if (tap == 0) return fma(x, w0, v);
  if (tap == 1) return fma(x, w1, v);
  if (tap == 2) return fma(x, w2, v);
  if (tap == 3) return fma(x, w3, v);
  if (tap == 4) return fma(x, w4, v);
  if (tap == 5) return fma(x, w5, v);
  return fma(x, w6, v);
}

/**
 * `count` (1..4) output pixels from `y` on, all channels. `taps` (1, 3, 5, 7) and `stride`, the distance of output pixels in
 * table positions, are constants at every call; a table row has 3 · stride + taps addresses.
 */
// @ts-ignore: decorator
@inline
function quad(taps: i32, stride: i32, d: DepthwiseDesc, table: usize, y: usize, count: i32): void {
  const positions: i32 = (depthwisePixels - 1) * stride + taps;
  const panelBytes = <usize>d.panelBytes;
  const rows = d.tableRows;
  const yPixel = <usize>d.yPixel;
  let panel = d.weight;
  let channels = d.channels;
  let at: usize = 0;
  do {
    let w = panel + (at & 16);
    panel += at & 16 ? panelBytes : 0;
    let v0 = v128.load(w);
    let v1 = v0, v2 = v0, v3 = v0;
    w += 32;
    let p = table;
    let r = rows;
    do {
      const w0 = v128.load(w);
      const w1 = taps > 1 ? v128.load(w, 32) : w0;
      const w2 = taps > 2 ? v128.load(w, 64) : w0;
      const w3 = taps > 3 ? v128.load(w, 96) : w0;
      const w4 = taps > 4 ? v128.load(w, 128) : w0;
      const w5 = taps > 5 ? v128.load(w, 160) : w0;
      const w6 = taps > 6 ? v128.load(w, 192) : w0;
      // Position i feeds output pixel q through tap i − q · stride.
      const x0 = v128.load(load<usize>(p) + at);
      v0 = feed(0, taps, x0, v0, w0, w1, w2, w3, w4, w5, w6);
      v1 = feed(0 - stride, taps, x0, v1, w0, w1, w2, w3, w4, w5, w6);
      v2 = feed(0 - 2 * stride, taps, x0, v2, w0, w1, w2, w3, w4, w5, w6);
      v3 = feed(0 - 3 * stride, taps, x0, v3, w0, w1, w2, w3, w4, w5, w6);
      if (positions > 1) {
        const x1 = v128.load(load<usize>(p, 4) + at);
        v0 = feed(1, taps, x1, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(1 - stride, taps, x1, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(1 - 2 * stride, taps, x1, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(1 - 3 * stride, taps, x1, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      if (positions > 2) {
        const x2 = v128.load(load<usize>(p, 8) + at);
        v0 = feed(2, taps, x2, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(2 - stride, taps, x2, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(2 - 2 * stride, taps, x2, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(2 - 3 * stride, taps, x2, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      if (positions > 3) {
        const x3 = v128.load(load<usize>(p, 12) + at);
        v0 = feed(3, taps, x3, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(3 - stride, taps, x3, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(3 - 2 * stride, taps, x3, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(3 - 3 * stride, taps, x3, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      if (positions > 4) {
        const x4 = v128.load(load<usize>(p, 16) + at);
        v0 = feed(4, taps, x4, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(4 - stride, taps, x4, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(4 - 2 * stride, taps, x4, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(4 - 3 * stride, taps, x4, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      if (positions > 5) {
        const x5 = v128.load(load<usize>(p, 20) + at);
        v0 = feed(5, taps, x5, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(5 - stride, taps, x5, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(5 - 2 * stride, taps, x5, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(5 - 3 * stride, taps, x5, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      if (positions > 6) {
        const x6 = v128.load(load<usize>(p, 24) + at);
        v0 = feed(6, taps, x6, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(6 - stride, taps, x6, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(6 - 2 * stride, taps, x6, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(6 - 3 * stride, taps, x6, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      if (positions > 7) {
        const x7 = v128.load(load<usize>(p, 28) + at);
        v0 = feed(7, taps, x7, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(7 - stride, taps, x7, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(7 - 2 * stride, taps, x7, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(7 - 3 * stride, taps, x7, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      if (positions > 8) {
        const x8 = v128.load(load<usize>(p, 32) + at);
        v0 = feed(8, taps, x8, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(8 - stride, taps, x8, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(8 - 2 * stride, taps, x8, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(8 - 3 * stride, taps, x8, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      if (positions > 9) {
        const x9 = v128.load(load<usize>(p, 36) + at);
        v0 = feed(9, taps, x9, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(9 - stride, taps, x9, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(9 - 2 * stride, taps, x9, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(9 - 3 * stride, taps, x9, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      if (positions > 10) {
        const x10 = v128.load(load<usize>(p, 40) + at);
        v0 = feed(10, taps, x10, v0, w0, w1, w2, w3, w4, w5, w6);
        v1 = feed(10 - stride, taps, x10, v1, w0, w1, w2, w3, w4, w5, w6);
        v2 = feed(10 - 2 * stride, taps, x10, v2, w0, w1, w2, w3, w4, w5, w6);
        v3 = feed(10 - 3 * stride, taps, x10, v3, w0, w1, w2, w3, w4, w5, w6);
      }
      w += <usize>taps << 5;
      p += <usize>positions << 2;
      r--;
    } while (r);
    storePixel(d, y, v0, channels);
    if (count > 1) storePixel(d, y + yPixel, v1, channels);
    if (count > 2) storePixel(d, y + 2 * yPixel, v2, channels);
    if (count > 3) storePixel(d, y + 3 * yPixel, v3, channels);
    y += 16;
    at += 16;
    channels -= 4;
  } while (channels > 0);
}

function quad1s1(d: DepthwiseDesc, table: usize, y: usize, count: i32): void {
  quad(1, 1, d, table, y, count);
}

function quad3s1(d: DepthwiseDesc, table: usize, y: usize, count: i32): void {
  quad(3, 1, d, table, y, count);
}

function quad3s2(d: DepthwiseDesc, table: usize, y: usize, count: i32): void {
  quad(3, 2, d, table, y, count);
}

function quad5s1(d: DepthwiseDesc, table: usize, y: usize, count: i32): void {
  quad(5, 1, d, table, y, count);
}

function quad5s2(d: DepthwiseDesc, table: usize, y: usize, count: i32): void {
  quad(5, 2, d, table, y, count);
}

function quad7s1(d: DepthwiseDesc, table: usize, y: usize, count: i32): void {
  quad(7, 1, d, table, y, count);
}

/**
 * Writes the addresses for four output pixels from (od, oh, ow) on. `taps` as in `quad`: 1 is the general case, in which each tap
 * is a table row of four addresses; otherwise a table row is a kernel row of dilation 1.
 */
function placeQuad(d: DepthwiseDesc, table: usize, n: i32, od: i32, oh: i32, ow: i32, taps: i32): void {
  const pixel = <usize>d.pixel;
  const zeros = d.zeros;
  const inputW = d.inputW;
  const line = pixel * inputW;
  const iw = ow * d.strideW - d.padW;
  // A table row holds `positions` pixels, `step` pixels apart.
  const positions = taps == 1 ? depthwisePixels : (depthwisePixels - 1) * d.strideW + taps;
  const step = taps == 1 ? d.strideW : 1;
  const kernelW = taps == 1 ? d.kernelW : 1;
  for (let kd = 0; kd < d.kernelD; kd++) {
    const z = od * d.strideD - d.padD + kd * d.dilationD;
    for (let kh = 0; kh < d.kernelH; kh++) {
      const y = oh * d.strideH - d.padH + kh * d.dilationH;
      const valid = <u32>z < <u32>d.inputD && <u32>y < <u32>d.inputH;
      const start = d.x + line * ((n * d.inputD + z) * d.inputH + y);
      for (let kw = 0, x = iw; kw < kernelW; kw++, x += d.dilationW) {
        let p = start + pixel * x;
        if (valid && x >= 0 && x + (positions - 1) * step < inputW) {
          for (let i = 0; i < positions; i++, p += pixel * step, table += 4) store<usize>(table, p);
        } else {
          for (let i = 0, at = x; i < positions; i++, at += step, p += pixel * step, table += 4) {
            store<usize>(table, valid && <u32>at < <u32>inputW ? p : zeros);
          }
        }
      }
    }
  }
}

/** Unit of work: one row of output pixels. */
export function convDepthwise(d: DepthwiseDesc, begin: i32, end: i32): void {
  const table = d.workspace;
  const taps = d.rowTaps;
  const outputW = d.outputW;
  for (let row = begin; row < end; row++) {
    const h = row % d.outputH;
    const plane = row / d.outputH;
    const z = plane % d.outputD;
    const n = plane / d.outputD;
    let y = d.y + n * d.yBatch + z * d.yPlane + h * d.yRow;
    for (let w = 0; w < outputW; w += depthwisePixels, y += depthwisePixels * d.yPixel) {
      placeQuad(d, table, n, z, h, w, taps);
      const count = min(depthwisePixels, outputW - w);
      const kind = d.row;
      if (kind == DepthwiseRow.taps3stride1) quad3s1(d, table, y, count);
      else if (kind == DepthwiseRow.taps3stride2) quad3s2(d, table, y, count);
      else if (kind == DepthwiseRow.taps5stride1) quad5s1(d, table, y, count);
      else if (kind == DepthwiseRow.taps5stride2) quad5s2(d, table, y, count);
      else if (kind == DepthwiseRow.taps7stride1) quad7s1(d, table, y, count);
      else quad1s1(d, table, y, count);
      if (d.epilogue & Epilogue.activateStored) sweep(d.kind, d.alpha, d.beta, y, count, d.channels, d.yPixel);
    }
  }
}
