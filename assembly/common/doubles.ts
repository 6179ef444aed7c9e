// Sums of many numbers are kept in doubles: two vectors of two doubles for one vector of four floats.

// @ts-ignore: decorator
@inline
export function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

// @ts-ignore: decorator
@inline
export function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1));
}

/** Both pairs, rounded to four lanes of single precision. */
// @ts-ignore: decorator
@inline
export function join(lows: v128, highs: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(lows), f32x4.demote_f64x2_zero(highs), 0, 1, 4, 5);
}

/** The sum of all four lanes. */
// @ts-ignore: decorator
@inline
export function sumPairs(lows: v128, highs: v128): f64 {
  const pair = f64x2.add(lows, highs);
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}
