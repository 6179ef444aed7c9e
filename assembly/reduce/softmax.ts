import { high, low, sumPairs } from '../common/doubles';
import { exp, log } from '../common/math';
import { firstLanes, storeFirst } from '../common/tail';
import { Fold, foldColumns, foldRow } from './fold';

/** exp(x − max) / Σ or its logarithm along `length` of x as [outer, length, inner]; y may be x. */
@unmanaged
export class SoftmaxDesc {
  x: usize;
  y: usize;
  length: i32;
  inner: i32;
  log: i32;
  /** The number of rows if inner = 1, otherwise of strips of four columns. */
  total: i32;
  /** Rows or strips per work unit. */
  unit: i32;
}

export function softmax(d: SoftmaxDesc, begin: i32, end: i32): void {
  const last = min(end * d.unit, d.total);
  if (d.inner == 1) {
    const bytes = <usize>d.length << 2;
    for (let row = begin * d.unit; row < last; row++) {
      softmaxRow(d.x + <usize>row * bytes, d.y + <usize>row * bytes, d.length, d.log);
    }
    return;
  }
  const strips = (d.inner + 3) >> 2;
  for (let strip = begin * d.unit; strip < last; strip++) {
    const o = strip / strips;
    const column = (strip - o * strips) << 2;
    const at = (<usize>(o * d.length) * <usize>d.inner + <usize>column) << 2;
    softmaxColumns(d.x + at, d.y + at, d.length, <usize>d.inner << 2, min(d.inner - column, 4), d.log);
  }
}

function softmaxRow(x: usize, y: usize, n: i32, logarithm: i32): void {
  const top = foldRow(Fold.max, x, n, f32x4.splat(0));
  if (logarithm) {
    const scale = log(foldRow(Fold.exp, x, n, top));
    for (; n > 0; n -= 4) {
      storeFirst(y, f32x4.sub(f32x4.sub(v128.load(x), top), scale), n);
      x += 16;
      y += 16;
    }
    return;
  }
  let sum = f32x4.splat(0);
  let lows = sum;
  let highs = sum;
  const first = y;
  let left = n;
  for (; left >= 4; left -= 4) {
    const e = exp(f32x4.sub(v128.load(x), top));
    v128.store(y, e);
    sum = f32x4.add(sum, e);
    x += 16;
    y += 16;
    // Sums of long rows in two levels, as in fold.ts.
    if ((left & 1020) == 0) {
      lows = f64x2.add(lows, low(sum));
      highs = f64x2.add(highs, high(sum));
      sum = f32x4.splat(0);
    }
  }
  if (left > 0) {
    const e = exp(f32x4.sub(v128.load(x), top));
    storeFirst(y, e, left);
    sum = f32x4.add(sum, v128.and(e, firstLanes(left)));
  }
  if (n >= 1024) {
    sum = f32x4.splat(<f32>sumPairs(f64x2.add(lows, low(sum)), f64x2.add(highs, high(sum))));
  } else {
    sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
    sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 1, 0, 3, 2));
  }
  const scale = f32x4.div(f32x4.splat(1), sum);
  for (y = first; n > 0; n -= 4) {
    storeFirst(y, f32x4.mul(v128.load(y), scale), n);
    y += 16;
  }
}

function softmaxColumns(x: usize, y: usize, n: i32, stride: usize, columns: i32, logarithm: i32): void {
  const top = foldColumns(Fold.max, x, stride, n, f32x4.splat(0));
  const sum = foldColumns(Fold.exp, x, stride, n, top);
  const scale = logarithm ? log(sum) : f32x4.div(f32x4.splat(1), sum);
  for (; n > 0; n--) {
    const v = f32x4.sub(v128.load(x), top);
    storeFirst(y, logarithm ? f32x4.sub(v, scale) : f32x4.mul(exp(v), scale), columns);
    x += stride;
    y += stride;
  }
}
