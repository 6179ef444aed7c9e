// Sums in double precision. A gradient that is the sum of a million elements of either sign mostly cancels, and an optimizer that
// divides by its size (RMSprop, Adam) would amplify the rounding error. The loops wait for memory, not for these additions.
import { high, join, low } from '../common/doubles';
import { firstLanes } from '../common/tail';

/** The sum of n contiguous elements. */
export function sumOf(x: usize, n: i32): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (; n >= 8; n -= 8) {
    const v = v128.load(x);
    const w = v128.load(x, 16);
    a = f64x2.add(a, low(v));
    b = f64x2.add(b, high(v));
    c = f64x2.add(c, low(w));
    d = f64x2.add(d, high(w));
    x += 32;
  }
  for (; n > 0; n -= 4) {
    const v = v128.and(v128.load(x), firstLanes(n));
    a = f64x2.add(a, low(v));
    b = f64x2.add(b, high(v));
    x += 16;
  }
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** The sum of n contiguous elements, in every lane. */
export function sumRow(x: usize, n: i32): v128 {
  return f32x4.splat(<f32>sumOf(x, n));
}

/** The sums of four columns over n rows, `stride` bytes apart. */
export function sumColumns(x: usize, stride: usize, n: i32): v128 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  // Two rows at a time make two chains: an addition waits for the one before it in its chain.
  for (; n > 1; n -= 2) {
    const v = v128.load(x);
    const w = v128.load(x + stride);
    a = f64x2.add(a, low(v));
    b = f64x2.add(b, high(v));
    c = f64x2.add(c, low(w));
    d = f64x2.add(d, high(w));
    x += stride << 1;
  }
  if (n > 0) {
    const v = v128.load(x);
    a = f64x2.add(a, low(v));
    b = f64x2.add(b, high(v));
  }
  return join(f64x2.add(a, c), f64x2.add(b, d));
}

/** The sums of sixteen columns: whole cache lines at a time. */
export function sumSixteenColumns(x: usize, y: usize, stride: usize, n: i32): void {
  let a0 = f64x2.splat(0);
  let b0 = a0;
  let a1 = a0;
  let b1 = a0;
  let a2 = a0;
  let b2 = a0;
  let a3 = a0;
  let b3 = a0;
  for (; n > 0; n--) {
    const v0 = v128.load(x);
    const v1 = v128.load(x, 16);
    const v2 = v128.load(x, 32);
    const v3 = v128.load(x, 48);
    a0 = f64x2.add(a0, low(v0));
    b0 = f64x2.add(b0, high(v0));
    a1 = f64x2.add(a1, low(v1));
    b1 = f64x2.add(b1, high(v1));
    a2 = f64x2.add(a2, low(v2));
    b2 = f64x2.add(b2, high(v2));
    a3 = f64x2.add(a3, low(v3));
    b3 = f64x2.add(b3, high(v3));
    x += stride;
  }
  v128.store(y, join(a0, b0));
  v128.store(y, join(a1, b1), 16);
  v128.store(y, join(a2, b2), 32);
  v128.store(y, join(a3, b3), 48);
}
