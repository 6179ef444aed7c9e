import { number } from '../../common/options.ts';
import {
  avgPoolKnown,
  lpPoolKnown,
  maxPoolKnown,
  outputSizeKind,
  perAxisKind,
  unpoolKnown,
} from '../functional/options.ts';
import type { PerAxis } from '../functional/per-axis.ts';
import type { AvgPoolOptions, LpPoolOptions, MaxPoolOptions, OutputSize, UnpoolOptions } from '../functional/pool.ts';
import { F } from '../functional.ts';
import { layer } from './layer.ts';

type MaxArgs = [kernelSize: PerAxis, options?: MaxPoolOptions];
type AvgArgs = [kernelSize: PerAxis, options?: AvgPoolOptions];
type LpArgs = [normType: number, kernelSize: PerAxis, options?: LpPoolOptions];
type UnpoolArgs = [kernelSize: PerAxis, options?: UnpoolOptions];
type AdaptiveArgs = [outputSize: OutputSize];

const max = (name: string, pool: typeof F.maxPool2d) =>
  layer<MaxArgs>(
    name,
    { args: { kernelSize: perAxisKind }, options: maxPoolKnown, needed: 1 },
    ([x], args) => pool(x, ...args),
    (kernelSize, { stride, padding = 0, dilation = 1, ceilMode = false } = {}) => ({
      ...{ kernelSize, stride: stride ?? kernelSize, padding, dilation, ceilMode },
    }),
  );

const avg = (name: string, pool: typeof F.avgPool2d) =>
  layer<AvgArgs>(
    name,
    { args: { kernelSize: perAxisKind }, options: avgPoolKnown, needed: 1 },
    ([x], args) => pool(x, ...args),
    (kernelSize, { stride, padding = 0 } = {}) => ({ kernelSize, stride: stride ?? kernelSize, padding }),
  );

const lp = (name: string, pool: typeof F.lpPool2d) =>
  layer<LpArgs>(
    name,
    { args: { normType: number, kernelSize: perAxisKind }, options: lpPoolKnown, needed: 2 },
    ([x], args) => pool(x, ...args),
    (normType, kernelSize, { stride, ceilMode = false } = {}) => ({
      ...{ normType, kernelSize, stride: stride ?? kernelSize, ceilMode },
    }),
  );

const adaptive = (name: string, pool: typeof F.adaptiveAvgPool2d) =>
  layer<AdaptiveArgs>(
    name,
    { args: { outputSize: outputSizeKind }, needed: 1 },
    ([x], [outputSize]) => pool(x, outputSize),
    (outputSize) => ({ outputSize }),
  );

const unpool = (name: string, body: typeof F.maxUnpool2d) =>
  layer<UnpoolArgs>(
    name,
    { args: { kernelSize: perAxisKind }, options: unpoolKnown, needed: 1 },
    ([x, indices], args) => body(x, indices, ...args),
    (kernelSize, { stride, padding = 0 } = {}) => ({ kernelSize, stride: stride ?? kernelSize, padding }),
  );

/** The greatest element of each window of [N,C,L]; see F.maxPool1d. `stride` defaults to the kernel size. */
export const MaxPool1d = max('MaxPool1d', F.maxPool1d);
/** The greatest element of each window of [N,C,H,W]; see F.maxPool2d. `stride` defaults to the kernel size. */
export const MaxPool2d = max('MaxPool2d', F.maxPool2d);
/** The greatest element of each window of [N,C,D,H,W]; see F.maxPool3d. `stride` defaults to the kernel size. */
export const MaxPool3d = max('MaxPool3d', F.maxPool3d);
/** The mean of each window of [N,C,L]; see F.avgPool1d. `stride` defaults to the kernel size. */
export const AvgPool1d = avg('AvgPool1d', F.avgPool1d);
/** The mean of each window of [N,C,H,W]; see F.avgPool2d. `stride` defaults to the kernel size. */
export const AvgPool2d = avg('AvgPool2d', F.avgPool2d);
/** The mean of each window of [N,C,D,H,W]; see F.avgPool3d. `stride` defaults to the kernel size. */
export const AvgPool3d = avg('AvgPool3d', F.avgPool3d);
/** (Σ xᵖ)^(1/p) of each window of [N,C,L], p = normType > 0. `stride` defaults to the kernel size. */
export const LPPool1d = lp('LPPool1d', F.lpPool1d);
/** (Σ xᵖ)^(1/p) of each window of [N,C,H,W], p = normType > 0. `stride` defaults to the kernel size. */
export const LPPool2d = lp('LPPool2d', F.lpPool2d);
/** Means of [N,C,L] over windows that give an output of the size asked for, whatever the input size is (null keeps an axis). */
export const AdaptiveAvgPool1d = adaptive('AdaptiveAvgPool1d', F.adaptiveAvgPool1d);
/** Means of [N,C,H,W] over windows that give an output of the size asked for, whatever the input size is (null keeps an axis). */
export const AdaptiveAvgPool2d = adaptive('AdaptiveAvgPool2d', F.adaptiveAvgPool2d);
/** Means of [N,C,D,H,W] over windows that give an output of the size asked for, whatever the input size is (null keeps an axis). */
export const AdaptiveAvgPool3d = adaptive('AdaptiveAvgPool3d', F.adaptiveAvgPool3d);
/**
 * Greatest elements of [N,C,L] over windows that give an output of the size asked for, whatever the input size is (null keeps
 * an axis).
 */
export const AdaptiveMaxPool1d = adaptive('AdaptiveMaxPool1d', F.adaptiveMaxPool1d);
/**
 * Greatest elements of [N,C,H,W] over windows that give an output of the size asked for, whatever the input size is (null keeps
 * an axis).
 */
export const AdaptiveMaxPool2d = adaptive('AdaptiveMaxPool2d', F.adaptiveMaxPool2d);
/**
 * Greatest elements of [N,C,D,H,W] over windows that give an output of the size asked for, whatever the input size is (null
 * keeps an axis).
 */
export const AdaptiveMaxPool3d = adaptive('AdaptiveMaxPool3d', F.adaptiveMaxPool3d);
/** `forward(x, indices)`, indices of F.maxPool2dWithIndices. */
export const MaxUnpool1d = unpool('MaxUnpool1d', F.maxUnpool1d);
/** Puts the elements of [N,C,H,W] back where MaxPool2d found them, zeros elsewhere; forward(x, indices). */
export const MaxUnpool2d = unpool('MaxUnpool2d', F.maxUnpool2d);
/** Puts the elements of [N,C,D,H,W] back where MaxPool3d found them, zeros elsewhere; forward(x, indices). */
export const MaxUnpool3d = unpool('MaxUnpool3d', F.maxUnpool3d);
