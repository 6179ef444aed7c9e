// Methods that move elements: reshape and its like, repeats, pieces.
import { ConvletError, shapeText } from '../common/error.ts';
import { expectKind, flag } from '../common/options.ts';
import { normalizeAxis } from '../ops/check.ts';
import { apply, apply1 } from './tape.ts';
import type { Variable } from './variable.ts';

/** Whole numbers one by one, or as one array: `reshape(2, 3)` and `reshape([2, 3])`. */
export type Wholes = (number | readonly number[])[];

export const wholesOf = (given: Wholes): readonly number[] =>
  Array.isArray(given[0]) ? given[0] : (given as readonly number[]);

/** The shape with its −1 filled in. */
export function reshape(x: Variable, shape: readonly number[]): Variable {
  const unknown = shape.indexOf(-1);
  if (unknown < 0) return apply1('reshape', [x], { shape });
  const rest = shape.reduce((n, d, i) => (i === unknown ? n : n * d), 1);
  if (shape.lastIndexOf(-1) !== unknown || !(rest > 0) || x.size % rest !== 0)
    throw new ConvletError('shape', `reshape: shape ${shapeText(x.shape)} cannot become ${shapeText(shape)}`);
  return apply1('reshape', [x], { shape: shape.map((d) => (d === -1 ? x.size / rest : d)) });
}

/** Elements start … end − 1 of an axis, every `step`th. */
export function sliceAxis(
  x: Variable,
  dim: number,
  start: number,
  end: number = Number.MAX_SAFE_INTEGER,
  step = 1,
): Variable {
  const axis = normalizeAxis('slice', dim, x.rank);
  const length = x.shape[axis];
  const clamp = (i: number): number => Math.min(Math.max(i < 0 ? i + length : i, 0), length);
  if (!(Number.isInteger(step) && step > 0))
    throw new ConvletError('argument', `slice: step expects a whole number ≥ 1, got ${step}`);
  const [from, to] = [clamp(start), clamp(end)];
  const only = (value: number, other: readonly number[]) => other.map((d, i) => (i === axis ? value : d));
  const sizes = only(Math.max(0, Math.ceil((to - from) / step)), x.shape);
  const [zeros, ones] = [x.shape.map(() => 0), x.shape.map(() => 1)];
  return apply1('slice', [x], { starts: only(from, zeros), steps: only(step, ones), sizes });
}

/** `length` entries of an axis from `start` on, which counts from the end where it is negative. All of them must exist. */
function narrow(x: Variable, dim: number, start: number, length: number): Variable {
  const axis = normalizeAxis('narrow', dim, x.rank);
  const size = x.shape[axis];
  const from = start < 0 ? start + size : start;
  const whole = Number.isInteger(start) && Number.isInteger(length) && length >= 0;
  if (!(whole && from >= 0 && from + length <= size))
    throw new ConvletError(
      'index-range',
      `narrow: axis ${axis} has ${size} entries, got start ${start} and length ${length}`,
    );
  return sliceAxis(x, axis, from, from + length);
}

/** Entry `index` of an axis, which goes. */
function select(x: Variable, dim: number, index: number): Variable {
  const axis = normalizeAxis('select', dim, x.rank);
  const at = index < 0 ? index + x.shape[axis] : index;
  if (!(at >= 0 && at < x.shape[axis]))
    throw new ConvletError('index-range', `select: axis ${axis} has ${x.shape[axis]} entries, got index ${index}`);
  return apply1('reshape', [sliceAxis(x, axis, at, at + 1)], { shape: x.shape.filter((_, i) => i !== axis) });
}

/** Tiles side by side; repeats in front of x's own axes make new ones (torch's repeat). */
function repeat(x: Variable, ...repeats: Wholes): Variable {
  const counts = wholesOf(repeats);
  if (counts.length < x.rank || counts.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new ConvletError(
      'argument',
      `repeat: expects a whole number ≥ 0 for each of at least ${x.rank} axes, got [${counts.join(', ')}]`,
    );
  }
  const shape = [...new Array<number>(counts.length - x.rank).fill(1), ...x.shape];
  return apply1('tile', [reshape(x, shape)], { repeats: counts });
}

/** As `repeat`, with fewer repeats than axes: the first axes are kept. */
function tile(x: Variable, ...repeats: Wholes): Variable {
  const counts = wholesOf(repeats);
  return repeat(x, [...new Array<number>(Math.max(0, x.rank - counts.length)).fill(1), ...counts]);
}

/** Pieces of `size` entries (the last one may be smaller), or of the sizes given. */
function split(x: Variable, sizes: number | readonly number[], dim = 0): Variable[] {
  const axis = normalizeAxis('split', dim, x.rank);
  const length = x.shape[axis];
  if (typeof sizes === 'number' && !(Number.isInteger(sizes) && sizes > 0))
    throw new ConvletError('argument', `split: size expects a whole number ≥ 1, got ${sizes}`);
  const list =
    typeof sizes === 'number'
      ? Array.from({ length: Math.ceil(length / sizes) }, (_, i) => Math.min(sizes, length - i * sizes))
      : sizes;
  if (list.reduce((a, b) => a + b, 0) !== length)
    throw new ConvletError(
      'argument',
      `split: axis ${axis} has ${length} entries, sizes [${list.join(', ')}] add up to others`,
    );
  let at = 0;
  return list.map((size) => narrow(x, axis, (at += size) - size, size));
}

/** At most `count` pieces of equal size (the last one may be smaller). */
function chunk(x: Variable, count: number, dim = 0): Variable[] {
  if (!(Number.isInteger(count) && count > 0))
    throw new ConvletError('argument', `chunk: count expects a whole number ≥ 1, got ${count}`);
  return split(x, Math.max(1, Math.ceil(x.shape[normalizeAxis('chunk', dim, x.rank)] / count)), dim);
}

/** The entries of an axis, which goes. */
const unbind = (x: Variable, dim = 0): Variable[] =>
  Array.from({ length: x.shape[normalizeAxis('unbind', dim, x.rank)] }, (_, i) => select(x, dim, i));

/** Axes in the opposite direction: `flip(0, 1)`, `flip([0, 1])`. */
function flip(x: Variable, ...dims: Wholes): Variable {
  const axes = wholesOf(dims).map((dim) => normalizeAxis('flip', dim, x.rank));
  const of = (there: (d: number) => number, here: number) =>
    x.shape.map((d, i) => (axes.includes(i) ? there(d) : here));
  if (x.size === 0) return x;
  return apply1('slice', [x], { starts: of((d) => d - 1, 0), steps: of(() => -1, 1), sizes: x.shape });
}

/** Entries move `shifts` places along axes; what leaves at the end comes in at the front. Without `dims` x is taken as one row. */
function roll(x: Variable, shifts: number | readonly number[], dims?: number | readonly number[]): Variable {
  if (dims === undefined) return reshape(roll(reshape(x, [x.size]), shifts, 0), x.shape);
  const [by, axes] = [[shifts].flat(), [dims].flat()] as number[][];
  if (by.length !== axes.length)
    throw new ConvletError('argument', `roll: expects a shift for each axis, got ${by.length} for ${axes.length}`);
  return axes.reduce((y, dim, i) => {
    const axis = normalizeAxis('roll', dim, y.rank);
    const length = y.shape[axis];
    const at = length === 0 ? 0 : ((-by[i] % length) + length) % length;
    if (at === 0) return y;
    return apply1('concat', [sliceAxis(y, axis, at), sliceAxis(y, axis, 0, at)], { axis });
  }, x);
}

/** Parts of equal shapes as entries of a new axis. */
export function stack(parts: readonly Variable[], dim = 0): Variable {
  if (parts.length === 0) throw new ConvletError('argument', 'stack: expects at least one variable');
  const axis = normalizeAxis('stack', dim, parts[0].rank + 1);
  const whole = parts.map((part) => reshape(part, [...part.shape.slice(0, axis), 1, ...part.shape.slice(axis)]));
  return apply1('concat', whole, { axis });
}

export const shapeFunctions = {
  /** `length` entries of axis `dim` from `start` on, which counts from the end where it is negative. */
  narrow,
  /** Entry `index` of axis `dim`, which goes. */
  select,
  /** Entries start … end − 1 of axis `dim`, every `step`th; negative ones count from the end. */
  slice: sliceAxis,
  /** Tiles side by side; repeats in front of the own axes make new ones. */
  repeat,
  /** As `repeat`, with fewer repeats than axes: the first axes are kept. */
  tile,
  /** Pieces of `sizes` entries along `dim` (the last one may be smaller), or of the sizes given. */
  split,
  /** At most `count` pieces of equal size along `dim` (the last one may be smaller). */
  chunk,
  /** The entries of axis `dim`, which goes. */
  unbind,
  /** Axes in the opposite direction: `flip(0, 1)`, `flip([0, 1])`. */
  flip,
  /** Entries move `shifts` places along `dims`; what leaves at the end comes in at the front. */
  roll,
  /** One entry may be −1. */
  reshape: (x: Variable, ...shape: Wholes): Variable => reshape(x, wholesOf(shape)),
  /** The same as reshape. */
  view: (x: Variable, ...shape: Wholes): Variable => reshape(x, wholesOf(shape)),
  /** The axes in another order: `permute(0, 2, 1)`, `permute([0, 2, 1])`. */
  permute: (x: Variable, ...dims: Wholes): Variable =>
    apply1('transpose', [x], { perm: wholesOf(dims).map((d) => normalizeAxis('permute', d, x.rank)) }),
  /** To a larger shape, in which axes of one entry are repeated; −1 keeps an axis. */
  expand: (x: Variable, ...shape: Wholes): Variable => {
    const sizes = wholesOf(shape);
    return apply1('expand', [x], { shape: sizes.map((d, i) => (d === -1 ? x.shape[i - sizes.length + x.rank] : d)) });
  },
  /** To the shape of `other`, in which axes of one entry are repeated. */
  expandAs: (x: Variable, other: Variable): Variable => apply1('expand', [x], { shape: other.shape }),
  /** To the shape of `other`, which has as many elements. */
  viewAs: (x: Variable, other: Variable): Variable => reshape(x, other.shape),
  /** The upper triangle of the last two axes, from the diagonal `diagonal` above the main one on; the rest is 0. */
  triu: (x: Variable, diagonal = 0): Variable => apply1('trilu', [x], { k: diagonal, upper: true }),
  /** The lower triangle of the last two axes, up to the diagonal `diagonal` above the main one; the rest is 0. */
  tril: (x: Variable, diagonal = 0): Variable => apply1('trilu', [x], { k: diagonal, upper: false }),
  /** The k largest (or smallest) along an axis, sorted, with their places (int64). */
  topk: (x: Variable, k: number, dim = -1, largest = true): { values: Variable; indices: Variable } => {
    expectKind('topk', 'largest', largest, flag);
    const [values, indices] = apply('topK', [x], {
      ...{ k, axis: normalizeAxis('topk', dim, x.rank), largest, sorted: true },
    });
    return { values, indices };
  },
};
