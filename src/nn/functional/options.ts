// Options of the functions of F and of the layers of the same names. Tables are in PyTorch's order.
import type { Variable } from '../../autograd/index.ts';
import { anything, flag, type Kind, type KnownOf, kind, number, oneOf } from '../../common/options.ts';
import type { PadMode } from './pad.ts';
import type { PerAxis } from './per-axis.ts';

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

/** An output size per axis; null keeps the input's. */
export type OutputSize = number | readonly (number | null)[];
export const outputSizeKind = kind<OutputSize>(
  'a number or one per axis (null: as it is)',
  (value) => isNumber(value) || (Array.isArray(value) && value.every((n) => n === null || isNumber(n))),
);

export interface ConvOptions {
  /** Steps between windows; default 1. */
  readonly stride?: PerAxis;
  /** Cells on both sides of each axis; 'same': the output is as large as the input (stride 1); 'valid': none. */
  readonly padding?: PerAxis | 'same' | 'valid';
  /** Steps between the taps of a window; default 1. */
  readonly dilation?: PerAxis;
  /** Groups of channels that do not see each other; default 1. */
  readonly groups?: number;
  /** The values of the padding; 'zeros' costs nothing extra. */
  readonly paddingMode?: 'zeros' | Exclude<PadMode, 'constant'>;
}

export const convKnown: KnownOf<ConvOptions> = {
  stride: perAxisKind,
  padding: kind('a number, one per axis, same or valid', (v) => v === 'same' || v === 'valid' || isPerAxis(v)),
  dilation: perAxisKind,
  groups: number,
  paddingMode: oneOf('zeros', 'reflect', 'replicate', 'circular'),
};

export interface ConvTransposeOptions {
  /** Steps of the output between inputs; default 1. */
  readonly stride?: PerAxis;
  /** Cells that are cut off on both sides of the output; default 0. */
  readonly padding?: PerAxis;
  /** Cells that the output is larger at its end; default 0. */
  readonly outputPadding?: PerAxis;
  /** Steps between the taps of a window; default 1. */
  readonly dilation?: PerAxis;
  /** Groups of channels that do not see each other; default 1. */
  readonly groups?: number;
}

export const convTransposeKnown: KnownOf<ConvTransposeOptions> = {
  stride: perAxisKind,
  padding: perAxisKind,
  outputPadding: perAxisKind,
  groups: number,
  dilation: perAxisKind,
};

export interface PoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: PerAxis | null;
  readonly padding?: PerAxis;
  readonly ceilMode?: boolean;
}

export const poolKnown: KnownOf<PoolOptions> = { stride: orNull(perAxisKind), padding: perAxisKind, ceilMode: flag };

export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: PerAxis;
}

export const maxPoolKnown: KnownOf<MaxPoolOptions> = {
  stride: orNull(perAxisKind),
  padding: perAxisKind,
  dilation: perAxisKind,
  ceilMode: flag,
};

export interface AvgPoolOptions extends PoolOptions {
  /** Default true: padding counts as cells of value 0. */
  readonly countIncludePad?: boolean;
  readonly divisorOverride?: number | null;
}

export const avgPoolKnown: KnownOf<AvgPoolOptions> = {
  ...poolKnown,
  countIncludePad: flag,
  divisorOverride: orNull(number),
};

export interface LpPoolOptions {
  readonly stride?: PerAxis | null;
  readonly ceilMode?: boolean;
}

export const lpPoolKnown: KnownOf<LpPoolOptions> = { stride: orNull(perAxisKind), ceilMode: flag };

export interface UnpoolOptions {
  readonly stride?: PerAxis | null;
  readonly padding?: PerAxis;
  /** Spatial size; default: what the pool's input had if it fitted exactly. */
  readonly outputSize?: readonly number[];
}

export const unpoolKnown: KnownOf<UnpoolOptions> = {
  stride: orNull(perAxisKind),
  padding: perAxisKind,
  outputSize: shapeKind,
};

export interface BatchNormOptions {
  readonly weight?: Variable | null;
  readonly bias?: Variable | null;
  /** Statistics of the batch, which also move the running ones; default false: the running statistics. */
  readonly training?: boolean;
  /** Share of the batch in the new running statistics. */
  readonly momentum?: number;
  readonly eps?: number;
}

export const batchNormKnown: KnownOf<BatchNormOptions> = {
  weight: anything,
  bias: anything,
  training: flag,
  momentum: number,
  eps: number,
};

/** PyTorch's, and Lanczos with three lobes, which is always antialiased (as Pillow's). */
export type InterpolateMode =
  | 'nearest'
  | 'nearest-exact'
  | 'linear'
  | 'bilinear'
  | 'trilinear'
  | 'bicubic'
  | 'area'
  | 'lanczos3';

export interface InterpolateOptions {
  /** Spatial size of the result; or give `scaleFactor`. */
  readonly size?: PerAxis;
  readonly scaleFactor?: PerAxis;
  readonly mode?: InterpolateMode;
  /** Centres of the corner pixels stay where they are (linear and cubic modes). */
  readonly alignCorners?: boolean;
  /** Compute the scale from the sizes instead of taking `scaleFactor` as it is. */
  readonly recomputeScaleFactor?: boolean;
  /** Wider kernels when shrinking (linear and cubic modes). */
  readonly antialias?: boolean;
}

export const interpolateKnown: KnownOf<InterpolateOptions> = {
  size: perAxisKind,
  scaleFactor: perAxisKind,
  mode: oneOf('nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic', 'area', 'lanczos3'),
  alignCorners: flag,
  recomputeScaleFactor: flag,
  antialias: flag,
};

export interface WindowOptions {
  readonly stride?: PerAxis;
  readonly padding?: PerAxis;
  readonly dilation?: PerAxis;
}

export const windowKnown: KnownOf<WindowOptions> = { dilation: perAxisKind, padding: perAxisKind, stride: perAxisKind };

export interface GridSampleOptions {
  readonly mode?: 'bilinear' | 'nearest' | 'bicubic';
  readonly paddingMode?: 'zeros' | 'border' | 'reflection';
  readonly alignCorners?: boolean;
}

export const gridSampleKnown: KnownOf<GridSampleOptions> = {
  mode: oneOf('bilinear', 'nearest', 'bicubic'),
  paddingMode: oneOf('zeros', 'border', 'reflection'),
  alignCorners: flag,
};
