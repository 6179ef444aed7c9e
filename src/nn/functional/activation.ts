import { apply1, functions, type Variable } from '../../autograd/index.ts';
import type { UnaryKind } from '../../backend/prims/elementwise.ts';
import { ConvletError } from '../../common/error.ts';
import { expectKind, expectNothing, number, oneOf } from '../../common/options.ts';
import { normalizeAxis } from '../../ops/check.ts';
import type { UnaryOpAttrs } from '../../ops/elementwise/attrs.ts';

/** A function of x and numbers. `op`: its name, for errors; `args`: the numbers' names. */
const unary =
  <A extends number[]>(op: string, name: UnaryKind, args: readonly string[], attrs: (...values: A) => UnaryOpAttrs) =>
  (x: Variable, ...values: A): Variable => {
    for (let i = 0; i < values.length && i < args.length; i++)
      if (values[i] !== undefined) expectKind(op, args[i], values[i], number);
    return apply1(name, [x], attrs(...values));
  };
const plain =
  (op: string, name: UnaryKind, attrs: UnaryOpAttrs = {}): ((x: Variable) => Variable) =>
  (x: Variable, surplus?: unknown) => {
    expectNothing(op, surplus);
    return apply1(name, [x], attrs);
  };

export const { relu, sigmoid, tanh } = functions;
/** min(max(0, x), 6). */
export const relu6 = plain('relu6', 'clip', { alpha: 0, beta: 6, exclusive: true });
/** x limited to minVal … maxVal (default −1 … 1). */
export const hardtanh = unary('hardtanh', 'clip', ['minVal', 'maxVal'], (minVal = -1, maxVal = 1) => ({
  ...{ alpha: minVal, beta: maxVal, exclusive: true },
}));
/** x where x > 0, else negativeSlope · x (default 0.01). */
export const leakyRelu = unary('leakyRelu', 'leakyRelu', ['negativeSlope'], (negativeSlope = 0.01) => ({
  alpha: negativeSlope,
}));
/** x where x > 0, else alpha · (eˣ − 1) (Clevert et al. 2015); alpha 1 by default. */
export const elu = unary('elu', 'elu', ['alpha'], (alpha = 1) => ({ alpha }));
/** x where x > 0, else alpha · (e^(x / alpha) − 1) (Barron 2017); alpha 1 by default. */
export const celu = unary('celu', 'celu', ['alpha'], (alpha = 1) => ({ alpha }));
/** ELU with the two constants that keep mean 0 and variance 1 (Klambauer et al. 2017). */
export const selu = plain('selu', 'selu');
/** x · sigmoid(x), also known as swish. */
export const silu = plain('silu', 'silu');
/** x · tanh(softplus(x)) (Misra 2019). */
export const mish = plain('mish', 'mish');
/** x · relu6(x + 3) / 6 (Howard et al. 2019). */
export const hardswish = plain('hardswish', 'hardSwish');
/** relu6(x + 3) / 6. */
export const hardsigmoid = plain('hardsigmoid', 'hardSigmoid', { alpha: 1 / 6, beta: 0.5 });
/** log(1 + e^(beta · x)) / beta; x itself where beta · x > threshold (defaults 1 and 20). */
export const softplus = unary('softplus', 'softplus', ['beta', 'threshold'], (beta = 1, threshold = 20) => ({
  ...{ alpha: beta, beta: threshold },
}));
/** x / (1 + |x|). */
export const softsign = plain('softsign', 'softsign');
/** log(sigmoid(x)), without overflow. */
export const logsigmoid = plain('logsigmoid', 'logSigmoid');
/** x − tanh(x). */
export const tanhshrink = plain('tanhshrink', 'tanhShrink');
/** x where |x| > lambda (default 0.5), else 0. */
export const hardshrink = unary('hardshrink', 'hardShrink', ['lambda'], (lambda = 0.5) => ({ alpha: lambda }));
/** x moved lambda (default 0.5) towards 0, and 0 where |x| ≤ lambda. */
export const softshrink = unary('softshrink', 'softShrink', ['lambda'], (lambda = 0.5) => ({ alpha: lambda }));
/** x where it is above `limit`, else `value`. */
export function threshold(x: Variable, limit: number, value: number): Variable {
  expectKind('threshold', 'limit', limit, number);
  expectKind('threshold', 'value', value, number);
  return apply1('threshold', [x], { alpha: limit, beta: value });
}

const approximations = oneOf('none', 'tanh');

/** approximate 'tanh': the formula with tanh (Hendrycks & Gimpel 2016), else the exact one with erf. */
export function gelu(x: Variable, approximate: 'none' | 'tanh' = 'none'): Variable {
  expectKind('gelu', 'approximate', approximate, approximations);
  return apply1(approximate === 'tanh' ? 'geluTanh' : 'gelu', [x]);
}

/** weight: one slope, or one per channel (axis 1). */
export function prelu(x: Variable, weight: Variable): Variable {
  const slope =
    weight.size === 1 || x.rank < 2 ? weight : weight.reshape(...x.shape.slice(1).map((_, i) => (i === 0 ? -1 : 1)));
  return apply1('prelu', [x, slope]);
}

const dimOf = (op: string, x: Variable, dim: number): number => normalizeAxis(op, dim, x.rank);

export const softmax = (x: Variable, dim: number): Variable =>
  apply1('softmax', [x], { axis: dimOf('softmax', x, dim) });
/** Softmax of −x along axis `dim`. */
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
