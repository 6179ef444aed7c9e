// Methods that pick, place and order elements by values.
import type { TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { expectKind, flag } from '../common/options.ts';
import { broadcastShape, normalizeAxis } from '../ops/check.ts';
import { asType, isFloat, type Operand, scalar } from './promote.ts';
import { reshape } from './shape-methods.ts';
import { apply, apply1 } from './tape.ts';
import { Variable } from './variable.ts';

/** All entries of an axis in order, with the places that they come from (int64). Equal ones keep their order. */
function sort(x: Variable, dim = -1, descending = false): { values: Variable; indices: Variable } {
  expectKind('sort', 'descending', descending, flag);
  const axis = normalizeAxis('sort', dim, x.rank);
  const [values, indices] = apply('topK', [x], { k: x.shape[axis], axis, largest: descending, sorted: true });
  return { values, indices };
}

function expectMask(op: string, mask: unknown): Variable {
  if (!(mask instanceof Variable))
    throw new ConvletError('argument', `${op}: mask expects a variable, got ${String(mask)}`);
  if (mask.dtype !== 'bool')
    throw new ConvletError('dtype', `${op}: mask expects bool, got ${mask.dtype}; use mask.ne(0)`);
  return mask;
}

/** x with `value` where the mask (bool, broadcast) is true. */
function maskedFill(x: Variable, mask: Variable, value: Operand): Variable {
  const [fill] = [value instanceof Variable ? asType(value, x.dtype) : scalar(Number(value), x.dtype)];
  return apply1('where', [expectMask('maskedFill', mask), fill, x]);
}

/** The elements where the mask (bool, broadcast) is true, in a row. How many there are depends on values: not inside compiled steps. */
function maskedSelect(x: Variable, mask: Variable): Variable {
  const shape = broadcastShape('maskedSelect', x.shape, expectMask('maskedSelect', mask).shape);
  const whole = (v: Variable): Variable => reshape(apply1('expand', [v], { shape }), [-1]);
  const flat = shape.includes(0) ? null : whole(mask);
  if (flat === null) return reshape(x, [0]);
  const [places] = apply('nonZero', [flat], {});
  return apply1('gather', [whole(x), reshape(places, [-1])], { axis: 0 });
}

/** Places of elements that are not 0, one row each (int64 [count, rank]). Not inside compiled steps. */
function nonzero(x: Variable): Variable {
  return apply1('transpose', [apply1('nonZero', [x])], { perm: [1, 0] });
}

/** The elements of `source` (or a number) at places `index` along an axis of x. */
const scattering =
  (op: string, reduction: 'none' | 'add') =>
  (x: Variable, dim: number, index: Variable, source: Operand): Variable => {
    const values =
      source instanceof Variable
        ? asType(source, x.dtype)
        : apply1('expand', [scalar(Number(source), x.dtype)], { shape: index.shape });
    return apply1('scatterElements', [x, index, values], { axis: normalizeAxis(op, dim, x.rank), reduction });
  };

const truth = (x: Variable): Variable =>
  x.dtype === 'bool' ? x : apply1('not', [apply1('equal', [x, scalar(0, x.dtype)])]);

/** Whether all (min) or any (max) elements are true, or not 0: bool. */
const deciding =
  (op: string, name: 'reduceMin' | 'reduceMax') =>
  (x: Variable, dim?: number | readonly number[], keepDim = false): Variable => {
    const axes = (dim === undefined ? x.shape.map((_, i) => i) : [dim].flat()).map((axis) =>
      normalizeAxis(op, axis as number, x.rank),
    );
    return apply1(name, [truth(x)], { axes: axes.sort((a, b) => a - b), keepDims: keepDim });
  };

type Nested<T> = T | Nested<T>[];

/** Nested arrays of the elements; true and false of bool. A single value for shape []. */
function tolist(x: Variable): Nested<number | boolean> {
  const { data } = x;
  const of = (value: number): number | boolean => (x.dtype === 'bool' ? value !== 0 : value);
  const level = (axis: number, from: number, to: number): Nested<number | boolean> => {
    if (axis === x.rank) return of(data[from]);
    const step = x.shape[axis] === 0 ? 0 : (to - from) / x.shape[axis];
    return Array.from({ length: x.shape[axis] }, (_, i) => level(axis + 1, from + i * step, from + (i + 1) * step));
  };
  return level(0, 0, data.length);
}

/** Whether every element is as near to the other's as PyTorch's allclose asks: |x − other| ≤ atol + rtol·|other|. */
function allclose(x: Variable, other: Variable, rtol = 1e-5, atol = 1e-8): boolean {
  if (shapeText(x.shape) !== shapeText(other.shape))
    throw new ConvletError(
      'shape',
      `allclose: expects equal shapes, got ${shapeText(x.shape)} and ${shapeText(other.shape)}`,
    );
  const [a, b]: TypedArray[] = [x.data, other.data];
  for (let i = 0; i < a.length; i++)
    if (!(a[i] === b[i] || Math.abs(a[i] - b[i]) <= atol + rtol * Math.abs(b[i]))) return false;
  return true;
}

/** Bool; false for whole numbers. */
const testing =
  (name: 'isNaN' | 'isInf') =>
  (x: Variable): Variable =>
    apply1(name, [isFloat(x) ? x : asType(x, 'float32')]);

export const indexFunctions = {
  /** All entries of an axis in order, with the places that they come from (int64). Equal ones keep their order. */
  sort,
  /** The places of the entries of an axis in order (int64). */
  argsort: (x: Variable, dim = -1, descending = false): Variable => sort(x, dim, descending).indices,
  /** x with `value` where the mask (bool, broadcast) is true. */
  maskedFill,
  /** The elements where the mask (bool, broadcast) is true, in a row; not inside compiled steps. */
  maskedSelect,
  /** Places of elements that are not 0: int64 [count, rank]; not inside compiled steps. */
  nonzero,
  /** x with the elements of `source` (or a number) at the places `index` along `dim`. */
  scatter: scattering('scatter', 'none'),
  /** x with the elements of `source` (or a number) added at the places `index` along `dim`. */
  scatterAdd: scattering('scatterAdd', 'add'),
  /** Whether all elements over `dim` are true, or not 0: bool. */
  all: deciding('all', 'reduceMin'),
  /** Whether any element over `dim` is true, or not 0: bool. */
  any: deciding('any', 'reduceMax'),
  /** Nested arrays of the elements; true and false of bool, a single value for shape []. */
  tolist,
  /** Whether |x − other| ≤ atol + rtol · |other| everywhere. */
  allclose,
  /** Where x is NaN: bool. */
  isnan: testing('isNaN'),
  /** Where x is ±∞: bool. */
  isinf: testing('isInf'),
  /** Entries of an axis by int indices of any shape. */
  indexSelect: (x: Variable, dim: number, indices: Variable): Variable =>
    apply1('gather', [x, indices], { axis: normalizeAxis('indexSelect', dim, x.rank) }),
  /** Of each place the entry of an axis that the index there names; index has x's rank. */
  gather: (x: Variable, dim: number, indices: Variable): Variable =>
    apply1('gatherElements', [x, indices], { axis: normalizeAxis('gather', dim, x.rank) }),
  /** How many elements there are. */
  numel: (x: Variable): number => x.size,
  /** Number of axes. */
  dim: (x: Variable): number => x.rank,
};
