import { ConvletError, shapeText } from '../../common/error.ts';
import { elementCount } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker, expectDType, required } from '../check.ts';
import { apply, gradOf, inputOf, zeros } from '../core/gradient.ts';
import { defineOp, type Emitter, type Placed, rowLayouts, type TensorInfo } from '../core/op.ts';
import { aroundAxis } from '../reduce/softmax.ts';

const ofGather = checker('gather');
const ofGatherElements = checker('gatherElements');
const ofGatherND = checker('gatherND');

/** The index counted from 0, or a ConvletError('index-range'). */
export function checkedIndex(op: string, index: number, axis: number, length: number): number {
  if (index >= -length && index < length) return index < 0 ? index + length : index;
  throw new ConvletError('index-range', `${op}: index ${index} on axis ${axis} lies outside ${-length}…${length - 1}`);
}

export function indexInput(
  op: string,
  inputs: readonly (TensorInfo | null)[],
  index: number,
  name = 'indices',
): TensorInfo {
  const input = required(op, inputs, index, name);
  expectDType(op, name, input, 'int64', 'int32');
  return input;
}

/** Constant indices are checked while lowering, and converted to count from 0. */
function checkedIndices(emit: Emitter, indices: Tensor, axis: number, length: number): Tensor {
  if (!indices.constant) return indices;
  const checked = Int32Array.from(indices.data, (index) => checkedIndex('gather', index, axis, length));
  return emit.constant(checked, indices.shape, indices.dtype);
}

/** y = x with `axis` replaced by the axes of `indices` (with one axis PyTorch's index_select). Negative indices count from the end. */
export const gather = defineOp({
  name: 'gather',
  infer(inputs, attrs) {
    const x = ofGather.required(inputs, 0, 'x');
    const indices = indexInput('gather', inputs, 1);
    const axis = ofGather.axis(attrs.axis, x.shape.length);
    if (x.shape[axis] === 0 && elementCount(indices.shape) > 0) {
      throw new ConvletError('index-range', `gather: axis ${axis} of x is empty (shape ${shapeText(x.shape)})`);
    }
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] }];
  },
  layouts(inputs, _, outputs) {
    const [x, indices] = inputs as Placed[];
    if (indices.shape.length !== 1) return rowLayouts(inputs, outputs);
    return { inputs: [x.layout, 'row'], outputs: [x.layout] };
  },
  forward(emit, inputs, outputs, attrs) {
    const [x, indices] = inputs as Tensor[];
    const axis = ofGather.axis(attrs.axis, x.rank);
    const index = checkedIndices(emit, indices, axis, x.shape[axis]);
    emit.call('take', [x, index], outputs, { ...aroundAxis(x, axis), count: indices.size });
  },
  backward(g) {
    const attrs = { axis: g.attrs.axis, shape: inputOf(g).shape };
    return [apply(g, 'gatherGrad', [inputOf(g, 1), gradOf(g)], attrs), null];
  },
});

/** y[…, i, …] = x[…, indices[…, i, …], …] along `axis` (PyTorch's gather). */
export const gatherElements = defineOp({
  name: 'gatherElements',
  infer(inputs, attrs) {
    const x = ofGatherElements.required(inputs, 0, 'x');
    const indices = indexInput('gatherElements', inputs, 1);
    const axis = ofGatherElements.axis(attrs.axis, x.shape.length);
    expectWithin('gatherElements', x, indices, axis);
    return [{ dtype: x.dtype, shape: indices.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const axis = ofGatherElements.axis(attrs.axis, outputs[0].rank);
    emit.call('host', inputs, outputs, {
      name: 'gatherElements',
      run: ([x, indices], [y]) => {
        const [from, to] = [(x as Tensor).array, y.array];
        forEachElement('gatherElements', x as Tensor, indices as Tensor, axis, (at, i) => {
          to[i] = from[at];
        });
      },
    });
  },
  backward(g) {
    const gy = gradOf(g);
    const empty = zeros(g, inputOf(g).shape, gy.dtype);
    return [apply(g, 'scatterElements', [empty, inputOf(g, 1), gy], { axis: g.attrs.axis, reduction: 'add' }), null];
  },
});

/** Throws unless `indices` has the rank of `x` and is not larger than x along the other axes. */
export function expectWithin(op: string, x: TensorInfo, indices: TensorInfo, axis: number): void {
  const fits = indices.shape.length === x.shape.length && indices.shape.every((d, i) => i === axis || d <= x.shape[i]);
  if (fits) return;
  throw new ConvletError(
    'shape',
    `${op}: indices expects at most the shape of x ${shapeText(x.shape)} except along axis ${axis}, got ${shapeText(indices.shape)}`,
  );
}

/** For element i of `indices` (row order): visit(position in x of the element that the index names along `axis`, i). */
export function forEachElement(
  op: string,
  x: Tensor,
  indices: Tensor,
  axis: number,
  visit: (at: number, i: number) => void,
): void {
  const { shape, array } = indices;
  const strides = x.strides;
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < indices.size; i++) {
    let at = checkedIndex(op, array[i], axis, x.shape[axis]) * strides[axis];
    for (let j = 0; j < index.length; j++) if (j !== axis) at += index[j] * strides[j];
    visit(at, i);
    for (let j = index.length - 1; j >= 0 && ++index[j] === shape[j]; j--) index[j] = 0;
  }
}

/** The last axis of `indices` names positions in the axes of x after the first `batchDims`, which x and indices share. */
export const gatherND = defineOp({
  name: 'gatherND',
  infer(inputs, { batchDims }) {
    const x = ofGatherND.required(inputs, 0, 'x');
    const indices = indexInput('gatherND', inputs, 1);
    const depth = indices.shape.at(-1) ?? 0;
    const batchFits = x.shape.slice(0, batchDims).every((d, i) => d === indices.shape[i]);
    const ok = Number.isInteger(batchDims) && batchDims >= 0 && batchDims < indices.shape.length && depth > 0;
    if (!ok || batchDims + depth > x.shape.length || !batchFits) {
      throw new ConvletError(
        'shape',
        `gatherND: indices of shape ${shapeText(indices.shape)} do not fit x of shape ${shapeText(x.shape)} with batchDims ${batchDims}`,
      );
    }
    return [{ dtype: x.dtype, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(batchDims + depth)] }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { batchDims }) {
    emit.call('host', inputs, outputs, {
      name: 'gatherND',
      run: ([x, indices], [y]) => {
        const from = (x as Tensor).array;
        forEachSlice('gatherND', x as Tensor, indices as Tensor, batchDims, (at, size, i) => {
          y.array.set(from.subarray(at, at + size), i * size);
        });
      },
    });
  },
  backward(g) {
    const attrs = { batchDims: g.attrs.batchDims, shape: inputOf(g).shape };
    return [apply(g, 'gatherNDGrad', [inputOf(g, 1), gradOf(g)], attrs), null];
  },
});

/** For tuple i of `indices`: visit(offset in x of the slice that the tuple names, the slice's size, i). */
export function forEachSlice(
  op: string,
  x: Tensor,
  indices: Tensor,
  batchDims: number,
  visit: (at: number, size: number, i: number) => void,
): void {
  const depth = indices.shape[indices.rank - 1];
  const { array } = indices;
  const strides = x.strides;
  const size = elementCount(x.shape.slice(batchDims + depth));
  const batchSize = elementCount(x.shape.slice(batchDims));
  const tuples = elementCount(indices.shape.slice(0, -1));
  const perBatch = elementCount(indices.shape.slice(batchDims, -1));
  for (let i = 0; i < tuples; i++) {
    let at = batchDims === 0 ? 0 : Math.floor(i / perBatch) * batchSize;
    for (let d = 0; d < depth; d++) {
      const axis = batchDims + d;
      at += checkedIndex(op, array[i * depth + d], axis, x.shape[axis]) * strides[axis];
    }
    visit(at, size, i);
  }
}
