import { type DType, quantizedRanges } from '../../../common/dtype.ts';
import { ConvletError } from '../../../common/error.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Handlers, ImportContext } from '../context.ts';
import { dtypeOfCode } from './constant.ts';
import { convAttrs } from './conv.ts';
import { sliceOf } from './slice.ts';

/**
 * Shapes a scale or zero point to broadcast against x: one value, one per entry of `axis`, or (blocked) one per block of entries.
 */
function alongAxis(ctx: ImportContext, x: Value, parameter: Value): Value {
  const { shape } = parameter;
  const rank = x.shape.length;
  if (shape.length === 0 || (shape.length === 1 && shape[0] === 1)) return ctx.reshape(parameter, []);
  const axis = ctx.axis(ctx.attr.int('axis', 1), rank);
  if (shape.length === 1) return ctx.reshape(parameter, [shape[0], ...x.shape.slice(axis + 1).map(() => 1)]);
  const block = ctx.attr.int('block_size', 0);
  if (block === 0) return parameter;
  const spread = [...shape.slice(0, axis + 1), block, ...shape.slice(axis + 1)];
  const wide = ctx.reshape(parameter, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
  const flat = ctx.one('expand', [wide], { shape: spread });
  const blocked = shape.map((d, i) => (i === axis ? d * block : d));
  return sliceOf(ctx, ctx.reshape(flat, blocked), axis, 0, x.shape[axis]);
}

/** saturate(round(x) + zeroPoint) as `to`; rounds half to even. x and zeroPoint are floating-point. */
function toQuantized(ctx: ImportContext, x: Value, zeroPoint: Value | null, to: DType): Value {
  const limit = quantizedRanges[to];
  if (limit === undefined) throw new ConvletError('unsupported', `quantized type ${to}`);
  let y = ctx.one('round', [x]);
  if (zeroPoint !== null) y = ctx.one('add', [y, ctx.cast(zeroPoint, y.dtype)]);
  return ctx.cast(ctx.one('clip', [y], { alpha: limit[0], beta: limit[1] }), to);
}

function quantizeLinear(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const zeroPoint = ctx.input(2);
  const code = ctx.attr.int('output_dtype', 0);
  const to = zeroPoint?.dtype ?? (code === 0 ? 'uint8' : dtypeOfCode(code));
  const scale = ctx.cast(alongAxis(ctx, x, ctx.required(1)), 'float32');
  const scaled = ctx.one('div', [ctx.cast(x, 'float32'), scale]);
  return toQuantized(ctx, scaled, zeroPoint && alongAxis(ctx, x, zeroPoint), to);
}

function dequantizeLinear(ctx: ImportContext): Value {
  const [x, scale, zeroPoint] = [ctx.required(0), ctx.required(1), ctx.input(2)];
  const code = ctx.attr.int('output_dtype', 0);
  const to = code === 0 ? scale.dtype : dtypeOfCode(code);
  let y = ctx.cast(x, 'float32');
  if (zeroPoint !== null) y = ctx.one('sub', [y, ctx.cast(alongAxis(ctx, x, zeroPoint), 'float32')]);
  return ctx.cast(ctx.one('mul', [y, ctx.cast(alongAxis(ctx, x, scale), 'float32')]), to);
}

/** Scale (max − min) / 255 and zero point of the range of x, extended to contain 0; outputs y, scale, zero point. */
function dynamicQuantizeLinear(ctx: ImportContext): Value[] {
  const x = ctx.required(0);
  const all = { axes: x.shape.map((_, i) => i), keepDims: false };
  const zero = ctx.values(0, 'float32');
  const low = ctx.one('min', [ctx.one('reduceMin', [x], all), zero]);
  const high = ctx.one('max', [ctx.one('reduceMax', [x], all), zero]);
  const scale = ctx.one('div', [ctx.one('sub', [high, low]), ctx.values(255, 'float32')]);
  const zeroPoint = toQuantized(ctx, ctx.one('div', [ctx.one('sub', [zero, low]), scale]), null, 'uint8');
  return [toQuantized(ctx, ctx.one('div', [x, scale]), zeroPoint, 'uint8'), scale, zeroPoint];
}

/** [n] → [n, 1, …]: one value per entry of the first axis. */
function perRow(ctx: ImportContext, value: Value | null, rank: number): Value | null {
  if (value === null) return null;
  if (value.shape.length !== 1 || value.shape[0] === 1) return ctx.reshape(value, []);
  return ctx.reshape(value, [value.shape[0], ...new Array<number>(Math.max(rank - 1, 0)).fill(1)]);
}

const matMulInteger = (ctx: ImportContext): Value =>
  ctx.one('matmulInteger', [ctx.required(0), ctx.required(1), perRow(ctx, ctx.input(2), 2), ctx.input(3)]);

/** A convolution of integers; ConvInteger and QLinearConv list its inputs in other orders. */
function sumsOfConv(ctx: ImportContext, inputs: readonly (Value | null)[]): Value {
  const [x, weight, xZeroPoint, weightZeroPoint, bias] = inputs as [Value, Value, ...(Value | null)[]];
  const rank = x.shape.length;
  return ctx.one(
    'convInteger',
    [x, weight, perRow(ctx, xZeroPoint, rank), perRow(ctx, weightZeroPoint, rank), bias],
    convAttrs(ctx, x, weight),
  );
}

const convInteger = (ctx: ImportContext): Value =>
  sumsOfConv(ctx, [ctx.required(0), ctx.required(1), ctx.input(2), ctx.input(3), null]);

/** sums · scaleA · scaleB / scaleY, quantized to the result's type. */
function requantize(ctx: ImportContext, sums: Value, scales: readonly Value[], zeroPoint: Value): Value {
  const [a, b, y] = scales.map((scale) => ctx.cast(scale, 'float32'));
  const scale = ctx.one('div', [ctx.one('mul', [a, b]), y]);
  return toQuantized(ctx, ctx.one('mul', [ctx.cast(sums, 'float32'), scale]), zeroPoint, zeroPoint.dtype);
}

function qLinearMatMul(ctx: ImportContext): Value {
  const at = (i: number) => ctx.required(i);
  const sums = ctx.one('matmulInteger', [at(0), at(3), at(2), at(5)]);
  return requantize(ctx, sums, [at(1), at(4), at(6)], at(7));
}

function qLinearConv(ctx: ImportContext): Value {
  const at = (i: number) => ctx.required(i);
  const sums = sumsOfConv(ctx, [at(0), at(3), at(2), at(5), ctx.input(8)]);
  // [O, 1, 1] against y [N, O, H, W]
  return requantize(ctx, sums, [at(1), perRow(ctx, at(4), sums.shape.length - 1)!, at(6)], at(7));
}

export const quantizeHandlers: Handlers = {
  QuantizeLinear: { since: 10, build: quantizeLinear },
  DequantizeLinear: { since: 10, build: dequantizeLinear },
  DynamicQuantizeLinear: { since: 11, build: dynamicQuantizeLinear },
  MatMulInteger: { since: 10, build: matMulInteger },
  ConvInteger: { since: 10, build: convInteger },
  QLinearMatMul: { since: 10, build: qLinearMatMul },
  QLinearConv: { since: 10, build: qLinearConv },
};
