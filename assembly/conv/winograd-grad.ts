// The gradient of a 3×3 convolution of stride 1 by its weight as a convolution of tiles, F(3×3, 4×4): the transpose of F(4×4, 3×3), with
// the same points. gw = Gᵀ [Σ over tiles of (Bᵀ x B) ⊙ (A gy Aᵀ)] G: 36 multiplications of 6×6 pixels of x and 4×4 of gy instead of 144,
// and the sum over tiles is a product of matrices for each of the 36. The parts of a sum depend on the shapes alone, as in
// conv-weight-grad.ts. A is the transpose of Aᵀ in winograd-output.ts, G is that of pack/winograd.ts.
import { fma, fnma } from '../common/simd';
import { Outer, runOuterRows } from '../micro/outer';
import { FinishWinogradGradDesc, gradMatrices, WinogradGradDesc, WinogradTiles } from './winograd-desc';
import { largePoint, placeInputConstants, smallPoint, strip, transformInput } from './winograd-input';
import { atHalf, atLarge, atLargeCube, atSmall, atSmallCube, atTwo, placeOutputConstants } from './winograd-output';

/** Offsets in the workspace, after the Outer: its one run, then the constants of the transforms. @abi at least offsetof<Outer>() */
// @ts-ignore: decorator
@inline
const runOffset: usize = 64;
// @ts-ignore: decorator
@inline
const inputConstants: usize = 96;
// @ts-ignore: decorator
@inline
const outputConstants: usize = 128;
/** Bytes at the start of the workspace that the kernel uses itself; the host places the rest after them. @abi at least 128 + 2 * 32 */
// @ts-ignore: decorator
@inline
const winogradGradHead: usize = 192;

/** Transforms a column of a tile of gy into the scratch block [column][6 rows][64 channels]. */
function gradColumn(k: usize, p0: usize, p1: usize, p2: usize, p3: usize, to: usize, quads: i32): void {
  const half = v128.load32_splat(k, atHalf);
  const two = v128.load32_splat(k, atTwo);
  const a = v128.load32_splat(k, atSmall);
  const b = v128.load32_splat(k, atLarge);
  const aCube = v128.load32_splat(k, atSmallCube);
  const bCube = v128.load32_splat(k, atLargeCube);
  do {
    const g0 = v128.load(p0);
    const g1 = v128.load(p1);
    const g2 = v128.load(p2);
    const g3 = v128.load(p3);
    v128.store(to, g0);
    const u = fma(half, g2, g0);
    const v = fma(aCube, g3, f32x4.mul(a, g1));
    v128.store(to, f32x4.add(u, v), 256);
    v128.store(to, f32x4.sub(u, v), 512);
    const s = fma(two, g2, g0);
    const t = fma(bCube, g3, f32x4.mul(b, g1));
    v128.store(to, f32x4.add(s, t), 768);
    v128.store(to, f32x4.sub(s, t), 1024);
    v128.store(to, g3, 1280);
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    to += 16;
    quads--;
  } while (quads);
}

/** Transforms the rows of the scratch block into W, whose matrices are `pitch` bytes apart. */
function gradRows(k: usize, from: usize, to: usize, pitch: usize, quads: i32): void {
  const half = v128.load32_splat(k, atHalf);
  const two = v128.load32_splat(k, atTwo);
  const a = v128.load32_splat(k, atSmall);
  const b = v128.load32_splat(k, atLarge);
  const aCube = v128.load32_splat(k, atSmallCube);
  const bCube = v128.load32_splat(k, atLargeCube);
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
      const g0 = v128.load(p);
      const g1 = v128.load(p, 1536);
      const g2 = v128.load(p, 3072);
      const g3 = v128.load(p, 4608);
      v128.store(q0, g0);
      const u = fma(half, g2, g0);
      const v = fma(aCube, g3, f32x4.mul(a, g1));
      v128.store(q1, f32x4.add(u, v));
      v128.store(q2, f32x4.sub(u, v));
      const s = fma(two, g2, g0);
      const t = fma(bCube, g3, f32x4.mul(b, g1));
      v128.store(q3, f32x4.add(s, t));
      v128.store(q4, f32x4.sub(s, t));
      v128.store(q5, g3);
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

/** W of the tiles first … first + count − 1 for `columns` channels of gy from `gy` on; pixels beyond the output are zeros. */
function transformGrad(d: WinogradGradDesc, gy: usize, columns: i32, first: i32, count: i32): void {
  const k = d.workspace + outputConstants;
  const scratch = d.workspace + d.scratchOffset;
  const pixel = <usize>d.gyPixel;
  const line = pixel * d.outputW;
  const zeros = d.zeros;
  const tileColumns = d.tileColumns;
  let w = d.workspace + d.wOffset;
  do {
    const quads = (min(columns, strip) + 3) >> 2;
    let tw = first % tileColumns;
    const line0 = first / tileColumns;
    let th = line0 % d.tileRowsPerImage;
    let n = line0 / d.tileRowsPerImage;
    let to = w;
    let left = count;
    do {
      const rows = d.outputH - (th << 2);
      const cells = d.outputW - (tw << 2);
      let p = gy + line * (n * d.outputH + (th << 2)) + pixel * (tw << 2);
      let at = scratch;
      for (let j = 0; j < 4; j++) {
        const height = j < cells ? rows : 0;
        gradColumn(
          k,
          height > 0 ? p : zeros,
          height > 1 ? p + line : zeros,
          height > 2 ? p + 2 * line : zeros,
          height > 3 ? p + 3 * line : zeros,
          at,
          quads,
        );
        p += pixel;
        at += 1536;
      }
      gradRows(k, scratch, to, d.wMatrix, quads);
      if (++tw == tileColumns) {
        tw = 0;
        if (++th == d.tileRowsPerImage) {
          th = 0;
          n++;
        }
      }
      to += d.wPitch;
      left--;
    } while (left);
    gy += 256;
    w += 256;
    columns -= strip;
  } while (columns > 0);
}

/** Unit of work: a split × a block of x's channels × a block of gy's. */
export function winogradWeightGrad(d: WinogradGradDesc, begin: i32, end: i32): void {
  const t = changetype<Outer>(d.workspace);
  const run = d.workspace + runOffset;
  t.runs = run;
  t.count = 1;
  t.aStep = d.vPitch;
  t.bStep = d.wPitch;
  t.cPitch = d.rowBytes;
  // The run's addresses are 0: each call of runOuterRows gives the addresses of its matrices.
  store<usize>(run, 0);
  store<usize>(run, 0, 4);
  placeInputConstants(d.workspace + inputConstants);
  placeOutputConstants(d.workspace + outputConstants);
  const v = d.workspace + d.vOffset;
  const w = d.workspace + d.wOffset;
  for (let unit = begin; unit < end; unit++) {
    const column = (unit % d.columnUnits) * d.columnBlock;
    const columns = min(d.columnBlock, d.outChannels - column);
    const rest = unit / d.columnUnits;
    const row = (rest % d.rowUnits) * d.rowBlock;
    const rows = min(d.rowBlock, d.channels - row);
    const split = rest / d.rowUnits;
    const partial = d.partial + <usize>d.splitBytes * split + <usize>d.rowBytes * row + (column << 2);
    const width = min(<usize>columns << 2, <usize>d.rowBytes - (column << 2));
    for (let m = 0; m < gradMatrices; m++) {
      let c = partial + <usize>d.matrixBytes * m;
      for (let i = 0; i < rows; i++, c += d.rowBytes) memory.fill(c, 0, width);
    }
    const last = min((split + 1) * d.splitTiles, d.tiles);
    for (let first = split * d.splitTiles; first < last; first += d.chunk) {
      const count = min(d.chunk, last - first);
      transformInput(
        changetype<WinogradTiles>(d),
        d.workspace + inputConstants,
        d.x + (row << 2),
        rows,
        first,
        count,
      );
      transformGrad(d, d.gy + (column << 2), columns, first, count);
      store<i32>(run, count, 8);
      for (let m = 0; m < gradMatrices; m++) {
        const a = v + <usize>d.vMatrix * m;
        const b = w + <usize>d.wMatrix * m;
        const c = partial + <usize>d.matrixBytes * m;
        for (let j = 0; j < columns; j += 8) {
          runOuterRows(t, rows, d.tileRows, columns - j, a, b + (j << 2), c + (j << 2));
        }
      }
    }
  }
}

/** The sum of one element over all splits, four columns. */
// @ts-ignore: decorator
@inline
function sum(d: FinishWinogradGradDesc, p: usize): v128 {
  let v = v128.load(p);
  for (let s = d.splits - 1; s > 0; s--) {
    p += d.splitBytes;
    v = f32x4.add(v, v128.load(p));
  }
  return v;
}

/**
 * Element r (0..2) of Gᵀ · (m0 … m5). With `size` the terms are added by magnitude, for which m0 … m5 are magnitudes as well. `r` and
 * `size` are constants at every call.
 */
// @ts-ignore: decorator
@inline
function back(size: bool, r: i32, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): v128 {
  const near = f32x4.add(m1, m2);
  const far = f32x4.add(m3, m4);
  if (r == 1) {
    const small = f32x4.splat((2 * smallPoint) / 3);
    const large = f32x4.splat(largePoint / 6);
    if (size) return fma(small, near, f32x4.mul(large, far));
    return fnma(small, f32x4.sub(m1, m2), f32x4.mul(large, f32x4.sub(m3, m4)));
  }
  if (r == 0) {
    const twoThirds = f32x4.splat(<f32>(2.0 / 3.0));
    const sixth = f32x4.splat(<f32>(1.0 / 6.0));
    return fma(sixth, far, size ? fma(twoThirds, near, m0) : fnma(twoThirds, near, m0));
  }
  return fma(f32x4.splat(<f32>(1.0 / 3.0)), size ? f32x4.add(far, near) : f32x4.sub(far, near), m5);
}

/** Stores one kernel row of a column of matrices at `at`, and the sum of its terms' magnitudes 288 bytes after it. */
// @ts-ignore: decorator
@inline
function keep(r: i32, at: usize, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): void {
  v128.store(at, back(false, r, m0, m1, m2, m3, m4, m5));
  const size = back(
    true,
    r,
    f32x4.abs(m0),
    f32x4.abs(m1),
    f32x4.abs(m2),
    f32x4.abs(m3),
    f32x4.abs(m4),
    f32x4.abs(m5),
  );
  v128.store(at, size, 288);
}

/** A sum that is less than this share of its terms' magnitudes is only a rounding error: the result is 0. */
// @ts-ignore: decorator
@inline
const negligible: f32 = 4.76837158e-7;

/**
 * Stores one tap of four columns, computed from six columns of matrices. If the sum over pixels is exactly 0 (as for some weights
 * before a ReLU), so is the result: an optimizer that divides gradients by their size would amplify a rounding error.
 */
// @ts-ignore: decorator
@inline
function storeTap(r: i32, to: usize, next: usize, columns: i32, at: usize): void {
  const sum = back(
    false,
    r,
    v128.load(at),
    v128.load(at, 48),
    v128.load(at, 96),
    v128.load(at, 144),
    v128.load(at, 192),
    v128.load(at, 240),
  );
  const size = back(
    true,
    r,
    v128.load(at, 288),
    v128.load(at, 336),
    v128.load(at, 384),
    v128.load(at, 432),
    v128.load(at, 480),
    v128.load(at, 528),
  );
  // The comparison is false for NaN and ∞, which are therefore kept.
  const v = v128.andnot(sum, f32x4.lt(f32x4.abs(sum), f32x4.mul(size, f32x4.splat(negligible))));
  v128.store32_lane(to, v, 0);
  if (columns > 1) v128.store32_lane(to + next, v, 1);
  if (columns > 2) v128.store32_lane(to + 2 * next, v, 2);
  if (columns > 3) v128.store32_lane(to + 3 * next, v, 3);
}

/** gw[column][channel][3][3] = Gᵀ (Σ partial[split][36][channel][column]) G. Unit of work: a channel. */
export function finishWinogradGrad(d: FinishWinogradGradDesc, begin: i32, end: i32): void {
  const next = <usize>(d.channels * 36);
  const matrix = <usize>d.matrixBytes;
  const down = <usize>6 * matrix;
  // Sums [column][3 rows] of vectors, then the sums of their terms' magnitudes.
  const block = d.workspace;
  for (let channel = begin; channel < end; channel++) {
    let p = d.partial + <usize>d.rowBytes * channel;
    let to = d.gw + <usize>(channel * 36);
    for (let left = d.columns; left > 0; left -= 4) {
      let q = p;
      let at = block;
      for (let j = 0; j < 6; j++) {
        let m = q;
        const m0 = sum(d, m);
        m += down;
        const m1 = sum(d, m);
        m += down;
        const m2 = sum(d, m);
        m += down;
        const m3 = sum(d, m);
        m += down;
        const m4 = sum(d, m);
        m += down;
        const m5 = sum(d, m);
        keep(0, at, m0, m1, m2, m3, m4, m5);
        keep(1, at + 16, m0, m1, m2, m3, m4, m5);
        keep(2, at + 32, m0, m1, m2, m3, m4, m5);
        at += 48;
        q += matrix;
      }
      for (at = block; at < block + 48; at += 16, to += 12) {
        storeTap(0, to, next, left, at);
        storeTap(1, to + 4, next, left, at);
        storeTap(2, to + 8, next, left, at);
      }
      p += 16;
      to += 4 * next - 36;
    }
  }
}
