import type { Value } from '../../../graph/graph.ts';
import type { ReduceName } from '../../../ops/reduce/attrs.ts';
import type { Handler, Handlers, ImportContext } from '../context.ts';

/** Axes are an attribute before version `axesInput`, an input since then; no axes mean all axes, unless noop_with_empty_axes. */
export function reduceAxes(ctx: ImportContext, rank: number, axesInput: number): number[] {
  const given = ctx.opset >= axesInput ? ctx.numbers(1) : ctx.attr.ints('axes', []);
  const axes = given ?? [];
  if (axes.length > 0) return ctx.axes(axes, rank);
  if (ctx.opset >= axesInput && ctx.attr.flag('noop_with_empty_axes')) return [];
  return Array.from({ length: rank }, (_, i) => i);
}

function reduce(op: ReduceName, axesInput = 18): Handler {
  return {
    since: 1,
    build(ctx) {
      const x = ctx.required(0);
      const axes = reduceAxes(ctx, x.shape.length, axesInput);
      // Maximum and minimum of bool, since opset 20.
      if (x.dtype === 'bool') {
        const number = ctx.one(op, [ctx.cast(x, 'uint8')], { axes, keepDims: ctx.attr.flag('keepdims', true) });
        return ctx.cast(number, 'bool');
      }
      return ctx.one(op, [x], { axes, keepDims: ctx.attr.flag('keepdims', true) });
    },
  };
}

function argReduce(op: 'argMax' | 'argMin'): Handler {
  return {
    since: 1,
    build(ctx): Value {
      const x = ctx.required(0);
      return ctx.one(op, [x], {
        axis: ctx.axis(ctx.attr.int('axis', 0), x.shape.length),
        keepDims: ctx.attr.flag('keepdims', true),
        selectLast: ctx.attr.flag('select_last_index'),
      });
    },
  };
}

function cumulative(op: 'cumSum' | 'cumProd'): (ctx: ImportContext) => Value {
  return (ctx) => {
    const x = ctx.required(0);
    return ctx.one(op, [x], {
      axis: ctx.axis(ctx.scalar(1), x.shape.length),
      exclusive: ctx.attr.flag('exclusive'),
      reverse: ctx.attr.flag('reverse'),
    });
  };
}

export const reduceHandlers: Handlers = {
  ReduceSum: reduce('reduceSum', 13),
  ReduceMean: reduce('reduceMean'),
  ReduceMax: reduce('reduceMax'),
  ReduceMin: reduce('reduceMin'),
  ReduceProd: reduce('reduceProd'),
  ReduceL1: reduce('reduceL1'),
  ReduceL2: reduce('reduceL2'),
  ReduceSumSquare: reduce('reduceSumSquare'),
  ReduceLogSum: reduce('reduceLogSum'),
  ReduceLogSumExp: reduce('reduceLogSumExp'),
  ArgMax: argReduce('argMax'),
  ArgMin: argReduce('argMin'),
  CumSum: { since: 11, build: cumulative('cumSum') },
  CumProd: { since: 26, build: cumulative('cumProd') },
};
