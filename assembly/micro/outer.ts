// Register tiles of C += Aᵀ·B where A and B are rows of pixels: R elements of A times 8 (or 4) of B, summed along runs of pixels.
// An operand needs one address for all its elements, so A is not packed; B is packed in panels of 8 columns.
import { fma } from '../common/simd';

/** What the tiles of one item have in common. The record is at the start of the call's workspace. */
@unmanaged
export class Outer {
  /** Runs of pixels: records of three words (address in A, address in B, number of pixels). */
  runs: usize;
  count: i32;
  /** Bytes from pixel to pixel. */
  aStep: usize;
  bStep: usize;
  cPitch: usize;
}

/** Bytes of a run's record. @abi */
// @ts-ignore: decorator
@inline
export const runBytes: usize = 12;

// @ts-ignore: decorator
@inline
function outer(rows: i32, columns: i32, t: Outer, aOffset: usize, bOffset: usize, c: usize): void {
  const cPitch = t.cPitch;
  const p1 = c + cPitch;
  const p2 = p1 + cPitch;
  const p3 = p2 + cPitch;
  const p4 = p3 + cPitch;
  const p5 = p4 + cPitch;
  let c00 = v128.load(c);
  let c01 = columns > 4 ? v128.load(c, 16) : c00;
  let c10 = rows > 1 ? v128.load(p1) : c00;
  let c11 = rows > 1 && columns > 4 ? v128.load(p1, 16) : c00;
  let c20 = rows > 2 ? v128.load(p2) : c00;
  let c21 = rows > 2 && columns > 4 ? v128.load(p2, 16) : c00;
  let c30 = rows > 3 ? v128.load(p3) : c00;
  let c31 = rows > 3 && columns > 4 ? v128.load(p3, 16) : c00;
  let c40 = rows > 4 ? v128.load(p4) : c00;
  let c41 = rows > 4 && columns > 4 ? v128.load(p4, 16) : c00;
  let c50 = rows > 5 ? v128.load(p5) : c00;
  let c51 = rows > 5 && columns > 4 ? v128.load(p5, 16) : c00;
  const aStep = t.aStep;
  const bStep = t.bStep;
  let run = t.runs;
  let count = t.count;
  do {
    let a = load<usize>(run) + aOffset;
    let b = load<usize>(run, 4) + bOffset;
    let k = load<i32>(run, 8);
    do {
      const b0 = v128.load(b);
      const b1 = columns > 4 ? v128.load(b, 16) : b0;
      const s0 = v128.load32_splat(a);
      c00 = fma(s0, b0, c00);
      if (columns > 4) c01 = fma(s0, b1, c01);
      if (rows > 1) {
        const s1 = v128.load32_splat(a, 4);
        c10 = fma(s1, b0, c10);
        if (columns > 4) c11 = fma(s1, b1, c11);
      }
      if (rows > 2) {
        const s2 = v128.load32_splat(a, 8);
        c20 = fma(s2, b0, c20);
        if (columns > 4) c21 = fma(s2, b1, c21);
      }
      if (rows > 3) {
        const s3 = v128.load32_splat(a, 12);
        c30 = fma(s3, b0, c30);
        if (columns > 4) c31 = fma(s3, b1, c31);
      }
      if (rows > 4) {
        const s4 = v128.load32_splat(a, 16);
        c40 = fma(s4, b0, c40);
        if (columns > 4) c41 = fma(s4, b1, c41);
      }
      if (rows > 5) {
        const s5 = v128.load32_splat(a, 20);
        c50 = fma(s5, b0, c50);
        if (columns > 4) c51 = fma(s5, b1, c51);
      }
      a += aStep;
      b += bStep;
      k--;
    } while (k);
    run += runBytes;
    count--;
  } while (count);
  v128.store(c, c00);
  if (columns > 4) v128.store(c, c01, 16);
  if (rows > 1) {
    v128.store(p1, c10);
    if (columns > 4) v128.store(p1, c11, 16);
  }
  if (rows > 2) {
    v128.store(p2, c20);
    if (columns > 4) v128.store(p2, c21, 16);
  }
  if (rows > 3) {
    v128.store(p3, c30);
    if (columns > 4) v128.store(p3, c31, 16);
  }
  if (rows > 4) {
    v128.store(p4, c40);
    if (columns > 4) v128.store(p4, c41, 16);
  }
  if (rows > 5) {
    v128.store(p5, c50);
    if (columns > 4) v128.store(p5, c51, 16);
  }
}

function outer1x8(t: Outer, a: usize, b: usize, c: usize): void {
  outer(1, 8, t, a, b, c);
}

function outer2x8(t: Outer, a: usize, b: usize, c: usize): void {
  outer(2, 8, t, a, b, c);
}

function outer3x8(t: Outer, a: usize, b: usize, c: usize): void {
  outer(3, 8, t, a, b, c);
}

function outer4x8(t: Outer, a: usize, b: usize, c: usize): void {
  outer(4, 8, t, a, b, c);
}

function outer5x8(t: Outer, a: usize, b: usize, c: usize): void {
  outer(5, 8, t, a, b, c);
}

function outer6x8(t: Outer, a: usize, b: usize, c: usize): void {
  outer(6, 8, t, a, b, c);
}

function outer1x4(t: Outer, a: usize, b: usize, c: usize): void {
  outer(1, 4, t, a, b, c);
}

function outer2x4(t: Outer, a: usize, b: usize, c: usize): void {
  outer(2, 4, t, a, b, c);
}

function outer3x4(t: Outer, a: usize, b: usize, c: usize): void {
  outer(3, 4, t, a, b, c);
}

function outer4x4(t: Outer, a: usize, b: usize, c: usize): void {
  outer(4, 4, t, a, b, c);
}

function outer5x4(t: Outer, a: usize, b: usize, c: usize): void {
  outer(5, 4, t, a, b, c);
}

function outer6x4(t: Outer, a: usize, b: usize, c: usize): void {
  outer(6, 4, t, a, b, c);
}

/** Computes the tile of `rows` (1..6; builds without FMA 1..4) × 8 columns, or 4 columns if no more than 4 exist. */
export function runOuter(rows: i32, columns: i32, t: Outer, a: usize, b: usize, c: usize): void {
  if (columns > 4) {
    if (ASC_FEATURE_RELAXED_SIMD) {
      if (rows == 6) return outer6x8(t, a, b, c);
      if (rows == 5) return outer5x8(t, a, b, c);
    }
    if (rows == 4) outer4x8(t, a, b, c);
    else if (rows == 3) outer3x8(t, a, b, c);
    else if (rows == 2) outer2x8(t, a, b, c);
    else outer1x8(t, a, b, c);
  } else {
    if (ASC_FEATURE_RELAXED_SIMD) {
      if (rows == 6) return outer6x4(t, a, b, c);
      if (rows == 5) return outer5x4(t, a, b, c);
    }
    if (rows == 4) outer4x4(t, a, b, c);
    else if (rows == 3) outer3x4(t, a, b, c);
    else if (rows == 2) outer2x4(t, a, b, c);
    else outer1x4(t, a, b, c);
  }
}

/** Multiplies `rows` rows of A by one panel of up to 8 columns, in tiles of nearly equal height, at most `tileRows`. */
export function runOuterRows(t: Outer, rows: i32, tileRows: i32, columns: i32, a: usize, b: usize, c: usize): void {
  const tiles = (rows + tileRows - 1) / tileRows;
  const pitch = t.cPitch;
  let row = 0;
  for (let i = 1; i <= tiles; i++) {
    const next = (rows * i) / tiles;
    runOuter(next - row, columns, t, a + (<usize>row << 2), b, c + pitch * row);
    row = next;
  }
}
