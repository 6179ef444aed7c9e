// Winograd's input transform V = Bᵀ d B of overlapping tiles, 64 channels at a time: first the columns of a tile into a
// scratch ring [tile column][transformed row][64 channels], then the rows of the ring into V. Neighbouring tiles share two columns,
// so only the first tile of a row transforms all of its columns. The rows of a column outside the input are zeros.
//
// F(4×4, 3×3) with points 0, ±√½, ±√2, ∞ and F(2×2, 3×3) with points 0, ±1, ∞ (Cook–Toom: Winograd 1980; Lavin and Gray
// 2016, arXiv:1509.09308). Bᵀ for F(4,3), with a = √½ and b = √2 = 2a:
//   1   0  −5/2   0   1   0
//   0 −2a   −2    a   1   0
//   0  2a   −2   −a   1   0
//   0 −b/2  −½    b   1   0
//   0  b/2  −½   −b   1   0
//   0   1   0  −5/2   0   1
import { fma, fnma } from '../common/simd';
import { WinogradTiles } from './winograd-desc';

// Offsets of the transforms' constants in the workspace: V8 builds a literal splat again at each use, and keeps a loaded one.
// @ts-ignore: decorator
@inline
const atHalf: usize = 0;
// @ts-ignore: decorator
@inline
const atTwo: usize = 4;
// @ts-ignore: decorator
@inline
const atFiveHalves: usize = 8;
// @ts-ignore: decorator
@inline
const atSmall: usize = 12;
// @ts-ignore: decorator
@inline
const atLarge: usize = 16;

/** √½ and √2. The points are these, their negatives, 0 and ∞. */
// @ts-ignore: decorator
@inline
export const smallPoint: f32 = 0.707106769;
// @ts-ignore: decorator
@inline
export const largePoint: f32 = 1.41421354;

export function placeInputConstants(at: usize): void {
  store<f32>(at + atHalf, 0.5);
  store<f32>(at + atTwo, 2);
  store<f32>(at + atFiveHalves, 2.5);
  store<f32>(at + atSmall, smallPoint);
  store<f32>(at + atLarge, largePoint);
}

/** Channels per pass; scratch rows are that many floats apart. */
// @ts-ignore: decorator
@inline
export const strip: i32 = 64;

function column4(k: usize, p0: usize, p1: usize, p2: usize, p3: usize, p4: usize, p5: usize, to: usize, quads: i32): void {
  const half = v128.load32_splat(k, atHalf);
  const two = v128.load32_splat(k, atTwo);
  const fiveHalves = v128.load32_splat(k, atFiveHalves);
  const a = v128.load32_splat(k, atSmall);
  const b = v128.load32_splat(k, atLarge);
  do {
    const d0 = v128.load(p0);
    const d1 = v128.load(p1);
    const d2 = v128.load(p2);
    const d3 = v128.load(p3);
    const d4 = v128.load(p4);
    const d5 = v128.load(p5);
    v128.store(to, fnma(fiveHalves, d2, f32x4.add(d0, d4)));
    const u = fnma(two, d2, d4);
    const v = fnma(two, d1, d3);
    v128.store(to, fma(a, v, u), 256);
    v128.store(to, fnma(a, v, u), 512);
    const s = fnma(half, d2, d4);
    const t = fnma(half, d1, d3);
    v128.store(to, fma(b, t, s), 768);
    v128.store(to, fnma(b, t, s), 1024);
    v128.store(to, fnma(fiveHalves, d3, f32x4.add(d1, d5)), 1280);
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    p4 += 16;
    p5 += 16;
    to += 16;
    quads--;
  } while (quads);
}

function column2(p0: usize, p1: usize, p2: usize, p3: usize, to: usize, quads: i32): void {
  do {
    const d0 = v128.load(p0);
    const d1 = v128.load(p1);
    const d2 = v128.load(p2);
    const d3 = v128.load(p3);
    v128.store(to, f32x4.sub(d0, d2));
    v128.store(to, f32x4.add(d1, d2), 256);
    v128.store(to, f32x4.sub(d2, d1), 512);
    v128.store(to, f32x4.sub(d3, d1), 768);
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    to += 16;
    quads--;
  } while (quads);
}

/** Column `i` modulo 6 of the ring. `i` (0..9) is a constant at every call, since only a literal becomes an immediate offset. */
// @ts-ignore: decorator
@inline
function ring4(p: usize, i: i32): v128 {
  if (i == 0 || i == 6) return v128.load(p);
  if (i == 1 || i == 7) return v128.load(p, 1536);
  if (i == 2 || i == 8) return v128.load(p, 3072);
  if (i == 3 || i == 9) return v128.load(p, 4608);
  if (i == 4) return v128.load(p, 6144);
  return v128.load(p, 7680);
}

/** Column `i` modulo 4 of the ring of F(2,3). */
// @ts-ignore: decorator
@inline
function ring2(p: usize, i: i32): v128 {
  if (i == 0 || i == 4) return v128.load(p);
  if (i == 1 || i == 5) return v128.load(p, 1024);
  if (i == 2) return v128.load(p, 2048);
  return v128.load(p, 3072);
}

/** Transforms the rows of a tile whose first column is at position `start` of the ring. The matrices of V are `pitch` bytes apart. */
// @ts-ignore: decorator
@inline
function rows4(start: i32, k: usize, from: usize, to: usize, pitch: usize, quads: i32): void {
  const half = v128.load32_splat(k, atHalf);
  const two = v128.load32_splat(k, atTwo);
  const fiveHalves = v128.load32_splat(k, atFiveHalves);
  const a = v128.load32_splat(k, atSmall);
  const b = v128.load32_splat(k, atLarge);
  let rows = 6;
  do {
    let p = from;
    let q0 = to;
    let q1 = q0 + pitch;
    let q2 = q1 + pitch;
    let q3 = q2 + pitch;
    let q4 = q3 + pitch;
    let q5 = q4 + pitch;
    to = q5 + pitch;
    let n = quads;
    do {
      const d0 = ring4(p, start);
      const d1 = ring4(p, start + 1);
      const d2 = ring4(p, start + 2);
      const d3 = ring4(p, start + 3);
      const d4 = ring4(p, start + 4);
      const d5 = ring4(p, start + 5);
      v128.store(q0, fnma(fiveHalves, d2, f32x4.add(d0, d4)));
      const u = fnma(two, d2, d4);
      const v = fnma(two, d1, d3);
      v128.store(q1, fma(a, v, u));
      v128.store(q2, fnma(a, v, u));
      const s = fnma(half, d2, d4);
      const t = fnma(half, d1, d3);
      v128.store(q3, fma(b, t, s));
      v128.store(q4, fnma(b, t, s));
      v128.store(q5, fnma(fiveHalves, d3, f32x4.add(d1, d5)));
      p += 16;
      q0 += 16;
      q1 += 16;
      q2 += 16;
      q3 += 16;
      q4 += 16;
      q5 += 16;
      n--;
    } while (n);
    from += 256;
    rows--;
  } while (rows);
}

function rows4at0(k: usize, from: usize, to: usize, pitch: usize, quads: i32): void {
  rows4(0, k, from, to, pitch, quads);
}

function rows4at2(k: usize, from: usize, to: usize, pitch: usize, quads: i32): void {
  rows4(2, k, from, to, pitch, quads);
}

function rows4at4(k: usize, from: usize, to: usize, pitch: usize, quads: i32): void {
  rows4(4, k, from, to, pitch, quads);
}

// @ts-ignore: decorator
@inline
function rows2(start: i32, from: usize, to: usize, pitch: usize, quads: i32): void {
  let rows = 4;
  do {
    let p = from;
    let q0 = to;
    let q1 = q0 + pitch;
    let q2 = q1 + pitch;
    let q3 = q2 + pitch;
    to = q3 + pitch;
    let n = quads;
    do {
      const d0 = ring2(p, start);
      const d1 = ring2(p, start + 1);
      const d2 = ring2(p, start + 2);
      const d3 = ring2(p, start + 3);
      v128.store(q0, f32x4.sub(d0, d2));
      v128.store(q1, f32x4.add(d1, d2));
      v128.store(q2, f32x4.sub(d2, d1));
      v128.store(q3, f32x4.sub(d3, d1));
      p += 16;
      q0 += 16;
      q1 += 16;
      q2 += 16;
      q3 += 16;
      n--;
    } while (n);
    from += 256;
    rows--;
  } while (rows);
}

function rows2at0(from: usize, to: usize, pitch: usize, quads: i32): void {
  rows2(0, from, to, pitch, quads);
}

function rows2at2(from: usize, to: usize, pitch: usize, quads: i32): void {
  rows2(2, from, to, pitch, quads);
}

/** Address of row `r` of the column at `p`, or of zeros if the row is above or below the input. */
// @ts-ignore: decorator
@inline
function rowOr(zeros: usize, p: usize, line: usize, ih: i32, r: i32, height: i32): usize {
  return <u32>(ih + r) < <u32>height ? p + line * r : zeros;
}

/** Writes V of the tiles first … first + count − 1; `x` is the first of `channels` channels. `size` (4 or 2) is a constant at every call. */
// @ts-ignore: decorator
@inline
function inputTiles(size: i32, d: WinogradTiles, k: usize, x: usize, channels: i32, first: i32, count: i32): void {
  const edge = size + 2;
  const inputH = d.inputH;
  const inputW = d.inputW;
  const pixel = <usize>d.pixel;
  const line = pixel * inputW;
  const image = line * inputH;
  const zeros = d.zeros;
  const tileColumns = d.tileColumns;
  const scratch = d.workspace + d.scratchOffset;
  const vMatrix = <usize>d.vMatrix;
  let v = d.workspace + d.vOffset;
  do {
    const quads = (min(channels, strip) + 3) >> 2;
    let tw = first % tileColumns;
    const line0 = first / tileColumns;
    let th = line0 % d.tileRowsPerImage;
    let n = line0 / d.tileRowsPerImage;
    let start = 0;
    let fresh = true;
    let to = v;
    let left = count;
    do {
      const ih = th * size - d.padH;
      const iw = tw * size - d.padW;
      const between = ih >= 0 && ih + edge <= inputH;
      let j = fresh ? 0 : 2;
      let p = x + image * n + line * ih + pixel * (iw + j);
      do {
        let slot = start + j;
        if (slot >= edge) slot -= edge;
        const at = scratch + slot * (edge << 8);
        const inside = <u32>(iw + j) < <u32>inputW;
        if (size == 4) {
          if (inside && between) {
            column4(k, p, p + line, p + 2 * line, p + 3 * line, p + 4 * line, p + 5 * line, at, quads);
          } else {
            const height = inside ? inputH : 0;
            column4(
              k,
              rowOr(zeros, p, line, ih, 0, height),
              rowOr(zeros, p, line, ih, 1, height),
              rowOr(zeros, p, line, ih, 2, height),
              rowOr(zeros, p, line, ih, 3, height),
              rowOr(zeros, p, line, ih, 4, height),
              rowOr(zeros, p, line, ih, 5, height),
              at,
              quads,
            );
          }
        } else if (inside && between) {
          column2(p, p + line, p + 2 * line, p + 3 * line, at, quads);
        } else {
          const height = inside ? inputH : 0;
          column2(
            rowOr(zeros, p, line, ih, 0, height),
            rowOr(zeros, p, line, ih, 1, height),
            rowOr(zeros, p, line, ih, 2, height),
            rowOr(zeros, p, line, ih, 3, height),
            at,
            quads,
          );
        }
        p += pixel;
        j++;
      } while (j < edge);
      if (size == 4) {
        if (start == 0) rows4at0(k, scratch, to, vMatrix, quads);
        else if (start == 4) rows4at4(k, scratch, to, vMatrix, quads);
        else rows4at2(k, scratch, to, vMatrix, quads);
      } else if (start == 0) {
        rows2at0(scratch, to, vMatrix, quads);
      } else {
        rows2at2(scratch, to, vMatrix, quads);
      }
      start += size;
      if (start >= edge) start -= edge;
      fresh = false;
      if (++tw == tileColumns) {
        tw = 0;
        start = 0;
        fresh = true;
        if (++th == d.tileRowsPerImage) {
          th = 0;
          n++;
        }
      }
      to += d.vPitch;
      left--;
    } while (left);
    x += 256;
    v += 256;
    channels -= strip;
  } while (channels > 0);
}

function inputTiles4(d: WinogradTiles, k: usize, x: usize, channels: i32, first: i32, count: i32): void {
  inputTiles(4, d, k, x, channels, first, count);
}

function inputTiles2(d: WinogradTiles, k: usize, x: usize, channels: i32, first: i32, count: i32): void {
  inputTiles(2, d, k, x, channels, first, count);
}

/** `k`: address of the constants (placeInputConstants); `x`: the first of `channels` channels of the first pixel. */
export function transformInput(d: WinogradTiles, k: usize, x: usize, channels: i32, first: i32, count: i32): void {
  if (d.size == 4) inputTiles4(d, k, x, channels, first, count);
  else inputTiles2(d, k, x, channels, first, count);
}
