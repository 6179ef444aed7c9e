// What variables can do by themselves: functions of a variable, installed as methods from this one table. `F` and `nn` have
// the layers' functions.

import type { BinaryKind } from '../backend/prims/elementwise.ts';
import { type DType, dtypes, holds } from '../common/dtype.ts';
import { ConvletError } from '../common/error.ts';
import { product } from '../common/numbers.ts';
import { expectKind, fits, flag, type KnownOf, kind, number, refuse } from '../common/options.ts';
import { normalizeAxis } from '../ops/check.ts';
import type { ReduceName } from '../ops/reduce/attrs.ts';
import { currentExecutor } from './engine.ts';
import { indexFunctions } from './index-methods.ts';
import { asType, expectOperand, isFloat, type Operand, resultType, scalar, toFloat } from './promote.ts';
import { reshape, shapeFunctions } from './shape-methods.ts';
import { apply1, type BackwardOptions, backward } from './tape.ts';
import { type UnaryMethods, unary, unaryFunctions } from './unary-methods.ts';
import { Variable } from './variable.ts';

/** A parameter that has not been used yet moves to the backend's memory with its first use: here it does, before it is shared. */
function placed(x: Variable): Variable {
  if (x.lifetime === 'persistent' && x.lease === null) currentExecutor()?.materialize(x);
  return x;
}

/**
 * The same elements without history, for use inside of a function: as detach(), but a parameter's memory is held only until the step
 * ends. (In a trace it must stay the parameter: anything else would be a constant.)
 */
export const withoutHistory = (x: Variable): Variable =>
  currentExecutor()?.isTrace ? placed(x).share() : x.share('step');

/** One axis, several, or (left out) all; negative ones count from the end. */
export type Dim = number | readonly number[];

/** alpha·x + beta. */
export const affine = (x: Variable, alpha: number, beta: number): Variable => apply1('linear', [x], { alpha, beta });

/** Element by element, broadcast, in the type that PyTorch's rules give. Sums and products with a number are one pass over x. */
function binary(name: BinaryKind, linear?: (n: number) => [number, number]) {
  return (x: Operand, other: Operand): Variable => {
    expectOperand(name, x);
    expectOperand(name, other);
    if (typeof other === 'number' && linear !== undefined && x instanceof Variable && isFloat(x))
      return affine(x, ...linear(other));
    const dtype = resultType(x, other);
    return apply1(name, [asType(x, dtype), asType(other, dtype)]);
  };
}

/** Sums of truth values count them. */
const arithmetic = (name: 'add' | 'mul', linear: (n: number) => [number, number]) => {
  const general = binary(name, linear);
  const logical = name === 'add' ? 'or' : 'and';
  return (x: Operand, other: Operand): Variable => {
    if (x instanceof Variable && other instanceof Variable && x.dtype === 'bool' && other.dtype === 'bool')
      return apply1(logical, [x, other]);
    return general(x, other);
  };
};

/** x / other: of whole numbers too a fraction, in float32. */
function divide(x: Operand, other: Operand): Variable {
  expectOperand('div', x);
  expectOperand('div', other);
  const type = resultType(x, other);
  const dtype = dtypes[type].kind === 'float' ? type : 'float32';
  return apply1('div', [asType(x, dtype), asType(other, dtype)]);
}

function subtract(x: Operand, other: Operand): Variable {
  expectOperand('sub', x);
  expectOperand('sub', other);
  if (resultType(x, other) === 'bool')
    throw new ConvletError('dtype', "sub: truth values have no difference; use ne, or to('int32') first");
  return binary('sub', (n) => [1, -n])(x, other);
}

function power(x: Operand, other: Operand): Variable {
  expectOperand('pow', x);
  expectOperand('pow', other);
  const whole = dtypes[resultType(x, other)].kind !== 'float';
  if (whole && typeof other === 'number' && other < 0)
    throw new ConvletError(
      'argument',
      `pow: whole numbers have no negative powers, got ${other}; use to('float32') first`,
    );
  return binary('pow')(x, other);
}

/** A number that the partner's type cannot hold is compared in int64, so that no uint8 equals −1. */
const comparison =
  (name: BinaryKind) =>
  (x: Operand, other: Operand): Variable => {
    expectOperand(name, x);
    expectOperand(name, other);
    const type = resultType(x, other);
    const fits: boolean = [x, other].every((operand) => operand instanceof Variable || holds(type, Number(operand)));
    const dtype: DType =
      type === 'bool' ? 'uint8' : fits ? type : Number.isInteger(Number(other)) ? 'int64' : 'float64';
    return apply1(name, [asType(x, dtype), asType(other, dtype)]);
  };

function clamp(x: Variable, least?: number | null, most?: number | null): Variable {
  const [min, max] = [least ?? Number.NEGATIVE_INFINITY, most ?? Number.POSITIVE_INFINITY];
  expectKind('clamp', 'min', min, number);
  expectKind('clamp', 'max', max, number);
  const bounds = [min, max].filter((bound) => Number.isFinite(bound));
  return apply1('clip', [asType(x, resultType(x, ...bounds))], { alpha: min, beta: max });
}

function where(x: Operand, condition: Variable, other: Operand): Variable {
  expectOperand('where', other);
  if (condition.dtype !== 'bool')
    throw new ConvletError('dtype', `where: condition expects bool, got ${condition.dtype}; use condition.ne(0)`);
  const dtype = resultType(x, other);
  return apply1('where', [condition, asType(x, dtype), asType(other, dtype)]);
}

/** Sums of whole numbers and counts of truth values are int64, as in PyTorch. */
const summable = (x: Variable): Variable => (isFloat(x) ? x : asType(x, 'int64'));

const isWhole = (value: unknown): boolean => Number.isInteger(value);
const dimKind = kind<Dim>('an axis or an array of axes', (v) => isWhole(v) || (Array.isArray(v) && v.every(isWhole)));

function axesOf(op: string, x: Variable, dim: Dim | undefined): number[] {
  if (dim !== undefined) expectKind(op, 'dim', dim, dimKind);
  const given = dim === undefined ? x.shape.map((_, i) => i) : typeof dim === 'number' ? [dim] : dim;
  return given.map((axis) => normalizeAxis(op, axis, x.rank)).sort((a, b) => a - b);
}

const reduction =
  (name: ReduceName) =>
  (x: Variable, dim?: Dim, keepDim = false) => {
    expectKind(name, 'keepDim', keepDim, flag);
    return apply1(name, [x], { axes: axesOf(name, x, dim), keepDims: keepDim });
  };

const argReduction =
  (name: 'argMax' | 'argMin') =>
  (x: Variable, dim?: number, keepDim = false) => {
    expectKind(name, 'keepDim', keepDim, flag);
    if (dim === undefined) return apply1(name, [reshape(x, [x.size])], { axis: 0, keepDims: false, selectLast: false });
    return apply1(name, [x], { axis: normalizeAxis(name, dim, x.rank), keepDims: keepDim, selectLast: false });
  };

export interface VarianceOptions {
  /** What is taken off the count by which the sum is divided. Default 1. */
  readonly correction?: number;
  /** Reduced axes stay, with one entry. */
  readonly keepDim?: boolean;
}

const varianceKnown: KnownOf<VarianceOptions> = { correction: number, keepDim: flag };

function variance(given: Variable, dim?: Dim, options: VarianceOptions = {}): Variable {
  if (!fits(options, varianceKnown)) refuse('var', options, varianceKnown, { dim });
  const { correction = 1, keepDim = false } = options;
  const x = toFloat(given);
  const axes = axesOf('var', x, dim);
  const count = axes.reduce((n, axis) => n * x.shape[axis], 1);
  const centred = apply1('sub', [x, reduction('reduceMean')(x, axes, true)]);
  return affine(reduction('reduceSum')(apply1('square', [centred]), axes, keepDim), 1 / (count - correction), 0);
}

/** The square root of the variance; where that is 0 the gradient is 0 too, as in PyTorch, and not 0 · ∞. */
function std(x: Variable, dim?: Dim, options: VarianceOptions = {}): Variable {
  if (!fits(options, varianceKnown)) refuse('std', options, varianceKnown, { dim });
  const square = variance(x, dim, options);
  const isZero = apply1('equal', [square, scalar(0, square.dtype)]);
  const root = apply1('sqrt', [apply1('where', [isZero, scalar(1, square.dtype), square])]);
  return apply1('where', [isZero, scalar(0, square.dtype), root]);
}

const otherFunctions = {
  /** −1, 0 or 1; 0 for NaN as in PyTorch, where ONNX's Sign says NaN. */
  sign: (x: Variable) => {
    const y = apply1('sign', [x]);
    return isFloat(x) ? apply1('where', [apply1('isNaN', [x]), scalar(0, x.dtype), y]) : y;
  },
  /** x + other, broadcast; of truth values their or. */
  add: arithmetic('add', (n) => [1, n]),
  /** x − other, broadcast. */
  sub: subtract,
  /** x · other, broadcast; of truth values their and. */
  mul: arithmetic('mul', (n) => [n, 0]),
  /** x / other. */
  div: divide,
  /** x to the power of other, broadcast. */
  pow: power,
  /** Element by element, broadcast; the gradient goes to the larger one, half each where they are equal. */
  maximum: binary('max'),
  /** Element by element, broadcast; the gradient goes to the smaller one, half each where they are equal. */
  minimum: binary('min'),
  /** Bool. */
  eq: comparison('equal'),
  /** Whether the elements are different: bool. */
  ne: (x: Operand, other: Operand): Variable => apply1('not', [comparison('equal')(x, other)]),
  /** x < other: bool. */
  lt: comparison('less'),
  /** x ≤ other: bool. */
  le: comparison('lessOrEqual'),
  /** x > other: bool. */
  gt: comparison('greater'),
  /** x ≥ other: bool. */
  ge: comparison('greaterOrEqual'),
  /** x where `condition` (bool), else other. */
  where,
  /** x limited to least … most; null or undefined: no limit on that side. */
  clamp,
  /** NumPy's rules: vectors, matrices, batches that broadcast. */
  matmul: (x: Variable, other: Variable) =>
    apply1('matmul', [x, other], { transposeA: false, transposeB: false, alpha: 1, activation: null }),
  /** Sum over the axes `dim` (default all); whole numbers and truth values are counted in int64. */
  sum: (x: Variable, dim?: Dim, keepDim = false) => reduction('reduceSum')(summable(x), dim, keepDim),
  /** Of whole numbers and truth values too: in float32. */
  mean: (x: Variable, dim?: Dim, keepDim = false) => reduction('reduceMean')(toFloat(x), dim, keepDim),
  /** Product over the axes `dim` (default all); of whole numbers and truth values in int64. */
  prod: (x: Variable, dim?: Dim, keepDim = false) => reduction('reduceProd')(summable(x), dim, keepDim),
  /** Largest element along `dim` (values only, as PyTorch's amax). */
  max: reduction('reduceMax'),
  /** Smallest element over the axes `dim` (values only, as PyTorch's amin). */
  min: reduction('reduceMin'),
  /** log(Σ eˣ) over the axes `dim`, without overflow; the same as logsumexp. */
  logSumExp: reduction('reduceLogSumExp'),
  /** Euclidean norm. */
  norm: reduction('reduceL2'),
  /** Variance over the axes `dim`, divided by the count − correction (default 1). */
  var: variance,
  /** Square root of the variance over the axes `dim`. */
  std,
  /** int64; the first of equals. */
  argMax: argReduction('argMax'),
  /** Place of the smallest element along `dim`, or in the flattened x: int64, the first of equals. */
  argMin: argReduction('argMin'),
  /** Place of the greatest element along `dim`, or in the flattened x: int64, the first of equals. */
  argmax: argReduction('argMax'),
  /** The same as argMin. */
  argmin: argReduction('argMin'),
  /** Greatest element over the axes `dim`. */
  amax: reduction('reduceMax'),
  /** Smallest element over the axes `dim`. */
  amin: reduction('reduceMin'),
  /** log(Σ eˣ) over the axes `dim`, without overflow. */
  logsumexp: reduction('reduceLogSumExp'),
  /** eˣ divided by its sum along axis `dim`. */
  softmax: (x: Variable, dim: number) => apply1('softmax', [x], { axis: normalizeAxis('softmax', dim, x.rank) }),
  /** log(softmax(x)) along axis `dim`, without overflow. */
  logSoftmax: (x: Variable, dim: number) =>
    apply1('logSoftmax', [x], { axis: normalizeAxis('logSoftmax', dim, x.rank) }),
  /** Makes one axis of the axes startDim … endDim (default all). */
  flatten: (x: Variable, startDim = 0, endDim = -1) => {
    if (x.rank === 0) return reshape(x, [1]);
    const [start, end] = [normalizeAxis('flatten', startDim, x.rank), normalizeAxis('flatten', endDim, x.rank)];
    const size = product(x.shape.slice(start, end + 1));
    return apply1('reshape', [x], { shape: [...x.shape.slice(0, start), size, ...x.shape.slice(end + 1)] });
  },
  /** Drops axes of one entry: those of `dim`, or all. */
  squeeze: (x: Variable, dim?: Dim) => {
    const axes = axesOf('squeeze', x, dim);
    return apply1('reshape', [x], { shape: x.shape.filter((d, i) => d !== 1 || !axes.includes(i)) });
  },
  /** A new axis of one entry at place `dim`. */
  unsqueeze: (x: Variable, dim: number) => {
    const axis = normalizeAxis('unsqueeze', dim, x.rank + 1);
    return apply1('reshape', [x], { shape: [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)] });
  },
  /** Swaps two axes. */
  transpose: (x: Variable, dim0: number, dim1: number) => {
    const perm = x.shape.map((_, i) => i);
    const [a, b] = [normalizeAxis('transpose', dim0, x.rank), normalizeAxis('transpose', dim1, x.rank)];
    [perm[a], perm[b]] = [perm[b], perm[a]];
    return apply1('transpose', [x], { perm });
  },
  /** Products of the entries up to each place along `dim`. */
  cumprod: (x: Variable, dim: number) =>
    apply1('cumProd', [x], { axis: normalizeAxis('cumprod', dim, x.rank), exclusive: false, reverse: false }),
  /** Sums of the entries up to each place along `dim`. */
  cumsum: (x: Variable, dim: number) =>
    apply1('cumSum', [x], { axis: normalizeAxis('cumsum', dim, x.rank), exclusive: false, reverse: false }),
  /** The elements as another type: rounded towards 0 for whole numbers, 0 is false. */
  to: (x: Variable, dtype: DType) => (x.dtype === dtype ? x : apply1('cast', [x], { to: dtype })),
  /** The same elements without history: gradients stop here. Shares the memory: of a parameter, it sees every update. */
  detach: (x: Variable): Variable => placed(x).share(),
  /** A copy in memory of its own. */
  clone: unary('identity'),
  /**
   * Gradients by every leaf that requires them, added to its `grad`; `grad` is the gradient by this variable itself (default 1
   * for one element).
   */
  backward: (x: Variable, grad?: Variable | null, options?: BackwardOptions) => backward(x, grad, options),
};

/** Functions of a variable by the names of its methods. The parts by name: a type without names would lose their docstrings. */
export const functions: typeof shapeFunctions & typeof indexFunctions & UnaryMethods & typeof otherFunctions = {
  ...shapeFunctions,
  ...indexFunctions,
  ...unaryFunctions,
  ...otherFunctions,
};

type MethodOf<T> = T extends (x: Variable, ...rest: infer R) => infer O ? (...rest: R) => O : never;
/** The functions above as methods. */
export type VariableMethods = { readonly [name in keyof typeof functions]: MethodOf<(typeof functions)[name]> };

declare module './variable.ts' {
  interface Variable extends VariableMethods {}
}

for (const [name, body] of Object.entries(functions)) {
  Object.defineProperty(Variable.prototype, name, {
    value(this: Variable, ...rest: never[]) {
      return (body as (x: Variable, ...rest: never[]) => unknown)(this, ...rest);
    },
    configurable: true,
    writable: true,
  });
}
