import { Kind } from '../common/activation';
import { erf, exp, sigmoid, softplus, tanh } from '../common/math';
import { fma, fnma } from '../common/simd';
import { storeFirst } from '../common/tail';

/** clip whose gradient at its bounds is 0: a kind of this kernel only. @abi */
// @ts-ignore: decorator
@inline const clipExclusive: i32 = 64;

/** Kinds for which `gradient` has no branch, since hardly any network is trained through them: plain JS computes those. @abi */
const enum WithoutGradient { identity, neg, sign, floor, ceil, round, trunc, linear }

/** gx = gy·f′(v); v is the function's x or y, as src/backend/js/elementwise/unary-grad.ts says. gx may be v or gy. */
@unmanaged
export class UnaryGradDesc {
  v: usize;
  gy: usize;
  gx: usize;
  length: i32;
  /** Elements per work unit, a multiple of 4. */
  unit: i32;
  kind: i32;
  alpha: f32;
  beta: f32;
}

export function unaryGrad(d: UnaryGradDesc, begin: i32, end: i32): void {
  const from = begin * d.unit;
  const n = min(end * d.unit, d.length) - from;
  const at = <usize>from << 2;
  const v = d.v + at;
  const gy = d.gy + at;
  const gx = d.gx + at;
  const kind = d.kind;
  if (kind == Kind.relu) loop(Kind.relu, d, v, gy, gx, n);
  else if (kind == Kind.leakyRelu) loop(Kind.leakyRelu, d, v, gy, gx, n);
  else if (kind == clipExclusive) loop(clipExclusive, d, v, gy, gx, n);
  else if (kind == Kind.silu) loop(Kind.silu, d, v, gy, gx, n);
  else if (kind == Kind.sigmoid) loop(Kind.sigmoid, d, v, gy, gx, n);
  else if (kind == Kind.hardSwish) loop(Kind.hardSwish, d, v, gy, gx, n);
  else {
    for (let i: usize = 0, left = n; left > 0; i += 16, left -= 4) {
      storeFirst(gx + i, cold(kind, d.alpha, d.beta, v128.load(v + i), v128.load(gy + i)), left);
    }
  }
}

// @ts-ignore: decorator
@inline
function loop(kind: i32, d: UnaryGradDesc, v: usize, gy: usize, gx: usize, n: i32): void {
  const alpha = d.alpha;
  const beta = d.beta;
  for (; n >= 4; n -= 4) {
    v128.store(gx, gradient(kind, alpha, beta, v128.load(v), v128.load(gy)));
    v += 16;
    gy += 16;
    gx += 16;
  }
  if (n > 0) storeFirst(gx, gradient(kind, alpha, beta, v128.load(v), v128.load(gy)), n);
}

function cold(kind: i32, alpha: f32, beta: f32, v: v128, g: v128): v128 {
  return gradient(kind, alpha, beta, v, g);
}

/** If `kind` is a literal, only its branch is compiled. */
// @ts-ignore: decorator
@inline
function gradient(kind: i32, alpha: f32, beta: f32, v: v128, g: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const a = f32x4.splat(alpha);
  const b = f32x4.splat(beta);
  const positive = f32x4.gt(v, zero);
  switch (kind) {
    case Kind.relu:
      return v128.and(g, positive);
    case clipExclusive:
      return v128.and(g, v128.and(f32x4.gt(v, a), f32x4.lt(v, b)));
    case Kind.clip:
      return v128.and(g, v128.and(f32x4.ge(v, a), f32x4.le(v, b)));
    case Kind.leakyRelu:
      return v128.bitselect(g, f32x4.mul(g, a), positive);
    case Kind.thresholdedRelu:
      return v128.and(g, f32x4.gt(v, a));
    case Kind.hardSwish: {
      const middle = f32x4.mul(g, fma(v, f32x4.splat(1.0 / 3.0), f32x4.splat(0.5)));
      const three = f32x4.splat(3);
      return v128.bitselect(v128.and(middle, f32x4.ge(v, f32x4.splat(-3))), g, f32x4.le(v, three));
    }
    case Kind.hardSigmoid: {
      const t = fma(v, a, b);
      return v128.and(f32x4.mul(g, a), v128.and(f32x4.gt(t, zero), f32x4.lt(t, one)));
    }
    case Kind.sigmoid:
      return f32x4.mul(g, f32x4.mul(v, f32x4.sub(one, v)));
    case Kind.silu: {
      const s = sigmoid(v);
      return f32x4.mul(g, f32x4.mul(s, fma(v, f32x4.sub(one, s), one)));
    }
    case Kind.tanh:
      return f32x4.mul(g, fnma(v, v, one));
    case Kind.gelu: {
      const half = f32x4.splat(0.5);
      const phi = fma(erf(f32x4.mul(v, f32x4.splat(0.707106769))), half, half);
      const density = f32x4.mul(exp(f32x4.mul(f32x4.mul(v, v), f32x4.splat(-0.5))), f32x4.splat(0.398942292));
      return f32x4.mul(g, fma(v, density, phi));
    }
    case Kind.geluTanh: {
      const v2 = f32x4.mul(v, v);
      const k = f32x4.splat(0.797884583);
      const t = tanh(f32x4.mul(f32x4.mul(v, k), fma(v2, f32x4.splat(0.044715), one)));
      const inner = f32x4.mul(k, fma(v2, f32x4.splat(0.134145), one));
      const sum = fma(f32x4.mul(v, inner), fnma(t, t, one), f32x4.add(t, one));
      return f32x4.mul(g, f32x4.mul(sum, f32x4.splat(0.5)));
    }
    case Kind.elu:
      return v128.bitselect(g, f32x4.mul(g, f32x4.mul(a, exp(v))), positive);
    case Kind.selu:
      return f32x4.mul(f32x4.mul(g, b), v128.bitselect(one, f32x4.mul(a, exp(v)), positive));
    case Kind.celu:
      return v128.bitselect(g, f32x4.mul(g, exp(f32x4.div(v, a))), positive);
    case Kind.mish: {
      const t = tanh(softplus(v));
      return f32x4.mul(g, fma(f32x4.mul(v, sigmoid(v)), fnma(t, t, one), t));
    }
    case Kind.softplus: {
      const x = f32x4.mul(v, a);
      return v128.bitselect(g, f32x4.mul(g, sigmoid(x)), f32x4.gt(x, b));
    }
    case Kind.softsign: {
      const m = f32x4.add(one, f32x4.abs(v));
      return f32x4.div(g, f32x4.mul(m, m));
    }
    case Kind.logSigmoid:
      return f32x4.mul(g, sigmoid(f32x4.neg(v)));
    case Kind.exp:
      return f32x4.mul(g, v);
    case Kind.log:
      return f32x4.div(g, v);
    case Kind.sqrt:
      return f32x4.div(f32x4.mul(g, f32x4.splat(0.5)), v);
    case Kind.rsqrt:
      return f32x4.mul(f32x4.mul(g, f32x4.splat(-0.5)), f32x4.mul(v, f32x4.mul(v, v)));
    case Kind.reciprocal:
      return f32x4.neg(f32x4.mul(g, f32x4.mul(v, v)));
    case Kind.abs:
      return v128.or(v128.and(g, positive), v128.and(f32x4.neg(g), f32x4.lt(v, zero)));
    case Kind.square:
      return f32x4.mul(g, f32x4.add(v, v));
    case Kind.erf:
      return f32x4.mul(g, f32x4.mul(f32x4.splat(1.12837917), exp(f32x4.neg(f32x4.mul(v, v)))));
    default:
      return zero;
  }
}
