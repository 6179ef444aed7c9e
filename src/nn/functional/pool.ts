import { apply, apply1, Variable } from '../../autograd/index.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { expectKind, fits, kind, number, oneOf, refuse } from '../../common/options.ts';
import { windowOutput } from '../../ops/window.ts';
import { tensor } from '../../tensor/tensor.ts';
import {
  type AvgPoolOptions,
  avgPoolKnown,
  type LpPoolOptions,
  lpPoolKnown,
  type MaxPoolOptions,
  maxPoolKnown,
  type OutputSize,
  type PoolOptions,
  poolKnown,
  type UnpoolOptions,
  unpoolKnown,
} from './options.ts';
import { type PerAxis, perAxis } from './per-axis.ts';

export type {
  AvgPoolOptions,
  LpPoolOptions,
  MaxPoolOptions,
  OutputSize,
  PoolOptions,
  UnpoolOptions,
} from './options.ts';

interface WithIndices {
  readonly output: Variable;
  /** int64, in the plane. */
  readonly indices: Variable;
}

function windowOf(op: string, rank: number, kernelSize: PerAxis, options: MaxPoolOptions) {
  const kernel = perAxis(op, 'kernelSize', kernelSize, rank);
  const padding = perAxis(op, 'padding', options.padding ?? 0, rank);
  padding.forEach((p, i) => {
    if (p > kernel[i] / 2)
      throw new ConvletError('argument', `${op}: padding expects at most half of the kernel ${kernel[i]}, got ${p}`);
  });
  return {
    kernel,
    stride: perAxis(op, 'stride', options.stride ?? kernelSize, rank),
    padBegin: padding,
    padEnd: padding,
    dilation: perAxis(op, 'dilation', options.dilation ?? 1, rank),
    ceilMode: options.ceilMode ?? false,
  };
}

/** With the batch axis that PyTorch lets one leave out. */
function batched(op: string, rank: number, x: Variable, body: (x: Variable) => Variable[]): Variable[] {
  if (x.rank === rank + 2) return body(x);
  if (x.rank === rank + 1) return body(x.unsqueeze(0)).map((y) => y.squeeze(0));
  throw new ConvletError(
    'shape',
    `${op}: input expects rank ${rank + 2} or ${rank + 1}, got shape ${shapeText(x.shape)}`,
  );
}

const maxPooling = (op: string, rank: number, indices: boolean) => {
  return (x: Variable, kernelSize: PerAxis, options: MaxPoolOptions = {}): Variable[] => {
    if (!fits(options, maxPoolKnown)) refuse(op, options, maxPoolKnown, { x, kernelSize });
    const window = windowOf(op, rank, kernelSize, options);
    const attrs = { ...window, indices, indexBase: 'plane', columnMajor: false } as const;
    return batched(op, rank, x, (input) => apply('maxPool', [input], attrs));
  };
};

const maxPool = (op: string, rank: number) => {
  const pool = maxPooling(op, rank, false);
  return (x: Variable, kernelSize: PerAxis, options?: MaxPoolOptions): Variable => pool(x, kernelSize, options)[0];
};

const maxPoolWithIndices = (op: string, rank: number) => {
  const pool = maxPooling(op, rank, true);
  return (x: Variable, kernelSize: PerAxis, options?: MaxPoolOptions): WithIndices => {
    const [output, indices] = pool(x, kernelSize, options);
    return { output, indices };
  };
};

const avgPool = (op: string, rank: number) => {
  return (x: Variable, kernelSize: PerAxis, options: AvgPoolOptions = {}): Variable => {
    if (!fits(options, avgPoolKnown)) refuse(op, options, avgPoolKnown, { x, kernelSize });
    const { countIncludePad = true, divisorOverride } = options;
    const attrs = {
      ...windowOf(op, rank, kernelSize, options),
      countIncludePad,
      divisorOverride: divisorOverride ?? 0,
    };
    return batched(op, rank, x, (input) => apply('averagePool', [input], attrs))[0];
  };
};

/** (Σ x^p)^(1/p) per window; a window cut short by ceil mode counts its mean over the whole kernel, as PyTorch's. */
const lpPool = (op: string, rank: number) => {
  return (x: Variable, normType: number, kernelSize: PerAxis, options: LpPoolOptions = {}): Variable => {
    if (!fits(options, lpPoolKnown)) refuse(op, options, lpPoolKnown, { x, normType, kernelSize });
    expectKind(op, 'normType', normType, number);
    const attrs = windowOf(op, rank, kernelSize, options);
    return batched(op, rank, x, (input) => {
      const y = apply1('lpPool', [input], { ...attrs, p: normType });
      return [attrs.ceilMode ? y.mul(cutWindows(op, input, attrs, normType)) : y];
    })[0];
  };
};

function cutWindows(op: string, x: Variable, attrs: ReturnType<typeof windowOf>, p: number): Variable {
  const spatial = x.shape.slice(2);
  const output = windowOutput(op, spatial, attrs.kernel, attrs, attrs.ceilMode);
  let factors = [1];
  output.forEach((size, axis) => {
    const kernel = attrs.kernel[axis];
    const inside = (o: number): number => Math.min(kernel, spatial[axis] - o * attrs.stride[axis]);
    factors = factors.flatMap((f) => Array.from({ length: size }, (_, o) => (f * kernel) / inside(o)));
  });
  const values = Float32Array.from(factors, (f) => f ** (1 / p));
  const made = tensor(values, [1, 1, ...output]);
  return new Variable(made, made);
}

const adaptive = (op: string, name: 'adaptiveAveragePool' | 'adaptiveMaxPool', rank: number, indices: boolean) => {
  return (x: Variable, outputSize: OutputSize): Variable[] =>
    batched(op, rank, x, (input) => {
      const wanted = typeof outputSize === 'number' ? new Array<number>(rank).fill(outputSize) : outputSize;
      const size = wanted.map((n, i) => n ?? input.shape[i + 2]);
      if (name === 'adaptiveAveragePool' && size.every((n) => n === 1)) return apply('globalAveragePool', [input]);
      return apply(name, [input], { outputSize: perAxis(op, 'outputSize', size, rank), indices });
    });
};

const adaptiveAvg = (op: string, rank: number) => {
  const pool = adaptive(op, 'adaptiveAveragePool', rank, false);
  return (x: Variable, outputSize: OutputSize): Variable => pool(x, outputSize)[0];
};

const adaptiveMax = (op: string, rank: number) => {
  const pool = adaptive(op, 'adaptiveMaxPool', rank, false);
  return (x: Variable, outputSize: OutputSize): Variable => pool(x, outputSize)[0];
};

const maxUnpool = (op: string, rank: number) => {
  return (x: Variable, indices: Variable, kernelSize: PerAxis, options: UnpoolOptions = {}): Variable => {
    if (!fits(options, unpoolKnown)) refuse(op, options, unpoolKnown, { x, indices, kernelSize });
    const { kernel, stride, padBegin } = windowOf(op, rank, kernelSize, options);
    const spatial = x.shape.slice(x.rank - rank);
    const size = options.outputSize ?? spatial.map((d, i) => (d - 1) * stride[i] - 2 * padBegin[i] + kernel[i]);
    const outputSize = size.slice(-rank);
    const whole = x.rank === rank + 1 ? indices.unsqueeze(0) : indices;
    return batched(op, rank, x, (input) => apply('maxUnpool', [input, whole], { outputSize, indexBase: 'plane' }))[0];
  };
};

/** The greatest element of each window of [N,C,L]; padding counts as −∞, NaN is kept. `kernelSize` is a number or k. */
export const maxPool1d = maxPool('maxPool1d', 1);
/** The greatest element of each window of [N,C,H,W]; padding counts as −∞, NaN is kept. `kernelSize` is a number or [kH, kW]. */
export const maxPool2d = maxPool('maxPool2d', 2);
/** The greatest element of each window of [N,C,D,H,W]; padding counts as −∞, NaN is kept. `kernelSize` is a number or [kD, kH, kW]. */
export const maxPool3d = maxPool('maxPool3d', 3);
/** As maxPool1d, with the place of each maximum in its plane (int64), for maxUnpool1d. */
export const maxPool1dWithIndices = maxPoolWithIndices('maxPool1dWithIndices', 1);
/** As maxPool2d, with the place of each maximum in its plane (int64), for maxUnpool2d. */
export const maxPool2dWithIndices = maxPoolWithIndices('maxPool2dWithIndices', 2);
/** As maxPool3d, with the place of each maximum in its plane (int64), for maxUnpool3d. */
export const maxPool3dWithIndices = maxPoolWithIndices('maxPool3dWithIndices', 3);
/** The mean of each window of [N,C,L]; padding counts as zeros unless countIncludePad is false. `kernelSize` is a number or k. */
export const avgPool1d = avgPool('avgPool1d', 1);
/**
 * The mean of each window of [N,C,H,W]; padding counts as zeros unless countIncludePad is false. `kernelSize` is a number or
 * [kH, kW].
 */
export const avgPool2d = avgPool('avgPool2d', 2);
/**
 * The mean of each window of [N,C,D,H,W]; padding counts as zeros unless countIncludePad is false. `kernelSize` is a number or
 * [kD, kH, kW].
 */
export const avgPool3d = avgPool('avgPool3d', 3);
/** (Σ xᵖ)^(1/p) of each window of [N,C,L], p = normType > 0. */
export const lpPool1d = lpPool('lpPool1d', 1);
/** (Σ xᵖ)^(1/p) of each window of [N,C,H,W], p = normType > 0. */
export const lpPool2d = lpPool('lpPool2d', 2);
/** Means of [N,C,L] over windows ⌊o · in / out⌋ … ⌈(o + 1) · in / out⌉, so that the output has `outputSize` (null keeps an axis). */
export const adaptiveAvgPool1d = adaptiveAvg('adaptiveAvgPool1d', 1);
/** Means of [N,C,H,W] over windows ⌊o · in / out⌋ … ⌈(o + 1) · in / out⌉, so that the output has `outputSize` (null keeps an axis). */
export const adaptiveAvgPool2d = adaptiveAvg('adaptiveAvgPool2d', 2);
/** Means of [N,C,D,H,W] over windows ⌊o · in / out⌋ … ⌈(o + 1) · in / out⌉, so that the output has `outputSize` (null keeps an axis). */
export const adaptiveAvgPool3d = adaptiveAvg('adaptiveAvgPool3d', 3);
/**
 * Greatest elements of [N,C,L] over windows ⌊o · in / out⌋ … ⌈(o + 1) · in / out⌉, so that the output has `outputSize` (null
 * keeps an axis).
 */
export const adaptiveMaxPool1d = adaptiveMax('adaptiveMaxPool1d', 1);
/**
 * Greatest elements of [N,C,H,W] over windows ⌊o · in / out⌋ … ⌈(o + 1) · in / out⌉, so that the output has `outputSize` (null
 * keeps an axis).
 */
export const adaptiveMaxPool2d = adaptiveMax('adaptiveMaxPool2d', 2);
/**
 * Greatest elements of [N,C,D,H,W] over windows ⌊o · in / out⌋ … ⌈(o + 1) · in / out⌉, so that the output has `outputSize`
 * (null keeps an axis).
 */
export const adaptiveMaxPool3d = adaptiveMax('adaptiveMaxPool3d', 3);
/**
 * Puts the elements of [N,C,L] at the places `indices` of maxPool1dWithIndices, zeros elsewhere; `outputSize` where more than
 * one size is possible.
 */
export const maxUnpool1d = maxUnpool('maxUnpool1d', 1);
/**
 * Puts the elements of [N,C,H,W] at the places `indices` of maxPool2dWithIndices, zeros elsewhere; `outputSize` where more than
 * one size is possible.
 */
export const maxUnpool2d = maxUnpool('maxUnpool2d', 2);
/**
 * Puts the elements of [N,C,D,H,W] at the places `indices` of maxPool3dWithIndices, zeros elsewhere; `outputSize` where more
 * than one size is possible.
 */
export const maxUnpool3d = maxUnpool('maxUnpool3d', 3);

const share = kind<number | Variable>('a number or a variable', (v) => typeof v === 'number' || v instanceof Variable);

/** alpha · max pool + (1 − alpha) · average pool (Lee et al. 2016). An alpha that is a variable broadcasts, and may learn. */
export function mixedPool2d(
  x: Variable,
  kernelSize: PerAxis,
  alpha: number | Variable,
  options: PoolOptions = {},
): Variable {
  expectKind('mixedPool2d', 'alpha', alpha, share);
  if (!fits(options, poolKnown)) refuse('mixedPool2d', options, poolKnown, { x, kernelSize, alpha });
  const rest = typeof alpha === 'number' ? 1 - alpha : alpha.neg().add(1);
  return maxPool2d(x, kernelSize, options)
    .mul(alpha)
    .add(avgPool2d(x, kernelSize, options).mul(rest));
}

const pyramidMode = oneOf('max', 'average');

/** Spatial pyramid pooling (He et al. 2014): adaptive pools of n×n for each level, flattened and joined. */
export function spatialPyramidPool2d(
  x: Variable,
  levels: readonly number[],
  mode: 'max' | 'average' = 'max',
): Variable {
  expectKind('spatialPyramidPool2d', 'mode', mode, pyramidMode);
  const pool = mode === 'max' ? adaptiveMaxPool2d : adaptiveAvgPool2d;
  const parts = levels.map((n) => pool(x, n));
  return apply1(
    'concat',
    parts.map((part) => part.reshape(part.shape[0], product(part.shape.slice(1)))),
    { axis: 1 },
  );
}
