import { ConvletError } from '../../../common/error.ts';
import { product } from '../../../common/numbers.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Handlers, ImportContext } from '../context.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Training mode: by the attribute (opset 14+), or if there are outputs besides y (7 to 13). */
function isTraining(ctx: ImportContext): boolean {
  if (ctx.opset >= 14) return ctx.attr.flag('training_mode');
  return ctx.opset < 7 ? !ctx.attr.flag('is_test') : ctx.wants(1) || ctx.wants(2);
}

/**
 * x as [N, C, …] of at most five axes, as the ops of statistics per channel need it: a single axis is a batch of one channel,
 * and all axes after the fourth become one.
 */
function perChannel(ctx: ImportContext, x: Value): Value {
  if (x.shape.length === 1) return ctx.reshape(x, [x.shape[0], 1]);
  if (x.shape.length <= 5) return x;
  return ctx.reshape(x, [...x.shape.slice(0, 4), product(x.shape.slice(4))]);
}

function batchNorm(ctx: ImportContext): (Value | null)[] {
  const given = ctx.required(0);
  const x = perChannel(ctx, given);
  if (ctx.opset < 9 && !ctx.attr.flag('spatial', true)) throw new ConvletError('unsupported', 'spatial 0');
  const parameters = [1, 2, 3, 4].map((i) => ctx.cast(ctx.required(i), x.dtype));
  const epsilon = ctx.attr.float('epsilon', 1e-5);
  if (!isTraining(ctx)) {
    const y = ctx.one('batchNorm', [x, ...parameters], { epsilon, activation: null });
    return [ctx.reshape(y, given.shape)];
  }
  const momentum = ctx.attr.float('momentum', 0.9);
  const [normalized, mean, variance] = ctx.emit('batchNormTraining', [x, ...parameters], { epsilon, momentum });
  const y = ctx.reshape(normalized, given.shape);
  if (!ctx.wants(3) && !ctx.wants(4)) return [y, mean, variance];
  // The statistics of the batch themselves, saved_mean and saved_var of opsets 7 to 13.
  const axes = [0, ...range(2, x.shape.length)];
  const batchMean = ctx.one('reduceMean', [x], { axes, keepDims: true });
  const squares = ctx.one('square', [ctx.one('sub', [x, batchMean])]);
  const batchVariance = ctx.one('reduceMean', [squares], { axes, keepDims: false });
  return [y, mean, variance, ctx.reshape(batchMean, mean.shape), batchVariance];
}

function instanceNorm(ctx: ImportContext): Value {
  const epsilon = ctx.attr.float('epsilon', 1e-5);
  return ctx.one('instanceNorm', [ctx.required(0), ctx.required(1), ctx.required(2)], { epsilon, activation: null });
}

/** Scale and bias are one value per group before opset 21, one per channel since then. */
function groupNorm(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const groups = ctx.attr.int('num_groups');
  const channels = x.shape[1];
  if (!(groups >= 1) || channels % groups !== 0) {
    throw new ConvletError('argument', `num_groups expects a divisor of ${channels} channels, got ${groups}`);
  }
  const perChannel = (value: Value): Value => {
    if (ctx.opset >= 21 || value.shape[0] === channels) return value;
    const wide = ctx.one('expand', [ctx.reshape(value, [groups, 1])], { shape: [groups, channels / groups] });
    return ctx.reshape(wide, [channels]);
  };
  const inputs = [x, perChannel(ctx.required(1)), perChannel(ctx.required(2))];
  return ctx.one('groupNorm', inputs, { groups, epsilon: ctx.attr.float('epsilon', 1e-5), activation: null });
}

/** `value` with the shape of the axes that are normalised, to which it broadcasts. */
function overAxes(ctx: ImportContext, value: Value | null, shape: readonly number[]): Value | null {
  if (value === null) return null;
  const same = value.shape.length === shape.length && value.shape.every((d, i) => d === shape[i]);
  return same ? value : ctx.one('expand', [value], { shape: [...shape] });
}

function layerNorm(ctx: ImportContext): Value[] {
  const x = ctx.required(0);
  const axis = ctx.axis(ctx.attr.int('axis', -1), x.shape.length);
  const inner = x.shape.slice(axis);
  const inputs = [x, overAxes(ctx, ctx.input(1), inner), overAxes(ctx, ctx.input(2), inner)];
  const statistics = ctx.wants(1) || ctx.wants(2);
  return ctx.emit('layerNorm', inputs, {
    axis,
    epsilon: ctx.attr.float('epsilon', 1e-5),
    statistics,
  });
}

function rmsNorm(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const axis = ctx.axis(ctx.attr.int('axis', -1), x.shape.length);
  const weight = overAxes(ctx, ctx.input(1), x.shape.slice(axis));
  return ctx.one('rmsNorm', [x, weight, null], { axis, epsilon: ctx.attr.float('epsilon', 1e-5) });
}

function lrn(ctx: ImportContext): Value {
  return ctx.one('lrn', [ctx.required(0)], {
    size: ctx.attr.int('size'),
    alpha: ctx.attr.float('alpha', 1e-4),
    beta: ctx.attr.float('beta', 0.75),
    bias: ctx.attr.float('bias', 1),
  });
}

/** (x − E[x]) / (sqrt(E[x²] − E[x]²) + 1e-9), the operator's function body. */
function meanVarianceNormalization(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const axes = ctx.axes(ctx.attr.ints('axes', [0, 2, 3]), x.shape.length);
  const mean = ctx.one('reduceMean', [x], { axes, keepDims: true });
  const centred = ctx.one('sub', [x, mean]);
  const variance = ctx.one('reduceMean', [ctx.one('square', [centred])], { axes, keepDims: true });
  const deviation = ctx.one('add', [ctx.one('sqrt', [variance]), ctx.values(1e-9, x.dtype)]);
  return ctx.one('div', [centred, deviation]);
}

/** x / ‖x‖ along one axis; if the norm is 0, the result is 0 (as in the ONNX reference since opset 22). */
function lpNormalization(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const axes = [ctx.axis(ctx.attr.int('axis', -1), x.shape.length)];
  const p = ctx.attr.int('p', 2);
  const norm = ctx.one(p === 1 ? 'reduceL1' : 'reduceL2', [x], { axes, keepDims: true });
  const zero = ctx.one('equal', [norm, ctx.values(0, x.dtype)]);
  return ctx.one('div', [x, ctx.one('where', [zero, ctx.values(1, x.dtype), norm])]);
}

export const normHandlers: Handlers = {
  BatchNormalization: { since: 6, build: batchNorm },
  InstanceNormalization: { since: 6, build: instanceNorm },
  GroupNormalization: { since: 18, build: groupNorm },
  LayerNormalization: { since: 17, build: layerNorm },
  RMSNormalization: { since: 23, build: rmsNorm },
  LRN: { since: 1, build: lrn },
  MeanVarianceNormalization: { since: 1, build: meanVarianceNormalization },
  LpNormalization: { since: 1, build: lpNormalization },
};
