// Lane-wise primitives that differ between the build variants. `ASC_FEATURE_RELAXED_SIMD` is a compile-time constant, so
// the branch that a variant does not take is dropped before code generation.

/** a·b + c. One rounding if the relaxed instruction is fused (see `fused()`), two in the plain build. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c − a·b, rounded as `fma` rounds. */
// @ts-ignore: decorator
@inline
export function fnma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/**
 * Lane-wise maximum, one instruction on x64 (`f32x4.max` is seven). Plain build: `a < b ? b : a`, hence `a` if either lane
 * is NaN, and `a` for max(−0, +0). Relaxed build: for NaN and for zeros of different sign the result may be either operand. Use
 * `f32x4.max` if the result has to be NaN for NaN.
 */
// @ts-ignore: decorator
@inline
export function max(a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_max(a, b);
  return f32x4.pmax(a, b);
}

/** Lane-wise minimum; the plain build is `b < a ? b : a`. NaN and signed zeros as in `max`. */
// @ts-ignore: decorator
@inline
export function min(a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_min(a, b);
  return f32x4.pmin(a, b);
}
