// Reductions of many vectors to one. Sums have two levels, chains of 16 additions in single precision and then doubles, so that
// the rounding error does not grow with the number of elements.
import { high, join, low, sumPairs } from '../common/doubles';
import { exp } from '../common/math';
import { fma } from '../common/simd';
import { firstLanes } from '../common/tail';

export const enum Fold {
  sum = 0,
  abs = 1,
  square = 2,
  max = 3,
  min = 4,
  prod = 5,
  /** Σ exp(x − shift). */
  exp = 6,
  /** Σ (x − shift)². */
  deviation = 7,
}

// @ts-ignore: decorator
@inline
export function neutral(fold: i32): v128 {
  if (fold == Fold.max || fold == Fold.exp) return f32x4.splat(-Infinity);
  if (fold == Fold.min) return f32x4.splat(Infinity);
  return f32x4.splat(fold == Fold.prod ? 1 : 0);
}

/** The initial value of an accumulator. */
// @ts-ignore: decorator
@inline
export function start(fold: i32): v128 {
  return fold == Fold.exp ? f32x4.splat(0) : neutral(fold);
}

/** Adds one vector to the accumulator. max and min keep NaN, which costs several instructions on x64. */
// @ts-ignore: decorator
@inline
export function accumulate(fold: i32, acc: v128, v: v128, shift: v128): v128 {
  if (fold == Fold.abs) return f32x4.add(acc, f32x4.abs(v));
  if (fold == Fold.square) return fma(v, v, acc);
  if (fold == Fold.exp) return f32x4.add(acc, exp(f32x4.sub(v, shift)));
  if (fold == Fold.deviation) {
    v = f32x4.sub(v, shift);
    return fma(v, v, acc);
  }
  return combine(fold, acc, v);
}

/** Combines two accumulators. */
// @ts-ignore: decorator
@inline
export function combine(fold: i32, a: v128, b: v128): v128 {
  if (fold == Fold.max) return f32x4.max(a, b);
  if (fold == Fold.min) return f32x4.min(a, b);
  if (fold == Fold.prod) return f32x4.mul(a, b);
  return f32x4.add(a, b);
}

// @ts-ignore: decorator
@inline
function adds(fold: i32): bool {
  return fold != Fold.max && fold != Fold.min && fold != Fold.prod;
}

/** The sum of f(x) over n contiguous elements; `fold` is a kind that adds, and f its function. */
// @ts-ignore: decorator
@inline
export function addRow(fold: i32, x: usize, n: i32, shift: v128): f64 {
  const zero = f32x4.splat(0);
  let lows = zero;
  let highs = zero;
  while (n >= 16) {
    let vectors = min(n, 256) >> 4;
    n -= vectors << 4;
    let a0 = zero;
    let a1 = zero;
    let a2 = zero;
    let a3 = zero;
    do {
      a0 = accumulate(fold, a0, v128.load(x), shift);
      a1 = accumulate(fold, a1, v128.load(x, 16), shift);
      a2 = accumulate(fold, a2, v128.load(x, 32), shift);
      a3 = accumulate(fold, a3, v128.load(x, 48), shift);
      x += 64;
    } while (--vectors);
    const block = f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3));
    lows = f64x2.add(lows, low(block));
    highs = f64x2.add(highs, high(block));
  }
  let rest = zero;
  // Lanes after the end are replaced by a value that adds nothing: the shift, whose deviation is 0, or the neutral element.
  const nothing = fold == Fold.deviation ? shift : neutral(fold);
  for (; n > 0; n -= 4, x += 16) {
    rest = accumulate(fold, rest, v128.bitselect(v128.load(x), nothing, firstLanes(n)), shift);
  }
  return sumPairs(f64x2.add(lows, low(rest)), f64x2.add(highs, high(rest)));
}

/** Reduces n contiguous elements; every lane has the result. */
// @ts-ignore: decorator
@inline
export function foldRow(fold: i32, x: usize, n: i32, shift: v128): v128 {
  if (adds(fold)) return f32x4.splat(<f32>addRow(fold, x, n, shift));
  let total = start(fold);
  while (n >= 16) {
    let vectors = min(n, 1024) >> 4;
    n -= vectors << 4;
    let a0 = start(fold);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    do {
      a0 = combine(fold, a0, v128.load(x));
      a1 = combine(fold, a1, v128.load(x, 16));
      a2 = combine(fold, a2, v128.load(x, 32));
      a3 = combine(fold, a3, v128.load(x, 48));
      x += 64;
    } while (--vectors);
    total = combine(fold, total, combine(fold, combine(fold, a0, a1), combine(fold, a2, a3)));
  }
  for (; n > 0; n -= 4) {
    total = combine(fold, total, v128.bitselect(v128.load(x), neutral(fold), firstLanes(n)));
    x += 16;
  }
  total = combine(fold, total, v128.shuffle<f32>(total, total, 2, 3, 0, 1));
  return combine(fold, total, v128.shuffle<f32>(total, total, 1, 0, 3, 2));
}

/** Reduces four columns over n rows, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
export function foldColumns(fold: i32, x: usize, stride: usize, n: i32, shift: v128): v128 {
  let total = start(fold);
  let lows = total;
  let highs = total;
  while (n > 0) {
    let rows = min(n, adds(fold) ? 32 : 256);
    n -= rows;
    let a0 = start(fold);
    let a1 = a0;
    for (; rows >= 2; rows -= 2) {
      a0 = accumulate(fold, a0, v128.load(x), shift);
      a1 = accumulate(fold, a1, v128.load(x + stride), shift);
      x += stride << 1;
    }
    if (rows) {
      a0 = accumulate(fold, a0, v128.load(x), shift);
      x += stride;
    }
    const block = combine(fold, a0, a1);
    if (adds(fold)) {
      lows = f64x2.add(lows, low(block));
      highs = f64x2.add(highs, high(block));
    } else {
      total = combine(fold, total, block);
    }
  }
  return adds(fold) ? join(lows, highs) : total;
}
