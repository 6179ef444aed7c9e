import type { TypedArray } from '../../../common/dtype.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';
import type { Activation, UnaryKind } from '../../prims/elementwise.ts';
import { erf } from './erf.ts';

/** f(x; alpha, beta). */
export type UnaryFunction = (x: number, alpha: number, beta: number) => number;

/** log(1 + exp(x)) without overflow. */
const log1pExp = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** To the nearest whole number, ties to even. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : Math.ceil(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The formula of every unary kind, named and parametrised as in PyTorch and ONNX. */
export const unaryFunctions: Readonly<Record<UnaryKind, UnaryFunction>> = {
  identity: (x) => x,
  relu: (x) => Math.max(x, 0),
  /** alpha: min, beta: max. If min > max, the result is max (ONNX, PyTorch). */
  clip: (x, alpha, beta) => Math.min(Math.max(x, alpha), beta),
  leakyRelu: (x, alpha) => (x < 0 ? alpha * x : x),
  elu: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x),
  /** alpha: alpha, beta: gamma (the scale). */
  selu: (x, alpha, beta) => beta * (x <= 0 ? alpha * Math.expm1(x) : x),
  celu: (x, alpha) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha)),
  thresholdedRelu: (x, alpha) => (x > alpha ? x : 0),
  hardSigmoid: (x, alpha, beta) => Math.min(Math.max(alpha * x + beta, 0), 1),
  hardSwish: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
  mish: (x) => x * Math.tanh(log1pExp(x)),
  /** alpha: beta of PyTorch's Softplus; beta: its threshold, above which the function is linear. */
  softplus: (x, alpha, beta) => (x * alpha > beta ? x : log1pExp(x * alpha) / alpha),
  softsign: (x) => x / (1 + Math.abs(x)),
  logSigmoid: (x) => -log1pExp(-x),
  tanhShrink: (x) => x - Math.tanh(x),
  hardShrink: (x, alpha) => (x >= -alpha && x <= alpha ? 0 : x),
  softShrink: (x, alpha) => (x > alpha ? x - alpha : x < -alpha ? x + alpha : x * 0),
  /** alpha: lambd, beta: bias (ONNX Shrink). */
  shrink: (x, alpha, beta) => (x < -alpha ? x + beta : x > alpha ? x - beta : x * 0),
  /** alpha: threshold, beta: the value below it. */
  threshold: (x, alpha, beta) => (x <= alpha ? beta : x),
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  abs: Math.abs,
  neg: (x) => -x,
  square: (x) => x * x,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  trunc: Math.trunc,
  erf,
  log1p: Math.log1p,
  expm1: Math.expm1,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  not: (x) => (x === 0 ? 1 : 0),
  isNaN: (x) => (Number.isNaN(x) ? 1 : 0),
  /** alpha: whether +∞ counts, beta: whether −∞ does (0 or 1). */
  isInf: (x, alpha, beta) => ((x === Infinity && alpha !== 0) || (x === -Infinity && beta !== 0) ? 1 : 0),
  bitwiseNot: (x) => ~x,
  linear: (x, alpha, beta) => alpha * x + beta,
};

type Loop = (x: TypedArray, y: TypedArray, length: number, alpha: number, beta: number) => void;

/** The kinds in which networks spend most time have separate loops, without a call per element. */
const loops: { readonly [K in UnaryKind]?: Loop } = {
  identity: (x, y, length) => {
    if (x !== y) y.set(length === x.length ? x : x.subarray(0, length));
  },
  relu: (x, y, length) => {
    for (let i = 0; i < length; i++) y[i] = Math.max(x[i], 0);
  },
  clip: (x, y, length, alpha, beta) => {
    for (let i = 0; i < length; i++) y[i] = Math.min(Math.max(x[i], alpha), beta);
  },
  leakyRelu: (x, y, length, alpha) => {
    for (let i = 0; i < length; i++) {
      const v = x[i];
      y[i] = v < 0 ? alpha * v : v;
    }
  },
  sigmoid: (x, y, length) => {
    for (let i = 0; i < length; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
  },
  silu: (x, y, length) => {
    for (let i = 0; i < length; i++) {
      const v = x[i];
      y[i] = v / (1 + Math.exp(-v));
    }
  },
  hardSigmoid: (x, y, length, alpha, beta) => {
    for (let i = 0; i < length; i++) y[i] = Math.min(Math.max(alpha * x[i] + beta, 0), 1);
  },
  hardSwish: (x, y, length) => {
    for (let i = 0; i < length; i++) {
      const v = x[i];
      y[i] = v * Math.min(Math.max(v / 6 + 0.5, 0), 1);
    }
  },
  tanh: (x, y, length) => {
    for (let i = 0; i < length; i++) y[i] = Math.tanh(x[i]);
  },
  gelu: (x, y, length) => {
    for (let i = 0; i < length; i++) {
      const v = x[i];
      y[i] = 0.5 * v * (1 + erf(v * Math.SQRT1_2));
    }
  },
  exp: (x, y, length) => {
    for (let i = 0; i < length; i++) y[i] = Math.exp(x[i]);
  },
  sqrt: (x, y, length) => {
    for (let i = 0; i < length; i++) y[i] = Math.sqrt(x[i]);
  },
  linear: (x, y, length, alpha, beta) => {
    for (let i = 0; i < length; i++) y[i] = alpha * x[i] + beta;
  },
};

/** y[i] = f(x[i]) for the first `length` elements; x and y may be the same array. */
function applyUnary(f: Activation, x: TypedArray, y: TypedArray, length: number): void {
  const { alpha, beta } = f;
  const loop = loops[f.kind];
  if (loop !== undefined) {
    loop(x, y, length, alpha, beta);
    return;
  }
  const of = unaryFunctions[f.kind];
  for (let i = 0; i < length; i++) y[i] = of(x[i], alpha, beta);
}

export const unary: JsPrim<'unary'> = (inputs, outputs, attrs) => {
  const x = inputs[0] as Tensor;
  // A double does not hold every product of 32-bit integers exactly.
  if (attrs.kind === 'square' && x.array instanceof Int32Array) {
    const [from, to] = [x.array, outputs[0].array];
    for (let i = 0; i < attrs.length; i++) to[i] = Math.imul(from[i], from[i]);
    return;
  }
  applyUnary(attrs, x.array, outputs[0].array, attrs.length);
};
