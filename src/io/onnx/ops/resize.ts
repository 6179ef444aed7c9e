import { dtypes } from '../../../common/dtype.ts';
import { ConvletError, shapeText } from '../../../common/error.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Handlers, ImportContext } from '../context.ts';

type Numbers = readonly number[];

interface Target {
  readonly outputShape: Numbers;
  readonly scales: Numbers | null;
}

const modes = ['nearest', 'linear', 'cubic'] as const;
const coordinateModes = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_half_pixel_for_nn',
  'tf_crop_and_resize',
] as const;
const nearestModes = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;
const policies = ['stretch', 'not_larger', 'not_smaller'] as const;

/** floor(size · scale) in single precision, as exporters expect it: 10 · 0.7 is 7. */
const scaled = (size: number, scale: number): number => Math.floor(Math.fround(size * scale));

type Mode = (typeof modes)[number];

/** A factor against sums of weights that are a rounding error below 1, since truncation would then lower the result by a whole unit. */
const justAbove = 1 + 2 ** -20;

function interpolate(
  ctx: ImportContext,
  x: Value,
  target: Target,
  more: { mode: Mode; [name: string]: unknown },
): Value {
  if (more.mode === 'nearest' || dtypes[x.dtype].kind === 'float') return interpolated(ctx, x, target, more);
  // Integers are interpolated as floating-point numbers and truncated towards zero, as in onnxruntime.
  const wide = ['int8', 'uint8', 'int16', 'uint16'].includes(x.dtype) ? 'float32' : 'float64';
  const y = interpolated(ctx, ctx.cast(x, wide), target, more);
  return ctx.cast(ctx.one('mul', [y, ctx.values(justAbove, wide)]), x.dtype);
}

function interpolated(ctx: ImportContext, x: Value, target: Target, more: object): Value {
  return ctx.one('interpolate', [x], {
    mode: 'nearest',
    coordinateMode: 'asymmetric',
    nearestMode: 'floor',
    cubicCoeffA: -0.75,
    excludeOutside: false,
    antialias: false,
    extrapolationValue: 0,
    roi: null,
    ...more,
    ...target,
  });
}

function checkScales(scales: Numbers, x: Value): void {
  if (scales.length !== x.shape.length || scales.some((scale) => !(scale > 0))) {
    throw new ConvletError('shape', `scales ${shapeText(scales)} do not fit an input of shape ${shapeText(x.shape)}`);
  }
}

/** Upsample (opsets 7 to 9) and Resize of opset 10: scales only, and output x from input floor(x / scale). */
function legacyResize(scalesOf: (ctx: ImportContext) => Numbers, downscale: 'floor' | 'ceil') {
  return (ctx: ImportContext): Value => {
    let x = ctx.required(0);
    const scales = scalesOf(ctx);
    checkScales(scales, x);
    const named = ctx.attr.string('mode', 'nearest');
    const mode = named === 'bilinear' ? 'linear' : named;
    if (mode !== 'nearest' && mode !== 'linear') throw new ConvletError('unsupported', `mode '${named}'`);
    // Nearest rounds up when it shrinks (as in onnxruntime and the operator's test), and down when it enlarges.
    const steps = [scales.map((scale) => Math.max(scale, 1)), scales.map((scale) => Math.min(scale, 1))];
    for (const [i, step] of steps.entries()) {
      if (step.every((scale) => scale === 1)) continue;
      const outputShape = x.shape.map((d, axis) => scaled(d, step[axis]));
      x = interpolate(ctx, x, { outputShape, scales: step }, { mode, nearestMode: i === 0 ? 'floor' : downscale });
    }
    return x;
  };
}

/** Sizes and scales along `axes`, extended to the full rank. */
function targetOf(ctx: ImportContext, x: Value, axes: Numbers): Target {
  const given = (index: number) => {
    const values = ctx.numbers(index);
    return values === null || values.length === 0 ? null : values;
  };
  const full = (values: Numbers, fallback: Numbers) => {
    if (values.length !== axes.length) {
      throw new ConvletError('shape', `expects ${axes.length} sizes or scales, got ${values.length}`);
    }
    return fallback.map((d, axis) => (axes.includes(axis) ? values[axes.indexOf(axis)] : d));
  };
  const ones = x.shape.map(() => 1);
  const scales = given(2);
  const sizes = given(3);
  if ((scales === null) === (sizes === null)) {
    throw new ConvletError('malformed', 'expects either scales or sizes');
  }
  if (scales !== null) {
    const all = full(scales, ones);
    checkScales(all, x);
    // ONNX's specification multiplies by the part that tf_crop_and_resize crops; its reference and onnxruntime do not, nor does this.
    return { outputShape: x.shape.map((d, axis) => scaled(d, all[axis])), scales: all };
  }
  const outputShape = full(sizes as Numbers, x.shape);
  const policy = ctx.attr.choice('keep_aspect_ratio_policy', policies, 'stretch');
  if (policy === 'stretch') return { outputShape, scales: null };
  const ratios = axes.map((axis) => outputShape[axis] / x.shape[axis]);
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return {
    outputShape: x.shape.map((d, axis) => (axes.includes(axis) ? Math.floor(scale * d + 0.5) : d)),
    scales: full(
      axes.map(() => scale),
      ones,
    ),
  };
}

function resize(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const rank = x.shape.length;
  const axes = ctx.attr.has('axes')
    ? ctx.attr.ints('axes').map((axis) => ctx.axis(axis, rank))
    : x.shape.map((_, i) => i);
  const coordinateMode = ctx.attr.choice('coordinate_transformation_mode', coordinateModes, 'half_pixel');
  let roi: number[] | null = null;
  if (coordinateMode === 'tf_crop_and_resize') {
    const given = ctx.numbers(1) ?? [];
    if (given.length !== axes.length * 2) {
      throw new ConvletError('malformed', `roi expects ${axes.length * 2} values, got ${given.length}`);
    }
    roi = [...new Array<number>(rank).fill(0), ...new Array<number>(rank).fill(1)];
    for (const [i, axis] of axes.entries()) {
      roi[axis] = given[i];
      roi[rank + axis] = given[axes.length + i];
    }
  }
  return interpolate(ctx, x, targetOf(ctx, x, axes), {
    mode: ctx.attr.choice('mode', modes, 'nearest'),
    coordinateMode,
    nearestMode: ctx.attr.choice('nearest_mode', nearestModes, 'round_prefer_floor'),
    cubicCoeffA: ctx.attr.float('cubic_coeff_a', -0.75),
    excludeOutside: ctx.attr.flag('exclude_outside'),
    antialias: ctx.attr.flag('antialias'),
    extrapolationValue: ctx.attr.float('extrapolation_value', 0),
    roi,
  });
}

const upsample = legacyResize((ctx) => (ctx.opset < 9 ? ctx.attr.floats('scales') : (ctx.numbers(1) ?? [])), 'floor');
const resize10 = legacyResize((ctx) => ctx.numbers(1) ?? [], 'ceil');

export const resizeHandlers: Handlers = {
  Upsample: { since: 7, until: 10, build: upsample },
  Resize: { since: 10, build: (ctx) => (ctx.opset < 11 ? resize10(ctx) : resize(ctx)) },
};
