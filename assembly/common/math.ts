// Elementary functions on four lanes. Polynomials were fitted for this file (minimax, relative error of the function); the
// error left is that of f32 arithmetic, about 2e-7 relative (test/kernels/math.test.ts). NaN in, NaN out.
//
// pmin/pmax return their first operand where the comparison is unordered, so a clamp written `pmin(x, limit)` keeps NaN;
// on x64 they are one instruction.
import { fma, fnma } from './simd';

// ln 2 in two parts: 355/512 has 9 bits, so its product with an exponent is exact without FMA.
// @ts-ignore: decorator
@inline const LN2_HI: f32 = 0.693359375;
// @ts-ignore: decorator
@inline const LN2_LO: f32 = -2.12194440e-4;
/** 1.5·2^23: adding it rounds to a whole number, which then stands in the low bits. */
// @ts-ignore: decorator
@inline const ROUNDER: f32 = 12582912;

/** x·log2 e, rounded, plus ROUNDER: exponent of exp(x) as a float and in the low bits. */
// @ts-ignore: decorator
@inline
function exponentOf(x: v128): v128 {
  return fma(x, f32x4.splat(1.44269502), f32x4.splat(ROUNDER));
}

/** The fraction of exp(x) minus one: exp(r) − 1 for r = x − k·ln 2, |r| ≤ 0.35. */
// @ts-ignore: decorator
@inline
function fractionMinusOne(x: v128, t: v128): v128 {
  const k = f32x4.sub(t, f32x4.splat(ROUNDER));
  const r = fnma(k, f32x4.splat(LN2_LO), fnma(k, f32x4.splat(LN2_HI), x));
  let q = fma(f32x4.splat(0.00138131436), r, f32x4.splat(0.00836941879));
  q = fma(q, r, f32x4.splat(0.041668456));
  q = fma(q, r, f32x4.splat(0.166665152));
  q = fma(q, r, f32x4.splat(0.49999994));
  return fma(f32x4.mul(r, r), q, r);
}

/** 2^n for −127 < n < 128. */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** exp(x): +∞ above 88.73, subnormal below −87.34, 0 below −104. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-105));
  const t = exponentOf(x);
  const p = f32x4.add(fractionMinusOne(x, t), f32x4.splat(1));
  // In two halves, so that results beyond the exponent range overflow or become subnormal as they should.
  const n = i32x4.sub(t, i32x4.splat(0x4b400000));
  const half = i32x4.shr_s(n, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half)));
}

/** exp(x) − 1 for x ≤ 88, to full relative precision around 0. */
// @ts-ignore: decorator
@inline
export function expm1(x: v128): v128 {
  x = f32x4.pmax(x, f32x4.splat(-25));
  const t = exponentOf(x);
  const scale = powerOfTwo(i32x4.sub(t, i32x4.splat(0x4b400000)));
  return fma(scale, fractionMinusOne(x, t), f32x4.sub(scale, f32x4.splat(1)));
}

/** Natural logarithm: −∞ at 0, NaN below; subnormal x are right. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  // m in [√½, √2), so that nothing cancels around x = 1.
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

/** log(1 + exp(x)), without overflow and with full precision where the result is small. */
// @ts-ignore: decorator
@inline
export function softplus(x: v128): v128 {
  const e = exp(f32x4.neg(f32x4.abs(x)));
  const u = f32x4.add(e, f32x4.splat(1));
  // What rounding took from 1 + e, brought back to first order.
  const lost = f32x4.div(f32x4.sub(e, f32x4.sub(u, f32x4.splat(1))), u);
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), f32x4.add(log(u), lost));
}

// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))));
}

/** `magnitude` with the sign of `sign`. */
// @ts-ignore: decorator
@inline
export function copySign(magnitude: v128, sign: v128): v128 {
  return v128.bitselect(magnitude, sign, i32x4.splat(0x7fffffff));
}

/** tanh(x) = m / (m + 2), m = exp(2|x|) − 1. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const a = f32x4.abs(x);
  const m = expm1(f32x4.pmin(f32x4.add(a, a), f32x4.splat(40)));
  return copySign(f32x4.div(m, f32x4.add(m, f32x4.splat(2))), x);
}

/** erf(x): a polynomial in x² below 1, 1 − exp(polynomial) above. */
// @ts-ignore: decorator
@inline
export function erf(x: v128): v128 {
  const a = f32x4.abs(x);
  const s = f32x4.mul(x, x);
  let small = fma(f32x4.splat(7.85386001e-5), s, f32x4.splat(-0.000801019312));
  small = fma(small, s, f32x4.splat(0.00518832775));
  small = fma(small, s, f32x4.splat(-0.026853811));
  small = fma(small, s, f32x4.splat(0.112835854));
  small = fma(small, s, f32x4.splat(-0.37612626));
  small = fma(small, s, f32x4.splat(1.12837911));
  // 1 − erf(4) is below half an ulp of 1.
  const b = f32x4.pmin(a, f32x4.splat(4));
  let large = fma(f32x4.splat(-0.000185574318), b, f32x4.splat(0.00293961028));
  large = fma(large, b, f32x4.splat(-0.0218053292));
  large = fma(large, b, f32x4.splat(0.103037395));
  large = fma(large, b, f32x4.splat(0.638225675));
  large = fma(large, b, f32x4.splat(1.12704003));
  large = fma(large, b, f32x4.splat(0.000353715848));
  large = f32x4.sub(f32x4.splat(1), exp(f32x4.neg(large)));
  return v128.bitselect(f32x4.mul(small, x), copySign(large, x), f32x4.lt(a, f32x4.splat(1)));
}
