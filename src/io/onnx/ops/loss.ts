import type { Value } from '../../../graph/graph.ts';
import type { Handlers, ImportContext } from '../context.ts';

/**
 * −x[n, target, …] · weight[target] without targets that are `ignore_index`; a mean is divided by the sum of the weights.
 * x [N, C, d…], target [N, d…], weight [C] (input 2).
 */
function negativeLogLikelihood(ctx: ImportContext, x: Value): Value {
  const target = ctx.required(1);
  const weights = ctx.input(2);
  const shape = target.shape;
  const reduction = ctx.attr.choice('reduction', ['mean', 'sum', 'none'], 'mean');
  let index = target;
  let ignored: Value | null = null;
  if (ctx.attr.has('ignore_index')) {
    ignored = ctx.one('equal', [target, ctx.values(ctx.attr.int('ignore_index'), target.dtype)]);
    index = ctx.one('where', [ignored, ctx.values(0, target.dtype), target]);
  }
  const along = ctx.reshape(index, [shape[0], 1, ...shape.slice(1)]);
  const picked = ctx.reshape(ctx.one('gatherElements', [x, along], { axis: 1 }), shape);
  let weight = weights === null ? null : ctx.one('gather', [weights, index], { axis: 0 });
  if (ignored !== null) {
    weight = ctx.one('where', [ignored, ctx.values(0, x.dtype), weight ?? ctx.values(1, x.dtype)]);
  }
  let loss = ctx.one('neg', [picked]);
  if (weight !== null) loss = ctx.one('mul', [loss, weight]);
  if (reduction === 'none') return loss;
  const all = { axes: shape.map((_, i) => i), keepDims: false };
  if (reduction === 'mean' && weight === null) return ctx.one('reduceMean', [loss], all);
  const sum = ctx.one('reduceSum', [loss], all);
  return reduction === 'sum' ? sum : ctx.one('div', [sum, ctx.one('reduceSum', [weight], all)]);
}

function softmaxCrossEntropy(ctx: ImportContext): Value[] {
  const logProbability = ctx.one('logSoftmax', [ctx.required(0)], { axis: 1 });
  return [negativeLogLikelihood(ctx, logProbability), logProbability];
}

export const lossHandlers: Handlers = {
  NegativeLogLikelihoodLoss: { since: 12, build: (ctx) => negativeLogLikelihood(ctx, ctx.required(0)) },
  SoftmaxCrossEntropyLoss: { since: 12, build: softmaxCrossEntropy },
};
