// Winograd's output transform Y = Aᵀ M A, 64 channels of a tile at a time: first the columns into a scratch block
// [column][output row][64 channels], then the output rows that exist, with bias, residual and activation, into y.
// Aᵀ for F(4,3), points as in winograd-input.ts, a = √½, b = √2:
//   1  1   1   1    1   0
//   0  a  −a   b   −b   0
//   0  ½   ½   2    2   0
//   0 a/2 −a/2 2b  −2b  1
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';
import { sweep } from '../micro/sweep';
import { clampTo, Epilogue } from '../micro/tile';
import { WinogradDesc } from './winograd-desc';
import { largePoint, smallPoint, strip } from './winograd-input';

// @ts-ignore: decorator
@inline
export const atHalf: usize = 0;
// @ts-ignore: decorator
@inline
export const atTwo: usize = 4;
// @ts-ignore: decorator
@inline
export const atSmall: usize = 8;
// @ts-ignore: decorator
@inline
export const atLarge: usize = 12;
/** a³ and b³. */
// @ts-ignore: decorator
@inline
export const atSmallCube: usize = 16;
// @ts-ignore: decorator
@inline
export const atLargeCube: usize = 20;

export function placeOutputConstants(at: usize): void {
  store<f32>(at + atHalf, 0.5);
  store<f32>(at + atTwo, 2);
  store<f32>(at + atSmall, smallPoint);
  store<f32>(at + atLarge, largePoint);
  store<f32>(at + atSmallCube, 0.5 * smallPoint);
  store<f32>(at + atLargeCube, 2 * largePoint);
}

/** Transforms the columns. The matrices of M are `pitch` bytes apart, numbered row by row of the tile. */
function columns4(k: usize, from: usize, pitch: usize, to: usize, quads: i32): void {
  const half = v128.load32_splat(k, atHalf);
  const two = v128.load32_splat(k, atTwo);
  const a = v128.load32_splat(k, atSmall);
  const b = v128.load32_splat(k, atLarge);
  const aCube = v128.load32_splat(k, atSmallCube);
  const bCube = v128.load32_splat(k, atLargeCube);
  const down = <usize>6 * pitch;
  let columns = 6;
  do {
    let p0 = from;
    let p1 = p0 + down;
    let p2 = p1 + down;
    let p3 = p2 + down;
    let p4 = p3 + down;
    let p5 = p4 + down;
    let q = to;
    let n = quads;
    do {
      const m1 = v128.load(p1);
      const m2 = v128.load(p2);
      const m3 = v128.load(p3);
      const m4 = v128.load(p4);
      const s = f32x4.add(m1, m2);
      const t = f32x4.add(m3, m4);
      const u = f32x4.sub(m1, m2);
      const v = f32x4.sub(m3, m4);
      v128.store(q, f32x4.add(f32x4.add(v128.load(p0), s), t));
      v128.store(q, fma(b, v, f32x4.mul(a, u)), 256);
      v128.store(q, fma(two, t, f32x4.mul(half, s)), 512);
      v128.store(q, fma(bCube, v, fma(aCube, u, v128.load(p5))), 768);
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
      p4 += 16;
      p5 += 16;
      q += 16;
      n--;
    } while (n);
    from += pitch;
    to += 1024;
    columns--;
  } while (columns);
}

function columns2(from: usize, pitch: usize, to: usize, quads: i32): void {
  const down = pitch << 2;
  let columns = 4;
  do {
    let p0 = from;
    let p1 = p0 + down;
    let p2 = p1 + down;
    let p3 = p2 + down;
    let q = to;
    let n = quads;
    do {
      const m1 = v128.load(p1);
      const m2 = v128.load(p2);
      v128.store(q, f32x4.add(f32x4.add(v128.load(p0), m1), m2));
      v128.store(q, f32x4.add(f32x4.sub(m1, m2), v128.load(p3)), 256);
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
      q += 16;
      n--;
    } while (n);
    from += pitch;
    to += 512;
    columns--;
  } while (columns);
}

// @ts-ignore: decorator
@inline
export function storePixel(epilogue: i32, residual: usize, low: v128, high: v128, q: usize, v: v128, n: i32): void {
  if (epilogue & Epilogue.addResidual) v = f32x4.add(v, v128.load(q + residual));
  if (epilogue & Epilogue.clamp) v = clampTo(v, low, high);
  storeFirst(q, v, n);
}

/** Stores `rows` × `count` pixels (1..4 each) of `channels` (≤ 64) from the scratch block at `from`. */
function rows4(d: WinogradDesc, k: usize, from: usize, bias: usize, y: usize, rows: i32, count: i32, channels: i32): void {
  const half = v128.load32_splat(k, atHalf);
  const two = v128.load32_splat(k, atTwo);
  const a = v128.load32_splat(k, atSmall);
  const b = v128.load32_splat(k, atLarge);
  const aCube = v128.load32_splat(k, atSmallCube);
  const bCube = v128.load32_splat(k, atLargeCube);
  const low = f32x4.splat(d.alpha);
  const high = f32x4.splat(d.beta);
  const pixel = <usize>d.yPixel;
  const epilogue = d.epilogue;
  const residual = <usize>d.residual;
  do {
    let p = from;
    let q = y;
    let w = bias;
    let n = channels;
    do {
      const m1 = v128.load(p, 1024);
      const m2 = v128.load(p, 2048);
      const m3 = v128.load(p, 3072);
      const m4 = v128.load(p, 4096);
      const c = v128.load(w);
      const s = f32x4.add(m1, m2);
      const t = f32x4.add(m3, m4);
      const u = f32x4.sub(m1, m2);
      const v = f32x4.sub(m3, m4);
      storePixel(epilogue, residual, low, high, q, f32x4.add(f32x4.add(f32x4.add(v128.load(p), c), s), t), n);
      if (count > 1) storePixel(epilogue, residual, low, high, q + pixel, fma(b, v, fma(a, u, c)), n);
      if (count > 2) storePixel(epilogue, residual, low, high, q + 2 * pixel, fma(two, t, fma(half, s, c)), n);
      if (count > 3) {
        const last = fma(bCube, v, fma(aCube, u, f32x4.add(v128.load(p, 5120), c)));
        storePixel(epilogue, residual, low, high, q + 3 * pixel, last, n);
      }
      p += 16;
      q += 16;
      w += 16;
      n -= 4;
    } while (n > 0);
    if (epilogue & Epilogue.activateStored) sweep(d.kind, d.alpha, d.beta, y, count, channels, pixel);
    from += 256;
    y += d.yRow;
    rows--;
  } while (rows);
}

function rows2(d: WinogradDesc, from: usize, bias: usize, y: usize, rows: i32, count: i32, channels: i32): void {
  const low = f32x4.splat(d.alpha);
  const high = f32x4.splat(d.beta);
  const pixel = <usize>d.yPixel;
  const epilogue = d.epilogue;
  const residual = <usize>d.residual;
  do {
    let p = from;
    let q = y;
    let w = bias;
    let n = channels;
    do {
      const m1 = v128.load(p, 512);
      const m2 = v128.load(p, 1024);
      const c = v128.load(w);
      storePixel(epilogue, residual, low, high, q, f32x4.add(f32x4.add(f32x4.add(v128.load(p), c), m1), m2), n);
      if (count > 1) {
        const last = f32x4.add(f32x4.sub(m1, m2), f32x4.add(v128.load(p, 1536), c));
        storePixel(epilogue, residual, low, high, q + pixel, last, n);
      }
      p += 16;
      q += 16;
      w += 16;
      n -= 4;
    } while (n > 0);
    if (epilogue & Epilogue.activateStored) sweep(d.kind, d.alpha, d.beta, y, count, channels, pixel);
    from += 256;
    y += d.yRow;
    rows--;
  } while (rows);
}

/** Stores y of the tiles first … first + count − 1 and of `channels` output channels from `channel` on, which are the first of M. */
export function transformOutput(d: WinogradDesc, k: usize, first: i32, count: i32, channel: i32, channels: i32): void {
  const size = d.size;
  const tileColumns = d.tileColumns;
  const scratch = d.workspace + d.scratchOffset;
  const mMatrix = <usize>d.mMatrix;
  const hasBias = d.bias != d.zeros;
  let tw = first % tileColumns;
  const line = first / tileColumns;
  let th = line % d.tileRowsPerImage;
  let n = line / d.tileRowsPerImage;
  let from = d.workspace + d.mOffset;
  do {
    const rows = min(size, d.outputH - th * size);
    const columns = min(size, d.outputW - tw * size);
    let y = d.y + n * d.yImage + th * size * d.yRow + tw * size * d.yPixel + (channel << 2);
    let bias = d.bias + (hasBias ? <usize>channel << 2 : 0);
    let m = from;
    let left = channels;
    do {
      const some = min(left, strip);
      const quads = (some + 3) >> 2;
      if (size == 4) {
        columns4(k, m, mMatrix, scratch, quads);
        rows4(d, k, scratch, bias, y, rows, columns, some);
      } else {
        columns2(m, mMatrix, scratch, quads);
        rows2(d, scratch, bias, y, rows, columns, some);
      }
      y += 256;
      m += 256;
      if (hasBias) bias += 256;
      left -= strip;
    } while (left > 0);
    from += d.mPitch;
    if (++tw == tileColumns) {
      tw = 0;
      if (++th == d.tileRowsPerImage) {
        th = 0;
        n++;
      }
    }
    count--;
  } while (count);
}
