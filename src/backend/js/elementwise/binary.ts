import { dtypes, type TypedArray } from '../../../common/dtype.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';
import type { BinaryKind } from '../../prims/elementwise.ts';
import { forEachOutputRow } from '../../strided.ts';
import { activate } from './activation.ts';

export type BinaryFunction = (a: number, b: number) => number;

/** The remainder with the sign of the divisor (NumPy's and ONNX's mod). */
function mod(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** The formula of every binary kind on floating-point values; comparisons give 0 or 1. */
export const binaryFunctions: Readonly<Record<BinaryKind, BinaryFunction>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow,
  max: Math.max,
  min: Math.min,
  mod,
  fmod: (a, b) => a % b,
  prelu: (a, b) => (a < 0 ? a * b : a),
  atan2: Math.atan2,
  equal: (a, b) => (a === b ? 1 : 0),
  less: (a, b) => (a < b ? 1 : 0),
  lessOrEqual: (a, b) => (a <= b ? 1 : 0),
  greater: (a, b) => (a > b ? 1 : 0),
  greaterOrEqual: (a, b) => (a >= b ? 1 : 0),
  and: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  or: (a, b) => (a !== 0 || b !== 0 ? 1 : 0),
  xor: (a, b) => ((a !== 0) !== (b !== 0) ? 1 : 0),
  bitwiseAnd: (a, b) => a & b,
  bitwiseOr: (a, b) => a | b,
  bitwiseXor: (a, b) => a ^ b,
  shiftLeft: (a, b) => (b >= 32 ? 0 : a << b),
  shiftRight: (a, b) => (b >= 32 ? 0 : a >>> b),
};

/** C's pow: 1 to any power is 1, while JavaScript's ** gives NaN if the power is NaN or ±∞. */
function pow(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;
}

/**
 * Functions that differ for integers: products wrap around at 32 bits, quotients are truncated towards zero, and dividing by zero
 * gives 0, since an integer array stores ±∞ and NaN as 0. Storing wraps all other results to the width of the type.
 */
const integerFunctions: { readonly [K in BinaryKind]?: BinaryFunction } = {
  mul: Math.imul,
  div: (a, b) => Math.trunc(a / b),
  pow: (a, b) => Math.trunc(pow(a, b)),
};

/** The elements of a row of an operand. */
interface Elements {
  readonly array: TypedArray;
  at: number;
  step: number;
}

/** Computes the `length` elements of `y` from `to` on. */
type Row = (a: Elements, b: Elements, y: TypedArray, to: number, length: number) => void;

/** The kinds in which networks spend most time have separate loops, without a call per element. */
const floatRows: { readonly [K in BinaryKind]?: Row } = {
  add: ({ array: a, at: i, step: m }, { array: b, at: j, step: n }, y, to, length) => {
    for (let k = 0; k < length; k++, i += m, j += n) y[to + k] = a[i] + b[j];
  },
  sub: ({ array: a, at: i, step: m }, { array: b, at: j, step: n }, y, to, length) => {
    for (let k = 0; k < length; k++, i += m, j += n) y[to + k] = a[i] - b[j];
  },
  mul: ({ array: a, at: i, step: m }, { array: b, at: j, step: n }, y, to, length) => {
    for (let k = 0; k < length; k++, i += m, j += n) y[to + k] = a[i] * b[j];
  },
  div: ({ array: a, at: i, step: m }, { array: b, at: j, step: n }, y, to, length) => {
    for (let k = 0; k < length; k++, i += m, j += n) y[to + k] = a[i] / b[j];
  },
  max: ({ array: a, at: i, step: m }, { array: b, at: j, step: n }, y, to, length) => {
    for (let k = 0; k < length; k++, i += m, j += n) y[to + k] = Math.max(a[i], b[j]);
  },
  min: ({ array: a, at: i, step: m }, { array: b, at: j, step: n }, y, to, length) => {
    for (let k = 0; k < length; k++, i += m, j += n) y[to + k] = Math.min(a[i], b[j]);
  },
  prelu: ({ array: a, at: i, step: m }, { array: b, at: j, step: n }, y, to, length) => {
    for (let k = 0; k < length; k++, i += m, j += n) y[to + k] = a[i] < 0 ? a[i] * b[j] : a[i];
  },
};

export const binary: JsPrim<'binary'> = (inputs, outputs, attrs) => {
  const [a, b] = inputs as Tensor[];
  const { kind } = attrs;
  const integer = dtypes[a.dtype].kind !== 'float';
  const [x, z, y] = [a.array, b.array, outputs[0].array];
  const row = integer ? undefined : floatRows[kind];
  const [first, second]: Elements[] = [x, z].map((array) => ({ array, at: 0, step: 0 }));
  const f = (integer ? integerFunctions[kind] : undefined) ?? binaryFunctions[kind];
  forEachOutputRow(attrs.dims, [attrs.aStrides, attrs.bStrides], (at, length, [aAt, bAt], [aStep, bStep]) => {
    if (row !== undefined) {
      [first.at, first.step, second.at, second.step] = [aAt, aStep, bAt, bStep];
      row(first, second, y, at, length);
    } else for (let i = 0; i < length; i++) y[at + i] = f(x[aAt + i * aStep], z[bAt + i * bStep]);
  });
  activate(outputs[0], attrs.activation);
};
