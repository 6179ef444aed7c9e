// Which options the functions of F and the layers of the same names have, in PyTorch's order.
import { anything, flag, type Kind, type KnownOf, kind, number, oneOf } from '../../common/options.ts';
import type { ConvOptions, ConvTransposeOptions } from './conv.ts';
import type { BatchNormOptions } from './norm.ts';
import type { PerAxis } from './per-axis.ts';
import type { AvgPoolOptions, LpPoolOptions, MaxPoolOptions, OutputSize, PoolOptions, UnpoolOptions } from './pool.ts';
import type { GridSampleOptions, InterpolateOptions, WindowOptions } from './resize.ts';

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isPerAxis = (value: unknown): boolean => isNumber(value) || (Array.isArray(value) && value.every(isNumber));
const isWholes = (value: unknown): boolean => Array.isArray(value) && value.every(Number.isInteger);
const orNull = <T>({ text, holds }: Kind<T>): Kind<T | null> =>
  kind(`${text}, or null`, (value) => value === null || holds(value));

export const perAxisKind = kind<PerAxis>('a number or one per axis', isPerAxis);
export const shapeKind = kind<readonly number[]>('an array of whole numbers', isWholes);
/** A shape, where a number stands for one of a single axis. */
export const sizeKind = kind<number | readonly number[]>(
  'a whole number or an array of them',
  (value) => Number.isInteger(value) || isWholes(value),
);
export const outputSizeKind = kind<OutputSize>(
  'a number or one per axis (null: as it is)',
  (value) => isNumber(value) || (Array.isArray(value) && value.every((n) => n === null || isNumber(n))),
);

export const convKnown: KnownOf<ConvOptions> = {
  stride: perAxisKind,
  padding: kind('a number, one per axis, same or valid', (v) => v === 'same' || v === 'valid' || isPerAxis(v)),
  dilation: perAxisKind,
  groups: number,
  paddingMode: oneOf('zeros', 'reflect', 'replicate', 'circular'),
};

export const convTransposeKnown: KnownOf<ConvTransposeOptions> = {
  stride: perAxisKind,
  padding: perAxisKind,
  outputPadding: perAxisKind,
  groups: number,
  dilation: perAxisKind,
};

export const poolKnown: KnownOf<PoolOptions> = { stride: orNull(perAxisKind), padding: perAxisKind, ceilMode: flag };
export const maxPoolKnown: KnownOf<MaxPoolOptions> = {
  stride: orNull(perAxisKind),
  padding: perAxisKind,
  dilation: perAxisKind,
  ceilMode: flag,
};
export const avgPoolKnown: KnownOf<AvgPoolOptions> = {
  ...poolKnown,
  countIncludePad: flag,
  divisorOverride: orNull(number),
};
export const lpPoolKnown: KnownOf<LpPoolOptions> = { stride: orNull(perAxisKind), ceilMode: flag };
export const unpoolKnown: KnownOf<UnpoolOptions> = {
  stride: orNull(perAxisKind),
  padding: perAxisKind,
  outputSize: shapeKind,
};

export const batchNormKnown: KnownOf<BatchNormOptions> = {
  weight: anything,
  bias: anything,
  training: flag,
  momentum: number,
  eps: number,
};

export const interpolateKnown: KnownOf<InterpolateOptions> = {
  size: perAxisKind,
  scaleFactor: perAxisKind,
  mode: oneOf('nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic', 'area', 'lanczos3'),
  alignCorners: flag,
  recomputeScaleFactor: flag,
  antialias: flag,
};

export const windowKnown: KnownOf<WindowOptions> = { dilation: perAxisKind, padding: perAxisKind, stride: perAxisKind };

export const gridSampleKnown: KnownOf<GridSampleOptions> = {
  mode: oneOf('bilinear', 'nearest', 'bicubic'),
  paddingMode: oneOf('zeros', 'border', 'reflection'),
  alignCorners: flag,
};
