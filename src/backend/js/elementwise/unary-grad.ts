import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';
import type { UnaryKind } from '../../prims/elementwise.ts';
import { erf } from './erf.ts';

/** f′(v; alpha, beta) and what v is: the argument x of f, or its value y if f′ can be computed from y, which is kept anyway. */
export interface UnaryDerivative {
  readonly of: 'x' | 'y';
  readonly f: (v: number, alpha: number, beta: number) => number;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const of = (f: UnaryDerivative['f']): UnaryDerivative => ({ of: 'x', f });
const ofResult = (f: UnaryDerivative['f']): UnaryDerivative => ({ of: 'y', f });
const step = of(() => 0);
const outside = of((x, alpha) => (x >= -alpha && x <= alpha ? 0 : 1));

const tanhScale = Math.sqrt(2 / Math.PI);

function geluTanh(x: number): number {
  const t = Math.tanh(tanhScale * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * tanhScale * (1 + 3 * 0.044715 * x * x);
}

function erfDerivative(x: number): number {
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x);
}

function mish(x: number): number {
  const t = Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
  return t + x * sigmoid(x) * (1 - t * t);
}

function silu(x: number): number {
  const s = sigmoid(x);
  return s * (1 + x * (1 - s));
}

/**
 * Derivatives of the differentiable kinds. At a corner of f the value is PyTorch's: for relu and similar functions the derivative
 * from the left, for clip (clamp) that of the inside, for `exclusive` clip (hardtanh, relu6) that of the outside.
 */
export const unaryDerivatives: { readonly [K in UnaryKind]?: UnaryDerivative } = {
  relu: ofResult((y) => (y > 0 ? 1 : 0)),
  clip: of((x, alpha, beta) => (x >= alpha && x <= beta ? 1 : 0)),
  leakyRelu: of((x, alpha) => (x > 0 ? 1 : alpha)),
  elu: of((x, alpha) => (x > 0 ? 1 : alpha * Math.exp(x))),
  selu: of((x, alpha, beta) => (x > 0 ? beta : beta * alpha * Math.exp(x))),
  celu: of((x, alpha) => (x > 0 ? 1 : Math.exp(x / alpha))),
  thresholdedRelu: of((x, alpha) => (x > alpha ? 1 : 0)),
  hardSigmoid: of((x, alpha, beta) => (alpha * x + beta > 0 && alpha * x + beta < 1 ? alpha : 0)),
  hardSwish: of((x) => (x < -3 ? 0 : x <= 3 ? x / 3 + 0.5 : 1)),
  sigmoid: ofResult((y) => y * (1 - y)),
  silu: of(silu),
  tanh: ofResult((y) => 1 - y * y),
  gelu: of((x) => 0.5 * (1 + erf(x * Math.SQRT1_2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI)),
  geluTanh: of(geluTanh),
  mish: of(mish),
  softplus: of((x, alpha, beta) => (x * alpha > beta ? 1 : sigmoid(x * alpha))),
  softsign: of((x) => 1 / (1 + Math.abs(x)) ** 2),
  logSigmoid: of((x) => sigmoid(-x)),
  tanhShrink: of((x) => Math.tanh(x) ** 2),
  hardShrink: outside,
  softShrink: outside,
  shrink: outside,
  threshold: of((x, alpha) => (x > alpha ? 1 : 0)),
  exp: ofResult((y) => y),
  log: of((x) => 1 / x),
  sqrt: ofResult((y) => 0.5 / y),
  rsqrt: ofResult((y) => -0.5 * y * y * y),
  reciprocal: ofResult((y) => -y * y),
  abs: of(Math.sign),
  square: of((x) => 2 * x),
  sign: step,
  floor: step,
  ceil: step,
  round: step,
  trunc: step,
  erf: of(erfDerivative),
  log1p: of((x) => 1 / (1 + x)),
  expm1: ofResult((y) => y + 1),
  sin: of(Math.cos),
  cos: of((x) => -Math.sin(x)),
  tan: ofResult((y) => 1 + y * y),
  asin: of((x) => 1 / Math.sqrt(1 - x * x)),
  acos: of((x) => -1 / Math.sqrt(1 - x * x)),
  atan: of((x) => 1 / (1 + x * x)),
  sinh: of(Math.cosh),
  cosh: of(Math.sinh),
  asinh: of((x) => 1 / Math.sqrt(1 + x * x)),
  acosh: of((x) => 1 / Math.sqrt(x * x - 1)),
  atanh: of((x) => 1 / (1 - x * x)),
};

/** gx = gy if f′ is 1, 0 if f′ is 0 (even for an infinite gy), else gy·f′. */
export const unaryGrad: JsPrim<'unaryGrad'> = (inputs, outputs, { kind, alpha, beta, exclusive, length }) => {
  const [v, gy] = inputs.map((t) => (t as Tensor).array);
  const gx = outputs[0].array;
  if (kind === 'relu') {
    for (let i = 0; i < length; i++) gx[i] = v[i] > 0 ? gy[i] : 0;
    return;
  }
  if (kind === 'clip' && exclusive) {
    for (let i = 0; i < length; i++) gx[i] = v[i] > alpha && v[i] < beta ? gy[i] : 0;
    return;
  }
  const derivative = unaryDerivatives[kind];
  if (derivative === undefined) throw new Error(`${kind} has no derivative`);
  const { f } = derivative;
  for (let i = 0; i < length; i++) {
    const d = f(v[i], alpha, beta);
    gx[i] = d === 0 ? 0 : gy[i] * d;
  }
};
