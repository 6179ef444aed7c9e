import { ConvletError } from '../../../common/error.ts';
import type { Value } from '../../../graph/graph.ts';
import type { SampleMode } from '../../../ops/sample/attrs.ts';
import type { Handler, Handlers, ImportContext } from '../context.ts';

const axisOf = (ctx: ImportContext, x: Value, fallback = 0): number =>
  ctx.axis(ctx.attr.int('axis', fallback), x.shape.length);

function gather(op: 'gather' | 'gatherElements'): Handler {
  return {
    since: 1,
    build: (ctx) => ctx.one(op, [ctx.required(0), ctx.required(1)], { axis: axisOf(ctx, ctx.required(0)) }),
  };
}

function gatherND(ctx: ImportContext): Value {
  return ctx.one('gatherND', [ctx.required(0), ctx.required(1)], { batchDims: ctx.attr.int('batch_dims', 0) });
}

const reductions = ['none', 'add', 'mul', 'max', 'min'] as const;

function scatterElements(ctx: ImportContext): Value {
  const [x, indices, updates] = [ctx.required(0), ctx.required(1), ctx.required(2)];
  const reduction = ctx.attr.choice('reduction', reductions, 'none');
  return ctx.one('scatterElements', [x, indices, updates], { axis: axisOf(ctx, x), reduction });
}

function scatterND(ctx: ImportContext): Value {
  const inputs = [ctx.required(0), ctx.required(1), ctx.required(2)];
  return ctx.one('scatterND', inputs, { reduction: ctx.attr.choice('reduction', reductions, 'none') });
}

/** k is an attribute before opset 10. */
function topK(ctx: ImportContext): Value[] {
  const x = ctx.required(0);
  return ctx.emit('topK', [x], {
    k: ctx.opset < 10 ? ctx.attr.int('k') : ctx.scalar(1),
    axis: axisOf(ctx, x, -1),
    largest: ctx.attr.flag('largest', true),
    sorted: ctx.attr.flag('sorted', true),
  });
}

function compress(ctx: ImportContext): Value[] {
  const x = ctx.required(0);
  const axis = ctx.attr.has('axis') ? axisOf(ctx, x) : null;
  return ctx.emit('compress', [x, ctx.required(1)], { axis });
}

function unique(ctx: ImportContext): Value[] {
  const x = ctx.required(0);
  const axis = ctx.attr.has('axis') ? axisOf(ctx, x) : null;
  return ctx.emit('unique', [x], { axis, sorted: ctx.attr.flag('sorted', true) });
}

function oneHot(ctx: ImportContext): Value {
  const [indices, values] = [ctx.required(0), ctx.required(2)];
  const depth = Math.trunc(ctx.scalar(1));
  const axis = ctx.axis(ctx.attr.int('axis', -1), indices.shape.length + 1);
  return ctx.one('oneHot', [indices, values], { depth, axis });
}

function trilu(ctx: ImportContext): Value {
  return ctx.one('trilu', [ctx.required(0)], { k: ctx.scalar(1, 0), upper: ctx.attr.flag('upper', true) });
}

function reverseSequence(ctx: ImportContext): Value {
  return ctx.one('reverseSequence', [ctx.required(0), ctx.required(1)], {
    batchAxis: ctx.attr.int('batch_axis', 1),
    timeAxis: ctx.attr.int('time_axis', 0),
  });
}

function nonMaxSuppression(ctx: ImportContext): Value[] {
  return ctx.emit('nonMaxSuppression', [ctx.required(0), ctx.required(1)], {
    centerPointBox: ctx.attr.flag('center_point_box'),
    maxOutputBoxesPerClass: ctx.scalar(2, 0),
    iouThreshold: ctx.scalar(3, 0),
    scoreThreshold: ctx.scalar(4, Number.NEGATIVE_INFINITY),
  });
}

/** Before opset 16 there was no shift by half a pixel. */
function roiAlign(ctx: ImportContext): Value {
  const coordinateMode =
    ctx.opset >= 16
      ? ctx.attr.choice('coordinate_transformation_mode', ['half_pixel', 'output_half_pixel'], 'half_pixel')
      : 'output_half_pixel';
  return ctx.one('roiAlign', [ctx.required(0), ctx.required(1), ctx.required(2)], {
    mode: ctx.attr.choice('mode', ['avg', 'max'], 'avg'),
    outputHeight: ctx.attr.int('output_height', 1),
    outputWidth: ctx.attr.int('output_width', 1),
    samplingRatio: ctx.attr.int('sampling_ratio', 0),
    spatialScale: ctx.attr.float('spatial_scale', 1),
    coordinateMode,
  });
}

/** Names of opset 16, and of opset 20 and later. */
const sampleModes: { readonly [name: string]: SampleMode } = {
  bilinear: 'linear',
  linear: 'linear',
  bicubic: 'cubic',
  cubic: 'cubic',
  nearest: 'nearest',
};

function gridSample(ctx: ImportContext): Value {
  const name = ctx.attr.string('mode', 'linear');
  const mode = sampleModes[name];
  if (mode === undefined) throw new ConvletError('unsupported', `mode '${name}'`);
  return ctx.one('gridSample', [ctx.required(0), ctx.required(1)], {
    mode,
    paddingMode: ctx.attr.choice('padding_mode', ['zeros', 'border', 'reflection'], 'zeros'),
    alignCorners: ctx.attr.flag('align_corners'),
  });
}

function affineGrid(ctx: ImportContext): Value {
  const size = ctx.numbers(1) ?? [];
  return ctx.one('affineGrid', [ctx.required(0)], { size, alignCorners: ctx.attr.flag('align_corners') });
}

export const indexHandlers: Handlers = {
  Gather: gather('gather'),
  GatherElements: { ...gather('gatherElements'), since: 11 },
  GatherND: { since: 11, build: gatherND },
  Scatter: { since: 9, build: scatterElements },
  ScatterElements: { since: 11, build: scatterElements },
  ScatterND: { since: 11, build: scatterND },
  TopK: { since: 1, build: topK },
  NonZero: { since: 9, build: (ctx) => ctx.emit('nonZero', [ctx.required(0)]) },
  Compress: { since: 9, build: compress },
  Unique: { since: 11, build: unique },
  OneHot: { since: 9, build: oneHot },
  Trilu: { since: 14, build: trilu },
  ReverseSequence: { since: 10, build: reverseSequence },
  NonMaxSuppression: { since: 10, build: nonMaxSuppression },
  RoiAlign: { since: 10, build: roiAlign },
  GridSample: { since: 16, build: gridSample },
  AffineGrid: { since: 20, build: affineGrid },
};
