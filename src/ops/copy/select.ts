import { allocateArray, type DType, type TypedArray } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { elementCount } from '../../tensor/layout.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { defineOp, rowLayouts } from '../core/op.ts';

const ofNonZero = checker('nonZero');
const ofCompress = checker('compress');
const ofUnique = checker('unique');

// Ops whose output shapes depend on the data: they are evaluated on the host.

/** Products of the sizes before, at and after an axis of a row-major shape. */
export const around = (shape: readonly number[], axis: number): [number, number, number] => [
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
export const nonZero = defineOp({
  name: 'nonZero',
  infer(inputs) {
    ofNonZero.required(inputs, 0, 'x');
    return [];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward() {},
  evaluate([x]) {
    ofNonZero.required([x], 0, 'x');
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
});

/** The slices along `axis` whose condition is true; a condition shorter than the axis counts as false at its end. */
export const compress = defineOp({
  name: 'compress',
  infer(inputs, { axis }) {
    const x = ofCompress.required(inputs, 0, 'x');
    const condition = ofCompress.required(inputs, 1, 'condition');
    ofCompress.dtype('condition', condition, 'bool');
    ofCompress.rank('condition', condition, 1);
    const length = axis === null ? elementCount(x.shape) : x.shape[ofCompress.axis(axis, x.shape.length)];
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
    const axis = attrs.axis === null ? 0 : ofCompress.axis(attrs.axis, x.rank);
    return [pick(x.data, x.dtype, shape, axis, picked)];
  },
});

/** Outputs: distinct elements (or slices along `axis`), the position of their first appearance, for each element of x its index among them, their counts. */
export const unique = defineOp({
  name: 'unique',
  infer(inputs, { axis }) {
    const x = ofUnique.required(inputs, 0, 'x');
    if (axis !== null) ofUnique.axis(axis, x.shape.length);
    return [];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward() {},
  evaluate(inputs, attrs) {
    unique.infer(inputs, attrs);
    const x = inputs[0] as Tensor;
    const shape = attrs.axis === null ? [x.size] : x.shape;
    const axis = attrs.axis === null ? 0 : ofUnique.axis(attrs.axis, x.rank);
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
});

/** Lexicographic order of two lists of the same length. */
function compareNumbers(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((v, i) => v !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}
