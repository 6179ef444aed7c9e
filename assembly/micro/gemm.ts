// Register tiles of C = A·B + bias: R rows × 8 (or 4) columns, summed over all of K at once. A is not packed: each row is a list of
// `taps` addresses of `len` contiguous elements. So im2col is a table of addresses (as in XNNPACK's indirect GEMM), and
// a plain matrix is the case taps = 1. B is a panel [k][8] (any row pitch).
//
// Measured, GFLOP/s on one core at 120×64, K = 576 (ceilings 34 plain on Node 20, 49 relaxed on Node 24):
//   rows 4, plain, Node 20:   addresses 34.8, A packed as [k][4] 34.1   (rows 6: 24, it spills)
//   rows 6, relaxed, Node 24: addresses 49.7, A packed as [k][6] 50.9   (rows 4: 43.8 and 48.6)
// Packing A would take 10 % of the time at 64 columns and 30 % at 16, and gain nothing: the address increments run on idle integer
// ports. Rejected: K unrolled in the source (V8 unrolls too, and doing both is slower); loading four elements of A and splatting lanes.
//
// The functions at the end are not inlined into the drivers, since V8 does not replace a running function by its optimised version.
import { fma } from '../common/simd';
import { recordHead } from '../pack/table';
import { clampTo, Epilogue, Tile } from './tile';

// @ts-ignore: decorator
@inline
function storeRow(t: Tile, columns: i32, c: usize, v0: v128, v1: v128): void {
  const epilogue = t.epilogue;
  if (epilogue & Epilogue.addResidual) {
    const r = c + t.residual;
    v0 = f32x4.add(v0, v128.load(r));
    if (columns > 4) v1 = f32x4.add(v1, v128.load(r, 16));
  }
  if (epilogue & Epilogue.clamp) {
    const low = v128.load32_splat(changetype<usize>(t), offsetof<Tile>('alpha'));
    const high = v128.load32_splat(changetype<usize>(t), offsetof<Tile>('beta'));
    v0 = clampTo(v0, low, high);
    if (columns > 4) v1 = clampTo(v1, low, high);
  }
  v128.store(c, v0);
  if (columns > 4) v128.store(c, v1, 16);
}

/**
 * s·b + c, one step of a tile of `rows`. A tile of one row has two chains of additions and waits for them. There a plain addition,
 * which is shorter than a fused multiply-add, is faster (1000 × 2048 from L2: 27 against 15 GFLOP/s).
 */
// @ts-ignore: decorator
@inline
function step(rows: i32, s: v128, b: v128, c: v128): v128 {
  return rows == 1 ? f32x4.add(f32x4.mul(s, b), c) : fma(s, b, c);
}

/**
 * One tile: `a` is the table of addresses (tap by tap, `rowPitch` bytes each), `bias` the first row of accumulators, `b` the
 * panel, `c` the first element of the result. `rows` (1..6) and `columns` (4 or 8) are constants at every call.
 */
// @ts-ignore: decorator
@inline
function tile(rows: i32, columns: i32, t: Tile, a: usize, bias: usize, b: usize, c: usize): void {
  let c00 = v128.load(bias);
  let c01 = columns > 4 ? v128.load(bias, 16) : c00;
  let c10 = c00, c11 = c01;
  let c20 = c00, c21 = c01;
  let c30 = c00, c31 = c01;
  let c40 = c00, c41 = c01;
  let c50 = c00, c51 = c01;
  const bPitch = t.bPitch;
  let taps = t.taps;
  do {
    // The tap is padding in all rows: nothing to add.
    if (load<u32>(a) == 0) {
      a += t.rowPitch;
      b += bPitch * t.len;
      taps--;
      continue;
    }
    const offset = t.aOffset;
    let k = t.len;
    let a0 = <usize>load<u32>(a) + offset;
    let a1 = rows > 1 ? <usize>load<u32>(a, 4) + offset : 0;
    let a2 = rows > 2 ? <usize>load<u32>(a, 8) + offset : 0;
    let a3 = rows > 3 ? <usize>load<u32>(a, 12) + offset : 0;
    let a4 = rows > 4 ? <usize>load<u32>(a, 16) + offset : 0;
    let a5 = rows > 5 ? <usize>load<u32>(a, 20) + offset : 0;
    a += t.rowPitch;
    do {
      const b0 = v128.load(b);
      const b1 = columns > 4 ? v128.load(b, 16) : b0;
      const s0 = v128.load32_splat(a0);
      c00 = step(rows, s0, b0, c00);
      if (columns > 4) c01 = step(rows, s0, b1, c01);
      a0 += 4;
      if (rows > 1) {
        const s1 = v128.load32_splat(a1);
        c10 = step(rows, s1, b0, c10);
        if (columns > 4) c11 = step(rows, s1, b1, c11);
        a1 += 4;
      }
      if (rows > 2) {
        const s2 = v128.load32_splat(a2);
        c20 = step(rows, s2, b0, c20);
        if (columns > 4) c21 = step(rows, s2, b1, c21);
        a2 += 4;
      }
      if (rows > 3) {
        const s3 = v128.load32_splat(a3);
        c30 = step(rows, s3, b0, c30);
        if (columns > 4) c31 = step(rows, s3, b1, c31);
        a3 += 4;
      }
      if (rows > 4) {
        const s4 = v128.load32_splat(a4);
        c40 = step(rows, s4, b0, c40);
        if (columns > 4) c41 = step(rows, s4, b1, c41);
        a4 += 4;
      }
      if (rows > 5) {
        const s5 = v128.load32_splat(a5);
        c50 = step(rows, s5, b0, c50);
        if (columns > 4) c51 = step(rows, s5, b1, c51);
        a5 += 4;
      }
      b += bPitch;
      k--;
    } while (k);
    taps--;
  } while (taps);
  const cPitch = t.cPitch;
  storeRow(t, columns, c, c00, c01);
  if (rows > 1) {
    c += cPitch;
    storeRow(t, columns, c, c10, c11);
  }
  if (rows > 2) {
    c += cPitch;
    storeRow(t, columns, c, c20, c21);
  }
  if (rows > 3) {
    c += cPitch;
    storeRow(t, columns, c, c30, c31);
  }
  if (rows > 4) {
    c += cPitch;
    storeRow(t, columns, c, c40, c41);
  }
  if (rows > 5) {
    c += cPitch;
    storeRow(t, columns, c, c50, c51);
  }
}

/**
 * Computes the tiles of consecutive records (pack/table.ts) that have `rows` rows, from `record` on and at most `count`; returns
 * their number. The loop is inside this function to save calls: 3 to 10 % at K = 16 … 64, nothing from 200 on.
 */
// @ts-ignore: decorator
@inline
function tiles(rows: i32, columns: i32, t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  const recordBytes = recordHead + t.rowPitch * t.taps;
  let left = count;
  do {
    tile(rows, columns, t, record + recordHead, bias, b, load<usize>(record, 4) + cOffset);
    record += recordBytes;
    left--;
  } while (left && load<i32>(record) == rows);
  return count - left;
}

function tiles1x8(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(1, 8, t, record, count, bias, b, cOffset);
}

function tiles2x8(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(2, 8, t, record, count, bias, b, cOffset);
}

function tiles3x8(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(3, 8, t, record, count, bias, b, cOffset);
}

function tiles4x8(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(4, 8, t, record, count, bias, b, cOffset);
}

function tiles5x8(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(5, 8, t, record, count, bias, b, cOffset);
}

function tiles6x8(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(6, 8, t, record, count, bias, b, cOffset);
}

function tiles1x4(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(1, 4, t, record, count, bias, b, cOffset);
}

function tiles2x4(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(2, 4, t, record, count, bias, b, cOffset);
}

function tiles3x4(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(3, 4, t, record, count, bias, b, cOffset);
}

function tiles4x4(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(4, 4, t, record, count, bias, b, cOffset);
}

function tiles5x4(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(5, 4, t, record, count, bias, b, cOffset);
}

function tiles6x4(t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  return tiles(6, 4, t, record, count, bias, b, cOffset);
}

/**
 * Computes the tiles of consecutive records from `record` on that have as many rows as the first (1..6), at most `count`, in `columns`
 * (4 or 8) columns; returns their number. A result is stored `cOffset` bytes after the address in its record. Tiles of builds without
 * FMA have at most four rows.
 */
export function runTiles(columns: i32, t: Tile, record: usize, count: i32, bias: usize, b: usize, cOffset: usize): i32 {
  const rows = load<i32>(record);
  if (columns > 4) {
    if (ASC_FEATURE_RELAXED_SIMD) {
      if (rows == 6) return tiles6x8(t, record, count, bias, b, cOffset);
      if (rows == 5) return tiles5x8(t, record, count, bias, b, cOffset);
    }
    if (rows == 4) return tiles4x8(t, record, count, bias, b, cOffset);
    if (rows == 3) return tiles3x8(t, record, count, bias, b, cOffset);
    if (rows == 2) return tiles2x8(t, record, count, bias, b, cOffset);
    return tiles1x8(t, record, count, bias, b, cOffset);
  }
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (rows == 6) return tiles6x4(t, record, count, bias, b, cOffset);
    if (rows == 5) return tiles5x4(t, record, count, bias, b, cOffset);
  }
  if (rows == 4) return tiles4x4(t, record, count, bias, b, cOffset);
  if (rows == 3) return tiles3x4(t, record, count, bias, b, cOffset);
  if (rows == 2) return tiles2x4(t, record, count, bias, b, cOffset);
  return tiles1x4(t, record, count, bias, b, cOffset);
}
