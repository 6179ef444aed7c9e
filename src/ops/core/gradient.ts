// Helpers of backward rules. A handle is a Tensor or a graph value; rules use only its info.

import { allocateArray, type DType, dtypes } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { elementCount } from '../../tensor/layout.ts';
import type { OpName, WithAttrs } from '../attrs.ts';
import type { GradContext, OpApplier, TensorInfo } from './op.ts';

type Numbers = readonly number[];

export const sameShape = (a: Numbers, b: Numbers): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** First output of an op. */
export const apply = <N extends OpName>(
  g: OpApplier,
  name: N,
  inputs: readonly (TensorInfo | null)[],
  ...attrs: WithAttrs<N>
): TensorInfo => g.op(name, inputs, ...attrs)[0];

export const add = (g: OpApplier, a: TensorInfo, b: TensorInfo): TensorInfo => apply(g, 'add', [a, b]);
export const sub = (g: OpApplier, a: TensorInfo, b: TensorInfo): TensorInfo => apply(g, 'sub', [a, b]);
export const mul = (g: OpApplier, a: TensorInfo, b: TensorInfo): TensorInfo => apply(g, 'mul', [a, b]);
export const div = (g: OpApplier, a: TensorInfo, b: TensorInfo): TensorInfo => apply(g, 'div', [a, b]);
export const neg = (g: OpApplier, x: TensorInfo): TensorInfo => apply(g, 'neg', [x]);

/** alpha·x + beta, of the dtype of x. */
export const scale = (g: OpApplier, x: TensorInfo, alpha: number, beta = 0): TensorInfo =>
  alpha === 1 && beta === 0 ? x : apply(g, 'linear', [x], { alpha, beta });

/** A number as a tensor of shape []. */
export function scalar(g: OpApplier, value: number, dtype: DType = 'float32'): TensorInfo {
  const array = allocateArray(dtype, 1);
  array[0] = value;
  const made = g.constant(array, []);
  return made.dtype === dtype ? made : apply(g, 'cast', [made], { to: dtype });
}

/** Zeros of a shape, expanded from one number, so that no constant of that size is stored. */
export const zeros = (g: OpApplier, shape: Numbers, dtype: DType = 'float32'): TensorInfo =>
  expandTo(g, scalar(g, 0, dtype), shape);

export const reshapeTo = (g: OpApplier, x: TensorInfo, shape: Numbers): TensorInfo =>
  sameShape(x.shape, shape) ? x : apply(g, 'reshape', [x], { shape });

export const expandTo = (g: OpApplier, x: TensorInfo, shape: Numbers): TensorInfo =>
  sameShape(x.shape, shape) ? x : apply(g, 'expand', [x], { shape });

/** Undoes broadcasting: the sum of `x` over the axes along which a tensor of `shape` was repeated. */
export function sumTo(g: OpApplier, x: TensorInfo, shape: Numbers): TensorInfo {
  if (sameShape(x.shape, shape)) return x;
  const missing = x.shape.length - shape.length;
  const axes = x.shape.flatMap((d, i) => (d !== 1 && (i < missing || shape[i - missing] === 1) ? [i] : []));
  if (missing < 0 || x.shape.some((d, i) => i >= missing && shape[i - missing] !== 1 && shape[i - missing] !== d)) {
    throw new ConvletError('shape', `sumTo: ${shapeText(x.shape)} is no broadcast of ${shapeText(shape)}`);
  }
  const sum = axes.length === 0 ? x : apply(g, 'reduceSum', [x], { axes, keepDims: true });
  return reshapeTo(g, sum, shape);
}

/** `x`, whose `axes` a reduction has removed, with those axes again, of size 1. */
export const keepAxes = (g: OpApplier, x: TensorInfo, shape: Numbers, axes: Numbers): TensorInfo =>
  reshapeTo(
    g,
    x,
    shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  );

/** The number of elements that a reduction over `axes` combines. */
export const countAlong = (shape: Numbers, axes: Numbers): number => elementCount(axes.map((axis) => shape[axis]));

/** The handle with the dtype `dtype`. */
export const castTo = (g: OpApplier, x: TensorInfo, dtype: DType): TensorInfo =>
  x.dtype === dtype ? x : apply(g, 'cast', [x], { to: dtype });

/** The gradient by output `index`. A rule is called only if at least one output has a gradient. */
export function gradOf(g: GradContext<unknown>, index = 0): TensorInfo {
  const grad = g.grads[index];
  if (grad === null || grad === undefined) throw new Error(`a backward rule needs the gradient by output ${index}`);
  return grad;
}

/** Input `index`; `infer` has checked that it is present. */
export const inputOf = (g: GradContext<unknown>, index = 0): TensorInfo => g.inputs[index] as TensorInfo;

/** A fused activation has no gradient: a tape applies the activation as a separate op. */
export function expectNoActivation(op: string, activation: unknown): void {
  if (activation === null || activation === undefined) return;
  throw new ConvletError('unsupported', `${op}: a fused activation has no gradient; apply it as an op of its own`);
}

export const isFloat = (info: TensorInfo): boolean => dtypes[info.dtype].kind === 'float';
