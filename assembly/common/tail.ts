// The last elements of a row, fewer than a vector: loads may run past the end of a block, stores may not.

/** Stores the first `n` (1..4) lanes of v. */
// @ts-ignore: decorator
@inline
export function storeFirst(p: usize, v: v128, n: i32): void {
  if (n >= 4) {
    v128.store(p, v);
  } else {
    if (n & 2) {
      v128.store64_lane(p, v, 0);
      if (n & 1) v128.store32_lane(p, v, 2, 8);
    } else if (n & 1) {
      v128.store32_lane(p, v, 0);
    }
  }
}

/** All ones in the first n lanes. */
// @ts-ignore: decorator
@inline
export function firstLanes(n: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(n));
}
