import { log } from '../common/math';
import { storeFirst } from '../common/tail';
import { accumulate, combine, Fold, foldColumns, foldRow, start } from './fold';
import { sumColumns, sumRow, sumSixteenColumns } from './sum';

/** The kinds of reduceKinds in src/backend/prims/reduce.ts. @abi */
const enum Reduce {
  sum,
  mean,
  max,
  min,
  prod,
  l1,
  l2,
  sumSquare,
  logSum,
  logSumExp,
}

/** x as [outer, length, inner] → y [outer, inner]. */
@unmanaged
export class ReduceDesc {
  x: usize;
  y: usize;
  kind: i32;
  outer: i32;
  length: i32;
  inner: i32;
  /** inner = 1: rows per work unit. Else a unit is 16 columns of one outer index, and this is their number per index. */
  unit: i32;
}

export function reduce(d: ReduceDesc, begin: i32, end: i32): void {
  if (d.inner > 1) {
    reduceColumns(d, begin, end);
    return;
  }
  const last = min(end * d.unit, d.outer);
  const bytes = <usize>d.length << 2;
  for (let row = begin * d.unit; row < last; row++) {
    const x = d.x + <usize>row * bytes;
    let shift = f32x4.splat(0);
    if (d.kind == Reduce.logSumExp) shift = finiteOrZero(foldRow(Fold.max, x, d.length, shift));
    v128.store32_lane(d.y + (<usize>row << 2), finish(d, rowOf(d, x, shift), shift), 0);
  }
}

/** The maximum that logSumExp subtracts, or 0 if the maximum is infinite, since ∞ − ∞ is NaN. */
// @ts-ignore: decorator
@inline
function finiteOrZero(v: v128): v128 {
  return v128.and(v, f32x4.lt(f32x4.abs(v), f32x4.splat(Infinity)));
}

function rowOf(d: ReduceDesc, x: usize, shift: v128): v128 {
  const n = d.length;
  switch (d.kind) {
    case Reduce.max:
      return foldRow(Fold.max, x, n, shift);
    case Reduce.min:
      return foldRow(Fold.min, x, n, shift);
    case Reduce.prod:
      return foldRow(Fold.prod, x, n, shift);
    case Reduce.l1:
      return foldRow(Fold.abs, x, n, shift);
    case Reduce.l2:
    case Reduce.sumSquare:
      return foldRow(Fold.square, x, n, shift);
    case Reduce.logSumExp:
      return foldRow(Fold.exp, x, n, shift);
    default:
      return sumRow(x, n);
  }
}

function finish(d: ReduceDesc, v: v128, shift: v128): v128 {
  if (d.kind == Reduce.mean) return f32x4.div(v, f32x4.splat(<f32>d.length));
  if (d.kind == Reduce.l2) return f32x4.sqrt(v);
  if (d.kind == Reduce.logSum) return log(v);
  if (d.kind == Reduce.logSumExp) return f32x4.add(log(v), shift);
  return v;
}

function reduceColumns(d: ReduceDesc, begin: i32, end: i32): void {
  for (let unit = begin; unit < end; unit++) {
    const o = unit / d.unit;
    const column = (unit - o * d.unit) << 4;
    const x = d.x + ((<usize>(o * d.length) * <usize>d.inner + <usize>column) << 2);
    const y = d.y + (<usize>(o * d.inner + column) << 2);
    const n = min(d.inner - column, 16);
    if (n == 16 && d.kind <= Reduce.max) {
      // Most networks end with a sum, mean or maximum over the plane: whole cache lines at a time.
      if (d.kind == Reduce.max) {
        sixteenColumns(Fold.max, d, x, y);
      } else {
        sumSixteenColumns(x, y, <usize>d.inner << 2, d.length);
        for (let i: usize = 0; i < 64; i += 16) v128.store(y + i, finish(d, v128.load(y + i), f32x4.splat(0)));
      }
    } else {
      for (let i = 0; i < n; i += 4) fourColumns(d, x + (<usize>i << 2), y + (<usize>i << 2), n - i);
    }
  }
}

// @ts-ignore: decorator
@inline
function sixteenColumns(fold: i32, d: ReduceDesc, x: usize, y: usize): void {
  const stride = <usize>d.inner << 2;
  const zero = f32x4.splat(0);
  let t0 = start(fold);
  let t1 = t0;
  let t2 = t0;
  let t3 = t0;
  let n = d.length;
  while (n > 0) {
    let rows = min(n, 256);
    n -= rows;
    let a0 = start(fold);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    do {
      a0 = accumulate(fold, a0, v128.load(x), zero);
      a1 = accumulate(fold, a1, v128.load(x, 16), zero);
      a2 = accumulate(fold, a2, v128.load(x, 32), zero);
      a3 = accumulate(fold, a3, v128.load(x, 48), zero);
      x += stride;
    } while (--rows);
    t0 = combine(fold, t0, a0);
    t1 = combine(fold, t1, a1);
    t2 = combine(fold, t2, a2);
    t3 = combine(fold, t3, a3);
  }
  v128.store(y, finish(d, t0, zero));
  v128.store(y, finish(d, t1, zero), 16);
  v128.store(y, finish(d, t2, zero), 32);
  v128.store(y, finish(d, t3, zero), 48);
}

function fourColumns(d: ReduceDesc, x: usize, y: usize, n: i32): void {
  let shift = f32x4.splat(0);
  if (d.kind == Reduce.logSumExp) {
    shift = finiteOrZero(foldColumns(Fold.max, x, <usize>d.inner << 2, d.length, shift));
  }
  storeFirst(y, finish(d, columnsOf(d, x, shift), shift), n);
}

function columnsOf(d: ReduceDesc, x: usize, shift: v128): v128 {
  const n = d.length;
  const stride = <usize>d.inner << 2;
  switch (d.kind) {
    case Reduce.max:
      return foldColumns(Fold.max, x, stride, n, shift);
    case Reduce.min:
      return foldColumns(Fold.min, x, stride, n, shift);
    case Reduce.prod:
      return foldColumns(Fold.prod, x, stride, n, shift);
    case Reduce.l1:
      return foldColumns(Fold.abs, x, stride, n, shift);
    case Reduce.l2:
    case Reduce.sumSquare:
      return foldColumns(Fold.square, x, stride, n, shift);
    case Reduce.logSumExp:
      return foldColumns(Fold.exp, x, stride, n, shift);
    default:
      return sumColumns(x, stride, n);
  }
}
