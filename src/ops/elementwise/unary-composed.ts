// gy·f′ of the unary functions by ops that have gradients, for gradients of gradients. The formulas, and the values at
// corners, are those of src/backend/js/elementwise/unary-grad.ts; v is the argument of f or its value, as in that file.

import type { UnaryKind } from '../../backend/prims/elementwise.ts';
import { add, apply, div, mul, neg, scalar, scale, sub, zeros } from '../core/gradient.ts';
import type { OpApplier, TensorInfo } from '../core/op.ts';

interface Unary {
  readonly g: OpApplier;
  readonly v: TensorInfo;
  readonly gy: TensorInfo;
  readonly alpha: number;
  readonly beta: number;
  readonly exclusive: boolean;
}

type Rule = (u: Unary) => TensorInfo;
type Comparison = 'greater' | 'greaterOrEqual' | 'less' | 'lessOrEqual';

const number = ({ g, v }: Unary, value: number): TensorInfo => scalar(g, value, v.dtype);
const one = (u: Unary, kind: UnaryKind, x: TensorInfo = u.v): TensorInfo => apply(u.g, kind, [x], {});
const is = (u: Unary, comparison: Comparison, value: number, x: TensorInfo = u.v): TensorInfo =>
  apply(u.g, comparison, [x, number(u, value)], {});
const both = (u: Unary, a: TensorInfo, b: TensorInfo): TensorInfo => apply(u.g, 'and', [a, b], {});
const choose = (u: Unary, condition: TensorInfo, a: TensorInfo, b: TensorInfo): TensorInfo =>
  apply(u.g, 'where', [condition, a, b]);
const nothing = (u: Unary): TensorInfo => zeros(u.g, u.v.shape, u.v.dtype);
/** gy where the condition is true, 0 elsewhere. */
const passing = (u: Unary, condition: TensorInfo): TensorInfo => choose(u, condition, u.gy, nothing(u));
const times = (u: Unary, factor: TensorInfo): TensorInfo => mul(u.g, u.gy, factor);
/** alpha·x + beta. */
const line = (u: Unary, x: TensorInfo, alpha: number, beta = 0): TensorInfo => scale(u.g, x, alpha, beta);
const square = (u: Unary, x: TensorInfo = u.v): TensorInfo => mul(u.g, x, x);
/** min(x, 0): its exponential does not overflow. */
const negativePart = (u: Unary): TensorInfo => apply(u.g, 'min', [u.v, number(u, 0)], {});
const zero: Rule = (u) => line(u, u.gy, 0);
const outside: Rule = (u) => choose(u, is(u, 'lessOrEqual', u.alpha, one(u, 'abs')), nothing(u), u.gy);

const geluTanh: Rule = (u) => {
  const { g, v } = u;
  const c = Math.sqrt(2 / Math.PI);
  const squared = square(u);
  const t = one(u, 'tanh', mul(g, line(u, v, c), line(u, squared, 0.044715, 1)));
  const slope = mul(g, line(u, square(u, t), -0.5, 0.5), mul(g, v, line(u, squared, 3 * 0.044715 * c, c)));
  return times(u, add(g, line(u, t, 0.5, 0.5), slope));
};

const gelu: Rule = (u) => {
  const share = line(u, one(u, 'erf', line(u, u.v, Math.SQRT1_2)), 0.5, 0.5);
  const density = line(u, one(u, 'exp', line(u, square(u), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return times(u, add(u.g, share, mul(u.g, u.v, density)));
};

const mish: Rule = (u) => {
  const { g, v } = u;
  const t = one(u, 'tanh', apply(g, 'softplus', [v], { alpha: 1, beta: 20 }));
  return times(u, add(g, t, mul(g, mul(g, v, one(u, 'sigmoid')), line(u, square(u, t), -1, 1))));
};

const silu: Rule = (u) => {
  const s = one(u, 'sigmoid');
  return times(u, mul(u.g, s, line(u, mul(u.g, u.v, line(u, s, -1, 1)), 1, 1)));
};

const hardSwish: Rule = (u) => {
  const inside = times(u, line(u, u.v, 1 / 3, 0.5));
  return choose(u, is(u, 'less', -3), nothing(u), choose(u, is(u, 'lessOrEqual', 3), inside, u.gy));
};

/** `below` if v ≤ 0, else `above`, which is gy by default. */
const leaning = (u: Unary, below: TensorInfo, above: TensorInfo = u.gy): TensorInfo =>
  choose(u, is(u, 'greater', 0), above, below);
const rootOf = (u: Unary, x: TensorInfo): TensorInfo => times(u, one(u, 'rsqrt', x));
const over = (u: Unary, x: TensorInfo): TensorInfo => div(u.g, u.gy, x);

/** A rule for each kind that has a derivative. */
export const composedUnary: { readonly [K in UnaryKind]?: Rule } = {
  relu: (u) => passing(u, is(u, 'greater', 0)),
  clip: (u) =>
    passing(
      u,
      u.exclusive
        ? both(u, is(u, 'greater', u.alpha), is(u, 'less', u.beta))
        : both(u, is(u, 'greaterOrEqual', u.alpha), is(u, 'lessOrEqual', u.beta)),
    ),
  leakyRelu: (u) => leaning(u, line(u, u.gy, u.alpha)),
  elu: (u) => leaning(u, times(u, line(u, one(u, 'exp', negativePart(u)), u.alpha))),
  selu: (u) => leaning(u, times(u, line(u, one(u, 'exp', negativePart(u)), u.alpha * u.beta)), line(u, u.gy, u.beta)),
  celu: (u) => leaning(u, times(u, one(u, 'exp', line(u, negativePart(u), 1 / u.alpha)))),
  thresholdedRelu: (u) => passing(u, is(u, 'greater', u.alpha)),
  threshold: (u) => passing(u, is(u, 'greater', u.alpha)),
  hardSigmoid: (u) => {
    const t = line(u, u.v, u.alpha, u.beta);
    return line(u, passing(u, both(u, is(u, 'greater', 0, t), is(u, 'less', 1, t))), u.alpha);
  },
  hardSwish,
  sigmoid: (u) => times(u, mul(u.g, u.v, line(u, u.v, -1, 1))),
  silu,
  tanh: (u) => times(u, line(u, square(u), -1, 1)),
  gelu,
  geluTanh,
  mish,
  softplus: (u) =>
    choose(
      u,
      is(u, 'greater', u.beta, line(u, u.v, u.alpha)),
      u.gy,
      times(u, one(u, 'sigmoid', line(u, u.v, u.alpha))),
    ),
  softsign: (u) => over(u, square(u, line(u, one(u, 'abs'), 1, 1))),
  logSigmoid: (u) => times(u, one(u, 'sigmoid', neg(u.g, u.v))),
  tanhShrink: (u) => times(u, square(u, one(u, 'tanh'))),
  hardShrink: outside,
  softShrink: outside,
  shrink: outside,
  exp: (u) => times(u, u.v),
  log: (u) => over(u, u.v),
  sqrt: (u) => line(u, over(u, u.v), 0.5),
  rsqrt: (u) => line(u, times(u, mul(u.g, square(u), u.v)), -0.5),
  reciprocal: (u) => neg(u.g, times(u, square(u))),
  abs: (u) => times(u, one(u, 'sign')),
  square: (u) => line(u, times(u, u.v), 2),
  sign: zero,
  floor: zero,
  ceil: zero,
  round: zero,
  trunc: zero,
  erf: (u) => line(u, times(u, one(u, 'exp', neg(u.g, square(u)))), 2 / Math.sqrt(Math.PI)),
  log1p: (u) => over(u, line(u, u.v, 1, 1)),
  expm1: (u) => times(u, line(u, u.v, 1, 1)),
  sin: (u) => times(u, one(u, 'cos')),
  cos: (u) => neg(u.g, times(u, one(u, 'sin'))),
  tan: (u) => times(u, line(u, square(u), 1, 1)),
  asin: (u) => rootOf(u, line(u, square(u), -1, 1)),
  acos: (u) => neg(u.g, rootOf(u, line(u, square(u), -1, 1))),
  atan: (u) => over(u, line(u, square(u), 1, 1)),
  sinh: (u) => times(u, one(u, 'cosh')),
  cosh: (u) => times(u, one(u, 'sinh')),
  asinh: (u) => rootOf(u, line(u, square(u), 1, 1)),
  acosh: (u) => rootOf(u, sub(u.g, square(u), number(u, 1))),
  atanh: (u) => over(u, line(u, square(u), -1, 1)),
};
