import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { canBeChannelsLast, memoryOrder } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, gradOf, inputOf } from '../core/gradient.ts';
import { emitRelayout } from '../core/layout-conversion.ts';
import { channelsLastLayouts, defineOp, type Emitter, rowLayouts, type TensorInfo } from '../core/op.ts';
import type { InterpolateAttrs } from './attrs.ts';
import {
  type AxisTable,
  axisTable,
  coordinateModes,
  interpolateModes,
  isIdentity,
  nearestModes,
} from './interpolate-table.ts';

const ofInterpolate = checker('interpolate');

/**
 * Resizes x to `outputShape` (ONNX Resize, PyTorch interpolate). It is separable, so it is a chain of one resampling per axis.
 * PyTorch's modes: nearest = asymmetric + floor; nearest-exact = half_pixel + round_prefer_ceil; area = area; linear,
 * bilinear, trilinear, bicubic = half_pixel or align_corners. Non-float dtypes: nearest only.
 */
export const interpolate = defineOp({
  name: 'interpolate',
  infer(inputs, attrs) {
    const x = ofInterpolate.required(inputs, 0, 'x');
    const rank = x.shape.length;
    ofInterpolate.oneOf('mode', attrs.mode, interpolateModes);
    ofInterpolate.oneOf('coordinateMode', attrs.coordinateMode, coordinateModes);
    ofInterpolate.oneOf('nearestMode', attrs.nearestMode, nearestModes);
    if (attrs.mode !== 'nearest') ofInterpolate.float('x', x);
    checkOutputShape(attrs.outputShape, x.shape);
    ofInterpolate.number('cubicCoeffA', attrs.cubicCoeffA);
    ofInterpolate.number('extrapolationValue', attrs.extrapolationValue);
    checkScales(attrs, x.shape);
    checkLengths(attrs, x.shape);
    checkRoi(attrs, rank);
    return [{ dtype: x.dtype, shape: attrs.outputShape }];
  },
  layouts: (inputs, _attrs, outputs) =>
    canBeChannelsLast(inputs[0]!.shape.length) ? channelsLastLayouts(inputs, outputs) : rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    if (product(outputs[0].shape) === 0) return;
    const passes = passesOf(inputs[0]!, attrs);
    if (passes.length === 0) {
      emitRelayout(emit, inputs[0]!, outputs[0]);
      return;
    }
    let x = inputs[0]!;
    passes.forEach(({ axis, table }, i) => {
      const shape = x.shape.map((d, a) => (a === axis ? attrs.outputShape[a] : d));
      const y = i === passes.length - 1 ? outputs[0] : emit.temp(x.dtype, shape, x.layout);
      emitPass(emit, x, y, axis, table, attrs.extrapolationValue);
      x = y;
    });
  },
  macs: (inputs, _outputs, attrs) => {
    if (product(attrs.outputShape) === 0) return 0;
    let cells = product(inputs[0]!.shape);
    let sum = 0;
    for (const { ratio, table } of passesOf(inputs[0]!, attrs)) {
      cells *= ratio;
      sum += cells * table.taps;
    }
    return Math.round(sum);
  },
  backward: (g) => [apply(g, 'interpolateGrad', [gradOf(g)], { ...g.attrs, inputShape: inputOf(g).shape })],
});

interface Pass {
  readonly axis: number;
  readonly table: AxisTable;
  /** Output cells per input cell. */
  readonly ratio: number;
}

/**
 * The axes that change, in the cheapest order. A pass costs (cells so far) · ratio · taps. Pass a should be before b if
 * (1 − ratio)/(ratio · taps) of a is at least that of b: passes that shrink come first.
 */
export function passesOf(x: TensorInfo, attrs: InterpolateAttrs): Pass[] {
  const rank = x.shape.length;
  const passes: Pass[] = [];
  x.shape.forEach((input, axis) => {
    const output = attrs.outputShape[axis];
    const scale = attrs.scales?.[axis] ?? null;
    const roi = [attrs.roi?.[axis] ?? 0, attrs.roi?.[rank + axis] ?? 1] as const;
    if (input === output && isTrivial(attrs, scale, roi)) return;
    const table = axisTable({ ...attrs, input, output, scale, roi });
    if (!isIdentity(table, input)) passes.push({ axis, table, ratio: output / input });
  });
  const gain = ({ ratio, table }: Pass): number => (1 - ratio) / (ratio * table.taps);
  return passes.sort((a, b) => gain(b) - gain(a));
}

/** Whether an axis of unchanged length is certainly copied, so that batch and channels need no table. */
function isTrivial(attrs: InterpolateAttrs, scale: number | null, [start, end]: readonly [number, number]): boolean {
  if (scale !== null && scale !== 1) return false;
  if (attrs.coordinateMode === 'tf_half_pixel_for_nn') return false;
  return attrs.coordinateMode !== 'tf_crop_and_resize' || (start === 0 && end === 1);
}

export function emitPass(
  emit: Emitter,
  x: Tensor,
  y: Tensor,
  axis: number,
  table: AxisTable,
  extrapolation: number,
): void {
  const order = memoryOrder(x.shape.length, x.layout);
  const at = order.indexOf(axis);
  const extent = (axes: readonly number[]): number => product(axes.map((a) => x.shape[a]));
  emit.call('resample', [x, emit.constant(table.index), emit.constant(table.weight)], [y], {
    outer: extent(order.slice(0, at)),
    input: x.shape[axis],
    output: y.shape[axis],
    inner: extent(order.slice(at + 1)),
    taps: table.taps,
    extrapolation,
  });
}

/** Checks that an empty axis stays empty, and that the others get at least one cell. */
function checkOutputShape(output: readonly number[], x: readonly number[]): void {
  const kept = x.every((d, axis) => d > 0 || output[axis] === 0);
  if (!kept) throw new ConvletError('shape', `interpolate: x expects no empty axis, got shape ${shapeText(x)}`);
  const least = x.every((d, axis) => d === 0 || output[axis] !== 0) ? 0 : 1;
  ofInterpolate.whole('outputShape', output, x.length, least);
}

function checkScales({ scales, antialias }: InterpolateAttrs, x: readonly number[]): void {
  if (scales === null) return;
  if (scales.length !== x.length || !scales.every((s) => Number.isFinite(s) && s > 0)) {
    const got = shapeText(scales);
    throw new ConvletError('argument', `interpolate: scales expects ${x.length} numbers > 0, got ${got}`);
  }
  // A kernel that is stretched by 1/scale may at most cover the whole input.
  if (!antialias || scales.every((s, axis) => x[axis] === 0 || s * x[axis] >= 0.5)) return;
  throw new ConvletError(
    'argument',
    `interpolate: scales expects at least half a cell of x ${shapeText(x)} with antialias, got ${shapeText(scales)}`,
  );
}

/** The longest axis that can be resized: each of its cells has a row in a table, which JavaScript computes. */
const mostResized = 2 ** 20;

function checkLengths({ outputShape }: InterpolateAttrs, x: readonly number[]): void {
  const axis = x.findIndex((d, i) => d !== outputShape[i] && outputShape[i] > mostResized);
  if (axis < 0) return;
  const got = outputShape[axis];
  throw new ConvletError('unsupported', `interpolate: axis ${axis} expects at most ${mostResized} cells, got ${got}`);
}

function checkRoi({ roi, coordinateMode }: InterpolateAttrs, rank: number): void {
  if (coordinateMode !== 'tf_crop_and_resize') return;
  if (roi !== null && roi.length === 2 * rank && roi.every((r) => Number.isFinite(r))) return;
  const got = roi === null ? 'none' : shapeText(roi);
  throw new ConvletError('argument', `interpolate: roi expects ${2 * rank} numbers (starts, then ends), got ${got}`);
}
