// Sums over windows of many cells: chains of 32 additions in single precision, then doubles, so that the rounding error does not
// grow with the window (a mean over 4200² ones, added one by one, is 0.951).
import { high, join, low } from '../common/doubles';
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';
import { Pool } from './window';

/** The most cells of a window that are added one by one. */
// @ts-ignore: decorator
@inline export const fewCells: i32 = 64;

/** Additions in single precision before the sum is added to doubles. */
// @ts-ignore: decorator
@inline const chain: i32 = 32;

// @ts-ignore: decorator
@inline
function plus(kind: i32, sum: v128, v: v128): v128 {
  if (kind == Pool.average) return f32x4.add(sum, v);
  return kind == Pool.lp1 ? f32x4.add(sum, f32x4.abs(v)) : fma(v, v, sum);
}

// @ts-ignore: decorator
@inline
function result(kind: i32, lows: v128, highs: v128, divisor: v128): v128 {
  if (kind == Pool.average) return join(f64x2.div(lows, divisor), f64x2.div(highs, divisor));
  return kind == Pool.lp1 ? join(lows, highs) : join(f64x2.sqrt(lows), f64x2.sqrt(highs));
}

/** Sixteen channels, or the first `left` of four. */
// @ts-ignore: decorator
@inline
function channels(
  wide: bool, kind: i32, x: usize, y: usize, left: i32,
  dTaps: i32, hTaps: i32, wTaps: i32, stepD: usize, stepH: usize, stepW: usize, divisor: f32,
): void {
  const zero = f32x4.splat(0);
  let low0 = zero, low1 = zero, low2 = zero, low3 = zero;
  let high0 = zero, high1 = zero, high2 = zero, high3 = zero;
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let room = chain;
  for (let i = 0; i < dTaps; i++, x += stepD) {
    let row = x;
    for (let j = 0; j < hTaps; j++, row += stepH) {
      let p = row;
      let rest = wTaps;
      while (rest > 0) {
        let n = min(rest, room);
        rest -= n;
        room -= n;
        do {
          a0 = plus(kind, a0, v128.load(p));
          if (wide) {
            a1 = plus(kind, a1, v128.load(p, 16));
            a2 = plus(kind, a2, v128.load(p, 32));
            a3 = plus(kind, a3, v128.load(p, 48));
          }
          p += stepW;
        } while (--n);
        if (room > 0) continue;
        room = chain;
        low0 = f64x2.add(low0, low(a0));
        high0 = f64x2.add(high0, high(a0));
        a0 = zero;
        if (wide) {
          low1 = f64x2.add(low1, low(a1));
          high1 = f64x2.add(high1, high(a1));
          low2 = f64x2.add(low2, low(a2));
          high2 = f64x2.add(high2, high(a2));
          low3 = f64x2.add(low3, low(a3));
          high3 = f64x2.add(high3, high(a3));
          a1 = a2 = a3 = zero;
        }
      }
    }
  }
  const by = f64x2.splat(<f64>divisor);
  const first = result(kind, f64x2.add(low0, low(a0)), f64x2.add(high0, high(a0)), by);
  if (!wide) {
    storeFirst(y, first, left);
    return;
  }
  v128.store(y, first);
  v128.store(y, result(kind, f64x2.add(low1, low(a1)), f64x2.add(high1, high(a1)), by), 16);
  v128.store(y, result(kind, f64x2.add(low2, low(a2)), f64x2.add(high2, high(a2)), by), 32);
  v128.store(y, result(kind, f64x2.add(low3, low(a3)), f64x2.add(high3, high(a3)), by), 48);
}

/** `left` channels of one output position, for any kind but max. Averages, the most frequent, take sixteen channels at a time. */
export function sumCells(
  kind: i32, x: usize, y: usize, left: i32,
  dTaps: i32, hTaps: i32, wTaps: i32, stepD: usize, stepH: usize, stepW: usize, divisor: f32,
): void {
  for (; left >= 16 && kind == Pool.average; left -= 16, x += 64, y += 64) {
    channels(true, Pool.average, x, y, left, dTaps, hTaps, wTaps, stepD, stepH, stepW, divisor);
  }
  for (; left > 0; left -= 4, x += 16, y += 16) {
    channels(false, kind, x, y, left, dTaps, hTaps, wTaps, stepD, stepH, stepW, divisor);
  }
}
