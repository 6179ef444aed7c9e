import { apply1, functions, type Variable } from '../../autograd/index.ts';
import type { UnaryKind } from '../../backend/prims/elementwise.ts';
import { ConvletError } from '../../common/error.ts';
import { normalizeAxis } from '../../ops/check.ts';
import type { UnaryOpAttrs } from '../../ops/elementwise/attrs.ts';

const unary =
  <A extends number[]>(name: UnaryKind, attrs: (...values: A) => UnaryOpAttrs = () => ({})) =>
  (x: Variable, ...values: A): Variable =>
    apply1(name, [x], attrs(...values));

export const { relu, sigmoid, tanh } = functions;
export const relu6 = unary('clip', () => ({ alpha: 0, beta: 6, exclusive: true }));
export const hardtanh = unary('clip', (minVal = -1, maxVal = 1) => ({ alpha: minVal, beta: maxVal, exclusive: true }));
export const leakyRelu = unary('leakyRelu', (negativeSlope = 0.01) => ({ alpha: negativeSlope }));
export const elu = unary('elu', (alpha = 1) => ({ alpha }));
export const celu = unary('celu', (alpha = 1) => ({ alpha }));
export const selu = unary('selu');
export const silu = unary('silu');
export const mish = unary('mish');
export const hardswish = unary('hardSwish');
export const hardsigmoid = unary('hardSigmoid', () => ({ alpha: 1 / 6, beta: 0.5 }));
export const softplus = unary('softplus', (beta = 1, threshold = 20) => ({ alpha: beta, beta: threshold }));
export const softsign = unary('softsign');
export const logsigmoid = unary('logSigmoid');
export const tanhshrink = unary('tanhShrink');
export const hardshrink = unary('hardShrink', (lambda = 0.5) => ({ alpha: lambda }));
export const softshrink = unary('softShrink', (lambda = 0.5) => ({ alpha: lambda }));
export const threshold = unary('threshold', (limit: number, value: number) => ({ alpha: limit, beta: value }));

/** approximate 'tanh': the formula with tanh (Hendrycks & Gimpel 2016), else the exact one with erf. */
export const gelu = (x: Variable, approximate: 'none' | 'tanh' = 'none'): Variable =>
  apply1(approximate === 'tanh' ? 'geluTanh' : 'gelu', [x]);

/** weight: one slope, or one per channel (axis 1). */
export function prelu(x: Variable, weight: Variable): Variable {
  const slope =
    weight.size === 1 || x.rank < 2 ? weight : weight.reshape(...x.shape.slice(1).map((_, i) => (i === 0 ? -1 : 1)));
  return apply1('prelu', [x, slope]);
}

const dimOf = (op: string, x: Variable, dim: number): number => normalizeAxis(op, dim, x.rank);

export const softmax = (x: Variable, dim: number): Variable =>
  apply1('softmax', [x], { axis: dimOf('softmax', x, dim) });
export const softmin = (x: Variable, dim: number): Variable => softmax(x.neg(), dim);
export const logSoftmax = (x: Variable, dim: number): Variable =>
  apply1('logSoftmax', [x], { axis: dimOf('logSoftmax', x, dim) });

/** The first half of an axis times the sigmoid of the second. */
export function glu(x: Variable, dim = -1): Variable {
  const axis = dimOf('glu', x, dim);
  const half = x.shape[axis] / 2;
  if (!Number.isInteger(half))
    throw new ConvletError('shape', `glu: axis ${axis} expects an even number of entries, got ${x.shape[axis]}`);
  return x.narrow(axis, 0, half).mul(x.narrow(axis, half, half).sigmoid());
}
