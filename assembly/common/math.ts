// Elementary functions on four lanes. The polynomials were fitted for this file (minimax, relative error of the function); the
// remaining error is that of f32 arithmetic, about 2e-7 relative (test/kernels/elementwise/math.test.ts). NaN gives NaN.
//
// pmin and pmax return their first operand if an operand is NaN, so a clamp written as `pmin(x, limit)` keeps NaN;
// each is one instruction on x64.
import { Const, constant } from './constants';
import { fma, fnma } from './simd';

// ln 2 in two parts: 355/512 has 9 bits, so its product with an exponent is exact without FMA.
// @ts-ignore: decorator
@inline const LN2_HI: f32 = 0.693359375;
// @ts-ignore: decorator
@inline const LN2_LO: f32 = -2.12194440e-4;

/** (exp(r) − 1 − r) / r², |r| ≤ 0.35. */
// @ts-ignore: decorator
@inline
function curvature(r: v128): v128 {
  let q = fma(constant(Const.exp6), r, constant(Const.exp5));
  q = fma(q, r, constant(Const.exp4));
  q = fma(q, r, constant(Const.exp3));
  return fma(q, r, constant(Const.exp2));
}

/** x − k·ln 2. */
// @ts-ignore: decorator
@inline
function remainder(x: v128, k: v128): v128 {
  return fnma(k, constant(Const.ln2Low), fnma(k, constant(Const.ln2High), x));
}

/** exp(r), |r| ≤ 0.35. */
// @ts-ignore: decorator
@inline
function fraction(r: v128): v128 {
  const one = constant(Const.one);
  return fma(fma(curvature(r), r, one), r, one);
}

/** exp(x): +∞ above 88.73, subnormal below −87.34, 0 below −104. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-105));
  const t = fma(x, constant(Const.log2e), constant(Const.rounder));
  const p = fraction(remainder(x, f32x4.sub(t, constant(Const.rounder))));
  // 2^n is multiplied in two halves, so that results beyond the exponent range overflow or become subnormal as they should.
  const n = i32x4.sub(t, i32x4.splat(0x4b40007f));
  const half = i32x4.shr_s(n, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half)));
}

/** 2^n for −127 < n < 128. */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** exp(x) for x ≤ 88, 0 below −88. */
// @ts-ignore: decorator
@inline
export function expFlushed(x: v128): v128 {
  x = f32x4.pmax(x, constant(Const.expLeast));
  const rounder = constant(Const.rounder);
  const t = fma(x, constant(Const.log2e), rounder);
  return f32x4.mul(fraction(remainder(x, f32x4.sub(t, rounder))), i32x4.shl(t, 23));
}

/** exp(x) − 1 for x ≤ 88, to full relative precision around 0. */
// @ts-ignore: decorator
@inline
export function expm1(x: v128): v128 {
  x = f32x4.pmax(x, constant(Const.expm1Least));
  const rounder = constant(Const.rounder);
  const t = fma(x, constant(Const.log2e), rounder);
  const r = remainder(x, f32x4.sub(t, rounder));
  const scale = i32x4.shl(t, 23);
  return fma(scale, fma(f32x4.mul(r, r), curvature(r), r), f32x4.sub(scale, constant(Const.one)));
}

/**
 * n / (1 + exp(−x)) for n = `numerator` · 2^24. Numerator and denominator are scaled by 2^-24, so that one power of two
 * covers all x for which the quotient is not 0; adding scaledRounder scales without further instructions.
 */
// @ts-ignore: decorator
@inline
export function logistic(numerator: v128, x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, constant(Const.logisticLeast)), constant(Const.logisticMost));
  const rounder = constant(Const.scaledRounder);
  const t = fnma(x, constant(Const.log2e), rounder);
  const k = f32x4.sub(t, rounder);
  // s = −r: then no operand has to be negated.
  const s = fma(k, constant(Const.ln2Low), fma(k, constant(Const.ln2High), x));
  let p = fma(constant(Const.exp6), s, constant(Const.minusExp5));
  p = fma(p, s, constant(Const.exp4));
  p = fma(p, s, constant(Const.minusExp3));
  p = fma(p, s, constant(Const.exp2));
  p = fma(p, s, constant(Const.minusOne));
  p = fma(p, s, constant(Const.one));
  return f32x4.div(numerator, fma(p, i32x4.shl(t, 23), constant(Const.tiny)));
}

/** Natural logarithm: −∞ at 0, NaN below; subnormal x give the right result. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  // x = m · 2^e with m in [√½, √2), so that log(m) and e·ln 2 do not cancel around x = 1.
  const e = i32x4.shr_s(i32x4.sub(scaled, i32x4.splat(0x3f3504f3)), 23);
  const f = f32x4.sub(i32x4.sub(scaled, i32x4.shl(e, 23)), f32x4.splat(1));
  const k = f32x4.convert_i32x4_s(i32x4.sub(e, v128.and(tiny, i32x4.splat(23))));
  let p = fma(f32x4.splat(-0.0763447434), f, f32x4.splat(0.127615675));
  p = fma(p, f, f32x4.splat(-0.13160187));
  p = fma(p, f, f32x4.splat(0.142017588));
  p = fma(p, f, f32x4.splat(-0.166233569));
  p = fma(p, f, f32x4.splat(0.200012267));
  p = fma(p, f, f32x4.splat(-0.250008196));
  p = fma(p, f, f32x4.splat(0.333333313));
  const f2 = f32x4.mul(f, f);
  let y = fma(f32x4.mul(p, f), f2, f32x4.mul(k, f32x4.splat(LN2_LO)));
  y = fnma(f32x4.splat(0.5), f2, y);
  y = fma(k, f32x4.splat(LN2_HI), f32x4.add(f, y));
  const infinity = f32x4.splat(Infinity);
  y = v128.bitselect(infinity, y, f32x4.eq(x, infinity));
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, f32x4.splat(0)));
  // All ones is a NaN.
  return v128.or(y, v128.not(f32x4.ge(x, f32x4.splat(0))));
}

/** log(1 + exp(x)), without overflow and with full precision even if the result is small. */
// @ts-ignore: decorator
@inline
export function softplus(x: v128): v128 {
  const one = constant(Const.one);
  const e = expFlushed(v128.or(x, constant(Const.sign)));
  const u = f32x4.add(e, one);
  // The rounding error of 1 + e, corrected to first order.
  const lost = f32x4.div(f32x4.sub(e, f32x4.sub(u, one)), u);
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), f32x4.add(log(u), lost));
}

// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  return logistic(constant(Const.tiny), x);
}

/** x · sigmoid(x). */
// @ts-ignore: decorator
@inline
export function silu(x: v128): v128 {
  return logistic(f32x4.mul(x, constant(Const.tiny)), x);
}

/** `magnitude` with the sign of `sign`. */
// @ts-ignore: decorator
@inline
export function copySign(magnitude: v128, sign: v128): v128 {
  return v128.or(magnitude, v128.and(sign, constant(Const.sign)));
}

/** tanh(x) = m / (m + 2), m = exp(2|x|) − 1. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const a = v128.and(x, constant(Const.magnitude));
  const m = expm1(f32x4.pmin(f32x4.add(a, a), constant(Const.tanhMost)));
  return copySign(f32x4.div(m, f32x4.add(m, constant(Const.two))), x);
}

/** erf(x): a polynomial in x² below 1, 1 − exp(polynomial) above. */
// @ts-ignore: decorator
@inline
export function erf(x: v128): v128 {
  const a = v128.and(x, constant(Const.magnitude));
  const s = f32x4.mul(x, x);
  let small = fma(constant(Const.small6), s, constant(Const.small5));
  small = fma(small, s, constant(Const.small4));
  small = fma(small, s, constant(Const.small3));
  small = fma(small, s, constant(Const.small2));
  small = fma(small, s, constant(Const.small1));
  small = fma(small, s, constant(Const.small0));
  // 1 − erf(4) is below half an ulp of 1.
  const b = f32x4.pmin(a, constant(Const.erfMost));
  let large = fma(constant(Const.large6), b, constant(Const.large5));
  large = fma(large, b, constant(Const.large4));
  large = fma(large, b, constant(Const.large3));
  large = fma(large, b, constant(Const.large2));
  large = fma(large, b, constant(Const.large1));
  large = fma(large, b, constant(Const.large0));
  const one = constant(Const.one);
  return v128.bitselect(f32x4.mul(small, x), copySign(f32x4.sub(one, expFlushed(large)), x), f32x4.lt(a, one));
}
