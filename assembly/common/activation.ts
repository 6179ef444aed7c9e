// Functions of one value, chosen by number: elementwise kernels use them, and other kernels apply them to their results.
import { Const, constant } from './constants';
import { erf, exp, expFlushed, expm1, log, logistic, sigmoid, silu, softplus, tanh } from './math';
import { fma } from './simd';

/** Functions by number. A kind of src/backend/prims/elementwise.ts that is missing here has no kernel. @abi */
export const enum Kind {
  identity,
  relu,
  clip,
  leakyRelu,
  hardSwish,
  hardSigmoid,
  sigmoid,
  silu,
  tanh,
  gelu,
  geluTanh,
  elu,
  selu,
  celu,
  thresholdedRelu,
  mish,
  softplus,
  softsign,
  logSigmoid,
  exp,
  log,
  sqrt,
  rsqrt,
  reciprocal,
  abs,
  neg,
  square,
  sign,
  floor,
  ceil,
  round,
  trunc,
  erf,
  linear,
}

/**
 * Lane-wise activation `kind`; alpha and beta as in src/backend/js/elementwise/unary.ts. The three kinds that follow convolutions
 * most often are inlined; any other kind costs one call per vector.
 */
// @ts-ignore: decorator
@inline
export function activate(kind: i32, alpha: f32, beta: f32, v: v128): v128 {
  if (kind == Kind.identity) return v;
  if (kind == Kind.relu) return f32x4.pmax(v, f32x4.splat(0));
  if (kind == Kind.clip) return f32x4.pmin(f32x4.pmax(v, f32x4.splat(alpha)), f32x4.splat(beta));
  return activateCold(kind, alpha, beta, v);
}

function activateCold(kind: i32, alpha: f32, beta: f32, v: v128): v128 {
  return evaluate(kind, alpha, beta, v);
}

/** If `kind` is a literal, only its branch is compiled. */
// @ts-ignore: decorator
@inline
export function evaluate(kind: i32, alpha: f32, beta: f32, v: v128): v128 {
  const zero = f32x4.splat(0);
  const one = constant(Const.one);
  const a = f32x4.splat(alpha);
  const b = f32x4.splat(beta);
  switch (kind) {
    case Kind.relu:
      return f32x4.pmax(v, zero);
    case Kind.clip:
      return f32x4.pmin(f32x4.pmax(v, a), b);
    case Kind.leakyRelu:
      return v128.bitselect(f32x4.mul(v, a), v, f32x4.lt(v, zero));
    case Kind.hardSwish:
      return f32x4.mul(v, unitClamp(fma(v, constant(Const.sixth), constant(Const.half))));
    case Kind.hardSigmoid:
      return unitClamp(fma(v, a, b));
    case Kind.sigmoid:
      return sigmoid(v);
    case Kind.silu:
      return silu(v);
    case Kind.tanh:
      return tanh(v);
    case Kind.gelu: {
      const half = f32x4.mul(v, constant(Const.half));
      return fma(half, erf(f32x4.mul(v, constant(Const.rootHalf))), half);
    }
    case Kind.geluTanh: {
      // ½x(1 + tanh u) = x / (1 + exp(−2u)), u = √(2/π)·(x + 0.044715·x³)
      const u2 = fma(f32x4.mul(v, v), constant(Const.geluTanhCubic), constant(Const.geluTanh));
      return logistic(f32x4.mul(v, constant(Const.tiny)), f32x4.mul(v, u2));
    }
    case Kind.elu:
      return v128.bitselect(f32x4.mul(a, expm1(f32x4.pmin(v, zero))), v, f32x4.lt(v, zero));
    case Kind.selu:
      return f32x4.mul(b, v128.bitselect(f32x4.mul(a, expm1(f32x4.pmin(v, zero))), v, f32x4.le(v, zero)));
    case Kind.celu: {
      // max(0, x) + min(0, α·(exp(x/α) − 1)), which for α < 0 is not the same as choosing by the sign of x.
      const low = f32x4.mul(a, expm1(f32x4.pmin(f32x4.div(v, a), f32x4.splat(88))));
      return f32x4.add(f32x4.pmax(v, zero), f32x4.pmin(low, zero));
    }
    case Kind.thresholdedRelu:
      return v128.and(v, f32x4.gt(v, a));
    case Kind.mish: {
      // tanh(log(1 + e)) = n / (n + 2), n = e·(e + 2), e = exp(x); 1 in f32 from x = 20 on.
      const two = constant(Const.two);
      const e = expFlushed(f32x4.pmin(v, constant(Const.mishMost)));
      const n = f32x4.mul(e, f32x4.add(e, two));
      return f32x4.mul(v, f32x4.div(n, f32x4.add(n, two)));
    }
    case Kind.softplus: {
      const x = f32x4.mul(v, a);
      return v128.bitselect(v, f32x4.div(softplus(x), a), f32x4.gt(x, b));
    }
    case Kind.softsign:
      return f32x4.div(v, f32x4.add(one, f32x4.abs(v)));
    case Kind.logSigmoid:
      return f32x4.neg(softplus(f32x4.neg(v)));
    case Kind.exp:
      return exp(v);
    case Kind.log:
      return log(v);
    case Kind.sqrt:
      return f32x4.sqrt(v);
    case Kind.rsqrt:
      return f32x4.div(one, f32x4.sqrt(v));
    case Kind.reciprocal:
      return f32x4.div(one, v);
    case Kind.abs:
      return f32x4.abs(v);
    case Kind.neg:
      return f32x4.neg(v);
    case Kind.square:
      return f32x4.mul(v, v);
    case Kind.sign: {
      // ±1 where x is neither zero nor NaN, else x itself.
      const unit = v128.or(v128.and(v, i32x4.splat(0x80000000)), one);
      return v128.bitselect(unit, v, f32x4.gt(f32x4.abs(v), zero));
    }
    case Kind.floor:
      return f32x4.floor(v);
    case Kind.ceil:
      return f32x4.ceil(v);
    case Kind.round:
      return f32x4.nearest(v);
    case Kind.trunc:
      return f32x4.trunc(v);
    case Kind.erf:
      return erf(v);
    case Kind.linear:
      return fma(v, a, b);
    default:
      return v;
  }
}

// @ts-ignore: decorator
@inline
function unitClamp(v: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, f32x4.splat(0)), constant(Const.one));
}
