import { storeFirst } from '../common/tail';

/** Position of the largest or smallest element along `length` of x as [outer, length, inner] → y [outer, inner], int32. */
@unmanaged
export class ArgReduceDesc {
  x: usize;
  y: usize;
  length: i32;
  inner: i32;
  /** least: 1 for the smallest instead of the largest. selectLast: 1 for the last of equal elements instead of the first. */
  least: i32;
  selectLast: i32;
  /** The number of rows if inner = 1, otherwise of strips of four columns. */
  total: i32;
  /** Rows or strips per work unit. */
  unit: i32;
}

export function argReduce(d: ArgReduceDesc, begin: i32, end: i32): void {
  const to = min(end * d.unit, d.total);
  if (d.inner == 1) {
    for (let row = begin * d.unit; row < to; row++) {
      const usual = d.least == 0 && d.selectLast == 0;
      const place = usual ? placeInRow(false, false, d, row) : placeInRow(d.least != 0, d.selectLast != 0, d, row);
      store<i32>(d.y + (<usize>row << 2), place);
    }
    return;
  }
  const strips = (d.inner + 3) >> 2;
  for (let strip = begin * d.unit; strip < to; strip++) {
    const o = strip / strips;
    const column = (strip - o * strips) << 2;
    placesInColumns(d, o, column);
  }
}

/** Lanes in which v replaces `best`. A NaN wins over any number, as in NumPy and PyTorch. */
// @ts-ignore: decorator
@inline
function wins(least: bool, last: bool, v: v128, best: v128): v128 {
  const nan = f32x4.ne(v, v);
  if (last) return v128.or(least ? f32x4.le(v, best) : f32x4.ge(v, best), nan);
  return v128.or(least ? f32x4.lt(v, best) : f32x4.gt(v, best), v128.and(nan, f32x4.eq(best, best)));
}

/** Four chains: lane l has the elements l, l + 4, …; the lanes are compared at the end. */
// @ts-ignore: decorator
@inline
function placeInRow(least: bool, last: bool, d: ArgReduceDesc, row: i32): i32 {
  const n = d.length;
  let x = d.x + (<usize>row * <usize>n << 2);
  const first = x;
  const four = i32x4.splat(4);
  let places = i32x4(0, 1, 2, 3);
  let at = places;
  let best = v128.load(x);
  // A row of fewer than four elements has fewer lanes.
  const lanes = min(n, 4);
  for (let left = n - 4; left >= 4; left -= 4) {
    x += 16;
    places = i32x4.add(places, four);
    const v = v128.load(x);
    const mask = wins(least, last, v, best);
    best = v128.bitselect(v, best, mask);
    at = v128.bitselect(places, at, mask);
  }
  let value = f32x4.extract_lane(best, 0);
  let place = i32x4.extract_lane(at, 0);
  // The values of the other lanes are read again from their positions.
  for (let lane = 1; lane < lanes; lane++) {
    at = v128.shuffle<i32>(at, at, 1, 2, 3, 0);
    const i = i32x4.extract_lane(at, 0);
    const v = load<f32>(first + (<usize>i << 2));
    if (beats(least, last, v, value, i, place)) {
      value = v;
      place = i;
    }
  }
  for (let i = n < 4 ? n : n & ~3; i < n; i++) {
    const v = load<f32>(first + (<usize>i << 2));
    if (beats(least, last, v, value, i, place)) {
      value = v;
      place = i;
    }
  }
  return place;
}

// @ts-ignore: decorator
@inline
function beats(least: bool, last: bool, v: f32, best: f32, at: i32, bestAt: i32): bool {
  if (v == best || (v != v && best != best)) return last ? at > bestAt : at < bestAt;
  return (least ? v < best : v > best) || v != v;
}

function placesInColumns(d: ArgReduceDesc, o: i32, column: i32): void {
  const stride = <usize>d.inner << 2;
  let x = d.x + <usize>o * <usize>d.length * stride + (<usize>column << 2);
  let best = v128.load(x);
  let at = i32x4.splat(0);
  for (let j = 1; j < d.length; j++) {
    x += stride;
    const v = v128.load(x);
    const mask = wins(d.least != 0, d.selectLast != 0, v, best);
    best = v128.bitselect(v, best, mask);
    at = v128.bitselect(i32x4.splat(j), at, mask);
  }
  storeFirst(d.y + ((<usize>o * <usize>d.inner + <usize>column) << 2), at, d.inner - column);
}
