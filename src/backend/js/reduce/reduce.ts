import { dtypes, type TypedArray } from '../../../common/dtype.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';
import type { ReduceKind } from '../../prims/reduce.ts';

/** acc[i] ∘= x[at + i] for a row of `inner` elements. Accumulators are doubles. */
type Accumulate = (accumulators: Float64Array, x: TypedArray, at: number, inner: number) => void;

interface Reduction {
  readonly start: number;
  readonly accumulate: Accumulate;
  /** The reduction for inner = 1: four independent chains instead of a call per element. */
  readonly along?: (x: TypedArray, at: number, length: number) => number;
  readonly finish?: (sum: number, length: number) => number;
}

const sum: Accumulate = (acc, x, at, inner) => {
  for (let i = 0; i < inner; i++) acc[i] += x[at + i];
};

function sumAlong(x: TypedArray, at: number, length: number): number {
  const end = at + length;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (; at + 3 < end; at += 4) {
    a += x[at];
    b += x[at + 1];
    c += x[at + 2];
    d += x[at + 3];
  }
  for (; at < end; at++) a += x[at];
  return a + b + (c + d);
}

function maxAlong(x: TypedArray, at: number, length: number): number {
  const end = at + length;
  let [a, b, c, d] = [-Infinity, -Infinity, -Infinity, -Infinity];
  for (; at + 3 < end; at += 4) {
    a = Math.max(a, x[at]);
    b = Math.max(b, x[at + 1]);
    c = Math.max(c, x[at + 2]);
    d = Math.max(d, x[at + 3]);
  }
  for (; at < end; at++) a = Math.max(a, x[at]);
  return Math.max(a, b, c, d);
}

const sumSquare: Accumulate = (acc, x, at, inner) => {
  for (let i = 0; i < inner; i++) {
    const v = x[at + i];
    acc[i] += v * v;
  }
};

const max: Accumulate = (acc, x, at, inner) => {
  for (let i = 0; i < inner; i++) acc[i] = Math.max(acc[i], x[at + i]);
};

const reductions: Readonly<Record<Exclude<ReduceKind, 'logSumExp'>, Reduction>> = {
  sum: { start: 0, accumulate: sum, along: sumAlong },
  mean: { start: 0, accumulate: sum, along: sumAlong, finish: (total, length) => total / length },
  max: { start: -Infinity, accumulate: max, along: maxAlong },
  min: {
    start: Infinity,
    accumulate: (acc, x, at, inner) => {
      for (let i = 0; i < inner; i++) acc[i] = Math.min(acc[i], x[at + i]);
    },
  },
  prod: {
    start: 1,
    accumulate: (acc, x, at, inner) => {
      for (let i = 0; i < inner; i++) acc[i] *= x[at + i];
    },
  },
  l1: {
    start: 0,
    accumulate: (acc, x, at, inner) => {
      for (let i = 0; i < inner; i++) acc[i] += Math.abs(x[at + i]);
    },
  },
  l2: { start: 0, accumulate: sumSquare, finish: Math.sqrt },
  sumSquare: { start: 0, accumulate: sumSquare },
  logSum: { start: 0, accumulate: sum, finish: Math.log },
};

/** The smallest and largest values of an integer array's type: the results of an empty max and min. */
function integerRange(array: TypedArray): [number, number] {
  const bits = array.BYTES_PER_ELEMENT * 8;
  const signed = array instanceof Int32Array || array instanceof Int16Array || array instanceof Int8Array;
  return signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

export const reduce: JsPrim<'reduce'> = (inputs, outputs, { kind, outer, length, inner }) => {
  const x = (inputs[0] as Tensor).array;
  const y = outputs[0].array;
  if (kind === 'logSumExp') {
    logSumExp(x, y, outer, length, inner);
    return;
  }
  const { start, accumulate, along, finish } = reductions[kind];
  const acc = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    acc.fill(start);
    if (inner === 1 && along !== undefined) acc[0] = along(x, o * length, length);
    else for (let j = 0, at = o * length * inner; j < length; j++, at += inner) accumulate(acc, x, at, inner);
    for (let i = 0; i < inner; i++) y[o * inner + i] = finish === undefined ? acc[i] : finish(acc[i], length);
  }
  const { kind: elements } = dtypes[outputs[0].dtype];
  if (length === 0 && elements !== 'float' && (kind === 'max' || kind === 'min')) {
    const [least, most] = elements === 'bool' ? [0, 1] : integerRange(y);
    y.fill(kind === 'max' ? least : most);
  }
};

/** log Σ exp(x) as max + log Σ exp(x − max), which does not overflow. */
function logSumExp(x: TypedArray, y: TypedArray, outer: number, length: number, inner: number): void {
  const largest = new Float64Array(inner);
  const total = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    const begin = o * length * inner;
    const end = begin + length * inner;
    largest.fill(-Infinity);
    total.fill(0);
    for (let at = begin; at < end; at += inner) max(largest, x, at, inner);
    // ∞ − ∞ is not a number; an infinite maximum is the result itself.
    for (let i = 0; i < inner; i++) if (Math.abs(largest[i]) === Infinity) total[i] = Number.NaN;
    for (let at = begin; at < end; at += inner) {
      for (let i = 0; i < inner; i++) total[i] += Math.exp(x[at + i] - largest[i]);
    }
    for (let i = 0; i < inner; i++) {
      const limit = Math.abs(largest[i]) === Infinity;
      y[o * inner + i] = limit ? largest[i] : largest[i] + Math.log(total[i]);
    }
  }
}

/** A NaN wins over any number, as in NumPy and PyTorch: its position is the result. */
export const argReduce: JsPrim<'argReduce'> = (inputs, outputs, { kind, outer, length, inner, selectLast }) => {
  const x = (inputs[0] as Tensor).array;
  const y = outputs[0].array;
  const sign = kind === 'max' ? 1 : -1;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const begin = o * length * inner + i;
      let best = sign * x[begin];
      let index = 0;
      for (let j = 1; j < length; j++) {
        const v = sign * x[begin + j * inner];
        const equal = v === best || (Number.isNaN(v) && Number.isNaN(best));
        const wins = equal ? selectLast : v > best || Number.isNaN(v);
        if (wins) {
          best = v;
          index = j;
        }
      }
      y[o * inner + i] = index;
    }
  }
};
