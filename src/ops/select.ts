import { allocateArray, type DType, dtypes, type TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { elementCount } from '../tensor/layout.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { expectIntegers } from './copy.ts';
import { indexInput } from './gather.ts';
import {
  defineOp,
  expectDType,
  expectRank,
  followLayouts,
  normalizeAxis,
  required,
  rowLayouts,
  type TensorInfo,
} from './op.ts';
import { aroundAxis } from './softmax.ts';

// Ops that choose elements by their values or positions. All run on the host.

/** Sizes before, of and behind an axis of a row-major shape. */
const around = (shape: readonly number[], axis: number): [number, number, number] => [
  elementCount(shape.slice(0, axis)),
  shape[axis],
  elementCount(shape.slice(axis + 1)),
];

/** The slices `picked` along `axis`, from data in row order. */
function pick(
  data: TypedArray,
  dtype: DType,
  shape: readonly number[],
  axis: number,
  picked: readonly number[],
): Tensor {
  const [outer, length, inner] = around(shape, axis);
  const out = allocateArray(dtype, outer * picked.length * inner);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const j of picked) {
      const from = (o * length + j) * inner;
      out.set(data.subarray(from, from + inner), at);
      at += inner;
    }
  }
  return tensor(
    out,
    shape.map((d, i) => (i === axis ? picked.length : d)),
    dtype,
  );
}

const whole = (values: readonly number[], dtype: DType = 'int64'): Tensor =>
  tensor(Int32Array.from(values), [values.length], dtype);

/** Positions of the elements that are not zero, [rank, count], in row order. */
export const nonZero = defineOp<object>({
  name: 'nonZero',
  infer(inputs) {
    required('nonZero', inputs, 0, 'x');
    return [];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward() {},
  evaluate([x]) {
    required('nonZero', [x], 0, 'x');
    const { shape } = x as Tensor;
    const found: number[] = [];
    (x as Tensor).data.forEach((v, i) => {
      if (v !== 0) found.push(i);
    });
    const out = new Int32Array(shape.length * found.length);
    shape.forEach((d, axis) => {
      const inner = elementCount(shape.slice(axis + 1));
      for (let i = 0; i < found.length; i++) out[axis * found.length + i] = Math.floor(found[i] / inner) % d;
    });
    return [tensor(out, [shape.length, found.length], 'int64')];
  },
  cases: [
    { attrs: {}, inputs: [{ shape: [2, 3], values: [0, 1, 0, -2, 0, 3] }] },
    { attrs: {}, inputs: [{ shape: [4, 2], dtype: 'bool', range: [0, 1] }] },
  ],
});

export interface CompressAttrs {
  /** Null: x is flattened first. */
  readonly axis: number | null;
}

/** The slices along `axis` whose condition is true; a condition shorter than the axis counts as false at its end. */
export const compress = defineOp<CompressAttrs>({
  name: 'compress',
  infer(inputs, { axis }) {
    const x = required('compress', inputs, 0, 'x');
    const condition = required('compress', inputs, 1, 'condition');
    expectDType('compress', 'condition', condition, 'bool');
    expectRank('compress', 'condition', condition, 1);
    const length = axis === null ? elementCount(x.shape) : x.shape[normalizeAxis('compress', axis, x.shape.length)];
    if (condition.shape[0] > length) {
      throw new ConvletError(
        'shape',
        `compress: condition expects at most ${length} elements, got ${condition.shape[0]}`,
      );
    }
    return [];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward() {},
  evaluate(inputs, attrs) {
    compress.infer(inputs, attrs);
    const [x, condition] = inputs as Tensor[];
    const picked = [...condition.data.keys()].filter((i) => condition.data[i] !== 0);
    const shape = attrs.axis === null ? [x.size] : x.shape;
    const axis = attrs.axis === null ? 0 : normalizeAxis('compress', attrs.axis, x.rank);
    return [pick(x.data, x.dtype, shape, axis, picked)];
  },
  cases: [
    { attrs: { axis: 0 }, inputs: [{ shape: [3, 2] }, { shape: [3], dtype: 'bool', values: [0, 1, 1] }] },
    { attrs: { axis: null }, inputs: [{ shape: [3, 2] }, { shape: [5], dtype: 'bool', values: [0, 1, 1, 0, 1] }] },
  ],
});

export interface UniqueAttrs {
  /** Null: x is flattened first. */
  readonly axis: number | null;
  /** Ascending; else in order of first appearance. */
  readonly sorted: boolean;
}

/** Distinct elements (or slices along `axis`), position of each one's first appearance, which of them each is, counts. */
export const unique = defineOp<UniqueAttrs>({
  name: 'unique',
  infer(inputs, { axis }) {
    const x = required('unique', inputs, 0, 'x');
    if (axis !== null) normalizeAxis('unique', axis, x.shape.length);
    return [];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward() {},
  evaluate(inputs, attrs) {
    unique.infer(inputs, attrs);
    const x = inputs[0] as Tensor;
    const shape = attrs.axis === null ? [x.size] : x.shape;
    const axis = attrs.axis === null ? 0 : normalizeAxis('unique', attrs.axis, x.rank);
    const [outer, length, inner] = around(shape, axis);
    const { data } = x;
    const elementsOf = (j: number): number[] => {
      const out: number[] = [];
      for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) out.push(data[(o * length + j) * inner + i]);
      return out;
    };
    const slices = Array.from({ length }, (_, j) => elementsOf(j));
    const seen = new Map<string, number>();
    const first: number[] = [];
    const which = slices.map((slice, j) => {
      const key = slice.join();
      if (!seen.has(key)) {
        seen.set(key, first.length);
        first.push(j);
      }
      return seen.get(key) as number;
    });
    const order = [...first.keys()];
    if (attrs.sorted) order.sort((p, q) => compareNumbers(slices[first[p]], slices[first[q]]));
    const rank = new Array<number>(order.length);
    order.forEach((group, at) => {
      rank[group] = at;
    });
    const counts = new Array<number>(order.length).fill(0);
    for (const group of which) counts[rank[group]]++;
    const picked = order.map((group) => first[group]);
    return [
      pick(data, x.dtype, shape, axis, picked),
      whole(picked),
      whole(which.map((group) => rank[group])),
      whole(counts),
    ];
  },
  cases: [
    { attrs: { axis: null, sorted: true }, inputs: [{ shape: [6], values: [2, 1, 1, 3, 4, 3] }] },
    { attrs: { axis: null, sorted: false }, inputs: [{ shape: [6], values: [2, 1, 1, 3, 4, 3] }] },
    { attrs: { axis: 0, sorted: true }, inputs: [{ shape: [3, 3], values: [1, 0, 0, 1, 0, 0, 2, 3, 4] }] },
  ],
});

/** Lexicographic order of equally many numbers. */
function compareNumbers(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((v, i) => v !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}

export interface OneHotAttrs {
  readonly depth: number;
  readonly axis: number;
}

/** values[1] where the new axis's position is the index, values[0] elsewhere (everywhere for an index outside). */
export const oneHot = defineOp<OneHotAttrs>({
  name: 'oneHot',
  infer(inputs, { depth, axis }) {
    const indices = required('oneHot', inputs, 0, 'indices');
    const values = required('oneHot', inputs, 1, 'values');
    expectIntegers('oneHot', 'depth', [depth], 1, 1);
    if (elementCount(values.shape) !== 2) {
      throw new ConvletError(
        'shape',
        `oneHot: values expects 2 elements (off, on), got shape ${shapeText(values.shape)}`,
      );
    }
    const at = normalizeAxis('oneHot', axis, indices.shape.length + 1);
    return [{ dtype: values.dtype, shape: indices.shape.toSpliced(at, 0, depth) }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { depth, axis }) {
    const [outer, , inner] = around(outputs[0].shape, normalizeAxis('oneHot', axis, outputs[0].rank));
    emit.call('host', inputs, outputs, {
      name: 'oneHot',
      run: ([indices, values], [y]) => {
        const [off, on] = (values as Tensor).array;
        y.array.fill(off);
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) {
            const index = Math.trunc((indices as Tensor).array[o * inner + i]);
            const at = index < 0 ? index + depth : index;
            if (at >= 0 && at < depth) y.array[(o * depth + at) * inner + i] = on;
          }
        }
      },
    });
  },
  cases: [
    {
      attrs: { depth: 5, axis: -1 },
      inputs: [
        { shape: [3], dtype: 'int64', values: [1, -1, 9] },
        { shape: [2], values: [0, 1] },
      ],
    },
    {
      attrs: { depth: 4, axis: 1 },
      inputs: [
        { shape: [2, 3], values: [1, 0, 3, 2, 2, 1] },
        { shape: [2], dtype: 'int32', values: [-1, 3] },
      ],
    },
  ],
});

export interface TriluAttrs {
  readonly k: number;
  readonly upper: boolean;
}

/** The triangle of the last two axes on and above (below) diagonal k; zeros elsewhere. */
export const trilu = defineOp<TriluAttrs>({
  name: 'trilu',
  infer(inputs, { k }) {
    const x = required('trilu', inputs, 0, 'x');
    if (x.shape.length < 2)
      throw new ConvletError('shape', `trilu: x expects rank 2 or more, got shape ${shapeText(x.shape)}`);
    expectIntegers('trilu', 'k', [k], 1);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { k, upper }) {
    const [rows, columns] = outputs[0].shape.slice(-2);
    emit.call('host', inputs, outputs, {
      name: 'trilu',
      run: ([x], [y]) => {
        const [from, to] = [(x as Tensor).array, y.array];
        for (let at = 0; at < to.length; ) {
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++, at++) to[at] = (upper ? j - i >= k : j - i <= k) ? from[at] : 0;
          }
        }
      },
    });
  },
  cases: [
    { attrs: { k: 0, upper: true }, inputs: [{ shape: [2, 4, 5] }] },
    { attrs: { k: -1, upper: false }, inputs: [{ shape: [5, 3] }] },
    { attrs: { k: 2, upper: true }, inputs: [{ shape: [3, 5], dtype: 'int64', range: [-9, 9] }] },
    { attrs: { k: 0, upper: true }, inputs: [{ shape: [3, 0] }] },
  ],
});

export interface EyeLikeAttrs {
  readonly dtype: DType;
  readonly k: number;
}

/** Ones on diagonal k of a matrix of the shape of x. */
export const eyeLike = defineOp<EyeLikeAttrs>({
  name: 'eyeLike',
  infer(inputs, { dtype, k }) {
    const x = required('eyeLike', inputs, 0, 'x');
    expectRank('eyeLike', 'x', x, 2);
    expectIntegers('eyeLike', 'k', [k], 1);
    if (!Object.hasOwn(dtypes, dtype)) throw new ConvletError('dtype', `eyeLike: there is no dtype ${String(dtype)}`);
    return [{ dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, _, outputs, { k }) {
    const [rows, columns] = outputs[0].shape;
    emit.call('host', [], outputs, {
      name: 'eyeLike',
      run: (_, [y]) => {
        y.array.fill(0);
        for (let i = Math.max(0, -k); i < rows && i + k < columns; i++) y.array[i * columns + i + k] = 1;
      },
    });
  },
  cases: [
    { attrs: { dtype: 'float32', k: 0 }, inputs: [{ shape: [3, 4] }] },
    { attrs: { dtype: 'int64', k: -1 }, inputs: [{ shape: [4, 3] }] },
  ],
});

/** One at the first maximum along `axis`, zero elsewhere. */
export const hardmax = defineOp<{ readonly axis: number }>({
  name: 'hardmax',
  infer(inputs, { axis }) {
    const x = required('hardmax', inputs, 0, 'x');
    normalizeAxis('hardmax', axis, x.shape.length);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { axis }) {
    const x = inputs[0] as Tensor;
    const { outer, length, inner } = aroundAxis(x, normalizeAxis('hardmax', axis, x.rank));
    emit.call('host', inputs, outputs, {
      name: 'hardmax',
      run: ([from], [y]) => {
        const { array } = from as Tensor;
        y.array.fill(0);
        if (length === 0) return;
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) {
            const begin = o * length * inner + i;
            let best = begin;
            for (let j = 1, at = begin + inner; j < length; j++, at += inner) if (array[at] > array[best]) best = at;
            y.array[best] = 1;
          }
        }
      },
    });
  },
  cases: [
    { attrs: { axis: 1 }, inputs: [{ shape: [2, 5, 3, 4] }] },
    { attrs: { axis: 0 }, inputs: [{ shape: [4], values: [1, 3, 3, 0] }] },
  ],
});

export interface ReverseSequenceAttrs {
  readonly batchAxis: number;
  readonly timeAxis: number;
}

/** For each batch entry the first sequenceLengths[b] steps of the time axis, reversed; the rest as it is. */
export const reverseSequence = defineOp<ReverseSequenceAttrs>({
  name: 'reverseSequence',
  infer(inputs, { batchAxis, timeAxis }) {
    const x = required('reverseSequence', inputs, 0, 'x');
    const lengths: TensorInfo = indexInput('reverseSequence', inputs, 1, 'sequenceLengths');
    const [b, t] = [batchAxis, timeAxis].map((axis) => normalizeAxis('reverseSequence', axis, x.shape.length));
    if (b === t) throw new ConvletError('argument', `reverseSequence: batchAxis and timeAxis are both ${b}`);
    if (lengths.shape.length !== 1 || lengths.shape[0] !== x.shape[b]) {
      throw new ConvletError(
        'shape',
        `reverseSequence: sequenceLengths expects shape [${x.shape[b]}], got ${shapeText(lengths.shape)}`,
      );
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { batchAxis, timeAxis }) {
    const y = outputs[0];
    const [b, t] = [batchAxis, timeAxis].map((axis) => normalizeAxis('reverseSequence', axis, y.rank));
    const [perBatch, perStep] = [y.strides[b], y.strides[t]];
    emit.call('host', inputs, outputs, {
      name: 'reverseSequence',
      run: ([x, lengths], [out]) => {
        const [from, to] = [(x as Tensor).array, out.array];
        const bound = (lengths as Tensor).array;
        bound.forEach((length, i) => {
          if (length >= 0 && length <= y.shape[t]) return;
          throw new ConvletError(
            'index-range',
            `reverseSequence: sequenceLengths[${i}] expects 0…${y.shape[t]}, got ${length}`,
          );
        });
        for (let at = 0; at < to.length; at++) {
          const batch = Math.floor(at / perBatch) % y.shape[b];
          const step = Math.floor(at / perStep) % y.shape[t];
          const length = bound[batch];
          to[at] = from[step < length ? at + (length - 1 - 2 * step) * perStep : at];
        }
      },
    });
  },
  cases: [
    {
      attrs: { batchAxis: 1, timeAxis: 0 },
      inputs: [{ shape: [4, 3] }, { shape: [3], dtype: 'int64', values: [4, 2, 1] }],
    },
    {
      attrs: { batchAxis: 0, timeAxis: 1 },
      inputs: [{ shape: [2, 5, 3] }, { shape: [2], dtype: 'int64', values: [3, 0] }],
    },
  ],
});
