import type { UnaryKind } from '../../../backend/prims/elementwise.ts';
import { ConvletError } from '../../../common/error.ts';
import { product } from '../../../common/numbers.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Handler, Handlers, ImportContext } from '../context.ts';

/** The attribute of a parameter, and its default in ONNX. */
type Parameter = readonly [attribute: string, fallback: number];

function unary(op: UnaryKind, since = 1, alpha?: Parameter, beta?: Parameter): Handler {
  return {
    since,
    build: (ctx) =>
      ctx.one(op, [ctx.required(0)], {
        ...(alpha && { alpha: ctx.attr.float(...alpha) }),
        ...(beta && { beta: ctx.attr.float(...beta) }),
      }),
  };
}

/** Bounds are attributes before opset 11, inputs since then. */
function clip(ctx: ImportContext): Value {
  const x = ctx.required(0);
  if (ctx.opset < 11) {
    const alpha = ctx.attr.float('min', Number.NEGATIVE_INFINITY);
    return ctx.one('clip', [x], { alpha, beta: ctx.attr.float('max', Number.POSITIVE_INFINITY) });
  }
  const bounds = [ctx.input(1), ctx.input(2)];
  if (bounds.every((bound) => bound === null || bound.constant !== null)) {
    const alpha = ctx.scalar(1, Number.NEGATIVE_INFINITY);
    return ctx.one('clip', [x], { alpha, beta: ctx.scalar(2, Number.POSITIVE_INFINITY) });
  }
  const [low, high] = bounds;
  const raised = low === null ? x : ctx.one('max', [x, low]);
  return high === null ? raised : ctx.one('min', [raised, high]);
}

/** Before opset 13 the input counts as a matrix: the axes from `axis` on are one axis. */
function alongAxis(op: 'softmax' | 'logSoftmax' | 'hardmax'): Handler {
  return {
    since: 1,
    build(ctx) {
      const x = ctx.required(0);
      const rank = x.shape.length;
      if (ctx.opset >= 13) return ctx.one(op, [x], { axis: ctx.axis(ctx.attr.int('axis', -1), rank) });
      const given = ctx.attr.int('axis', 1);
      const axis = given === rank ? rank : ctx.axis(given, rank);
      if (axis === rank - 1) return ctx.one(op, [x], { axis });
      const size = (from: number, to: number) => product(x.shape.slice(from, to));
      const matrix = ctx.reshape(x, [size(0, axis), size(axis, rank)]);
      return ctx.reshape(ctx.one(op, [matrix], { axis: 1 }), x.shape);
    },
  };
}

function gelu(ctx: ImportContext): Value {
  const kind = ctx.attr.choice('approximate', ['none', 'tanh'], 'none');
  return ctx.one(kind === 'tanh' ? 'geluTanh' : 'gelu', [ctx.required(0)]);
}

function swish(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const alpha = ctx.attr.float('alpha', 1);
  if (alpha === 1) return ctx.one('silu', [x]);
  const gate = ctx.one('sigmoid', [ctx.one('mul', [x, ctx.values(alpha, x.dtype)])]);
  return ctx.one('mul', [x, gate]);
}

/** Before opset 7 a slope of one value per channel applies to axis 1; since then it broadcasts by NumPy's rule. */
function prelu(ctx: ImportContext): Value {
  const [x, slope] = [ctx.required(0), ctx.required(1)];
  const perChannel = ctx.opset < 7 && slope.shape.length === 1 && slope.shape[0] !== 1;
  const shape = [slope.shape[0], ...x.shape.slice(2).map(() => 1)];
  return ctx.one('prelu', [x, perChannel ? ctx.reshape(slope, shape) : slope]);
}

function isInf(ctx: ImportContext): Value {
  const alpha = ctx.attr.int('detect_positive', 1);
  return ctx.one('isInf', [ctx.required(0)], { alpha, beta: ctx.attr.int('detect_negative', 1) });
}

/** Inference: the output is the input. A training mode is unsupported: its random numbers differ between runtimes. */
function dropout(ctx: ImportContext): (Value | null)[] {
  const x = ctx.required(0);
  const legacyTraining = ctx.opset < 7 && !ctx.attr.flag('is_test');
  const training = ctx.opset >= 12 ? ctx.scalar(2, 0) !== 0 : legacyTraining;
  const ratio = ctx.opset >= 12 ? ctx.scalar(1, 0.5) : ctx.attr.float('ratio', 0.5);
  if (training && ratio !== 0) throw new ConvletError('unsupported', 'training mode with a ratio other than 0');
  const maskType = ctx.opset >= 10 ? 'bool' : x.dtype;
  return [x, ctx.wants(1) ? ctx.filled(1, maskType, x.shape) : null];
}

export const activationHandlers: Handlers = {
  Relu: unary('relu'),
  LeakyRelu: unary('leakyRelu', 1, ['alpha', 0.01]),
  Elu: unary('elu', 1, ['alpha', 1]),
  Selu: unary('selu', 1, ['alpha', 1.6732631921768188], ['gamma', 1.0507010221481323]),
  Celu: unary('celu', 12, ['alpha', 1]),
  ThresholdedRelu: unary('thresholdedRelu', 1, ['alpha', 1]),
  HardSigmoid: unary('hardSigmoid', 1, ['alpha', 0.2], ['beta', 0.5]),
  HardSwish: unary('hardSwish', 14),
  Sigmoid: unary('sigmoid'),
  Tanh: unary('tanh'),
  Mish: unary('mish', 18),
  Softplus: unary('softplus'),
  Softsign: unary('softsign'),
  Shrink: unary('shrink', 9, ['lambd', 0.5], ['bias', 0]),
  Gelu: { since: 20, build: gelu },
  Swish: { since: 24, build: swish },
  PRelu: { since: 1, build: prelu },
  Clip: { since: 6, build: clip },
  Softmax: alongAxis('softmax'),
  LogSoftmax: alongAxis('logSoftmax'),
  Hardmax: alongAxis('hardmax'),
  Dropout: { since: 1, build: dropout },
  Abs: unary('abs'),
  Neg: unary('neg'),
  Exp: unary('exp'),
  Log: unary('log'),
  Sqrt: unary('sqrt'),
  Reciprocal: unary('reciprocal'),
  Floor: unary('floor'),
  Ceil: unary('ceil'),
  Round: unary('round', 11),
  Sign: unary('sign', 9),
  Erf: unary('erf', 9),
  Sin: unary('sin', 7),
  Cos: unary('cos', 7),
  Tan: unary('tan', 7),
  Asin: unary('asin', 7),
  Acos: unary('acos', 7),
  Atan: unary('atan', 7),
  Sinh: unary('sinh', 9),
  Cosh: unary('cosh', 9),
  Asinh: unary('asinh', 9),
  Acosh: unary('acosh', 9),
  Atanh: unary('atanh', 9),
  Not: unary('not'),
  BitwiseNot: unary('bitwiseNot', 18),
  IsNaN: unary('isNaN', 9),
  IsInf: { since: 10, build: isInf },
};
