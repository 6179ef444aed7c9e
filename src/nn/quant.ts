// Quantization in the training loop (Jacob et al. 2018), and tensors of quantized values.
import { apply1, dtypeKind, scalar, type Variable } from '../autograd/index.ts';
import { type DType, quantizedRanges } from '../common/dtype.ts';
import { ConvletError } from '../common/error.ts';
import { anything, fits, type Known, type KnownOf, kind, number, refuse } from '../common/options.ts';
import { normalizeAxis } from '../ops/check.ts';

/** A number for the whole tensor, or one per channel [C]. */
export type PerChannel = number | Variable;

/** `value` so that it broadcasts with x: a variable [C] runs along `axis`. */
function along(op: string, x: Variable, value: PerChannel, axis: number): Variable {
  if (typeof value === 'number') return scalar(value, x.dtype);
  const at = normalizeAxis(op, axis, x.rank);
  if (value.size !== 1 && value.size !== x.shape[at])
    throw new ConvletError('shape', `${op}: expects ${x.shape[at]} values along axis ${at}, got ${value.size}`);
  return value.to(x.dtype).reshape(...x.shape.map((_, i) => (i === at ? value.size : 1)));
}

/** x / scale, rounded half to even, + zeroPoint, inside low…high; gradients pass where the bounds are not touched. */
function levels(
  op: string,
  x: Variable,
  scale: PerChannel,
  zeroPoint: PerChannel,
  axis: number,
  [low, high]: readonly [number, number],
): Variable {
  if (typeof scale === 'number' && !(scale > 0))
    throw new ConvletError('argument', `${op}: scale expects a number > 0, got ${scale}`);
  // As PyTorch: times the reciprocal in single precision.
  const one =
    typeof scale === 'number'
      ? scalar(Math.fround(1 / Math.fround(scale)), x.dtype)
      : along(op, x, scale, axis).reciprocal();
  const rounded = apply1('roundThrough', [x.mul(one)]);
  return rounded.add(along(op, x, zeroPoint, axis)).clamp(low, high);
}

/** Of fakeQuantize. */
export interface FakeQuantizeOptions {
  /** The whole number that stands for 0; default 0. */
  readonly zeroPoint?: PerChannel;
  /** Least whole number. */
  readonly quantMin?: number;
  /** Greatest whole number. */
  readonly quantMax?: number;
  /** Of the channels, where scale or zero point are per channel. Default 0. */
  readonly axis?: number;
}

const fakeQuantizeKnown: KnownOf<FakeQuantizeOptions> = {
  zeroPoint: anything,
  quantMin: number,
  quantMax: number,
  axis: number,
};

/**
 * What is left of x after quantization and back: (clamp(round(x / scale) + zeroPoint, quantMin, quantMax) − zeroPoint)·scale.
 * The gradient is 1 inside the range and 0 outside (straight-through); a scale that is a variable learns too.
 */
export function fakeQuantize(x: Variable, scale: PerChannel, options: FakeQuantizeOptions = {}): Variable {
  if (!fits(options, fakeQuantizeKnown)) refuse('fakeQuantize', options, fakeQuantizeKnown, { x, scale });
  const { zeroPoint = 0, quantMin = -128, quantMax = 127, axis = 0 } = options;
  const q = levels('fakeQuantize', x, scale, zeroPoint, axis, [quantMin, quantMax]);
  return q.sub(along('fakeQuantize', x, zeroPoint, axis)).mul(along('fakeQuantize', x, scale, axis));
}

/** Of quantize. */
export interface QuantizeOptions extends Pick<FakeQuantizeOptions, 'zeroPoint' | 'axis'> {
  /** Default int8. */
  readonly dtype?: DType;
}

const dequantizeKnown = { zeroPoint: anything, axis: number } satisfies Known;
const quantizeKnown: KnownOf<QuantizeOptions> = { ...dequantizeKnown, dtype: dtypeKind };

/** The quantized values themselves, of `dtype` (int8, uint8, int16, uint16). */
export function quantize(x: Variable, scale: PerChannel, options: QuantizeOptions = {}): Variable {
  if (!fits(options, quantizeKnown)) refuse('quantize', options, quantizeKnown, { x, scale });
  const { zeroPoint = 0, axis = 0, dtype = 'int8' } = options;
  const range = quantizedRanges[dtype];
  if (range === undefined)
    throw new ConvletError(
      'dtype',
      `quantize: dtype expects ${Object.keys(quantizedRanges).join(' or ')}, got ${dtype}`,
    );
  return levels('quantize', x, scale, zeroPoint, axis, range).to(dtype);
}

/** (q − zeroPoint)·scale. */
export function dequantize(
  q: Variable,
  scale: PerChannel,
  options: Pick<FakeQuantizeOptions, 'zeroPoint' | 'axis'> = {},
): Variable {
  if (!fits(options, dequantizeKnown)) refuse('dequantize', options, dequantizeKnown, { q, scale });
  const { zeroPoint = 0, axis = 0 } = options;
  const x = q.to('float32');
  return x.sub(along('dequantize', x, zeroPoint, axis)).mul(along('dequantize', x, scale, axis));
}

/** Of convInteger. */
export interface QuantizedConvOptions {
  /** Steps between windows; default 1. */
  readonly stride?: readonly number[];
  /** Cells of the zero point on both sides; default 0. */
  readonly padding?: readonly number[];
  /** Steps between the taps of a window; default 1. */
  readonly dilation?: readonly number[];
  /** Groups of channels; default 1. */
  readonly groups?: number;
  /** What is taken off each element of x. */
  readonly xZeroPoint?: number;
  /** What is taken off each weight. */
  readonly wZeroPoint?: number;
}

const perAxis = kind<readonly number[]>(
  'an array with a number per axis',
  (value) => Array.isArray(value) && value.every((n) => typeof n === 'number'),
);
const convIntegerKnown: KnownOf<QuantizedConvOptions> = {
  stride: perAxis,
  padding: perAxis,
  dilation: perAxis,
  groups: number,
  xZeroPoint: number,
  wZeroPoint: number,
};

/** Σ (x − xZeroPoint)·(w − wZeroPoint) in int32, exactly; the padding counts as the zero point. One entry per spatial axis. */
export function convInteger(x: Variable, weight: Variable, options: QuantizedConvOptions = {}): Variable {
  if (!fits(options, convIntegerKnown)) refuse('convInteger', options, convIntegerKnown, { x, weight });
  const all = (value: number): number[] => x.shape.slice(2).map(() => value);
  const { stride = all(1), padding = all(0), dilation = all(1), groups = 1, xZeroPoint = 0, wZeroPoint = 0 } = options;
  const zeroPoint = (value: number): Variable | null => (value === 0 ? null : scalar(value, 'int32'));
  const inputs = [x, weight, zeroPoint(xZeroPoint), zeroPoint(wZeroPoint), null];
  return apply1('convInteger', inputs, { stride, padBegin: padding, padEnd: padding, dilation, groups });
}
