import type { TypedArray } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, gradOf, inputOf, zeros } from '../core/gradient.ts';
import { defineOp, rowLayouts, type TensorInfo } from '../core/op.ts';
import type { ScatterReduction } from './attrs.ts';
import { expectWithin, forEachElement, forEachSlice, indexInput } from './gather.ts';

const ofScatterElements = checker('scatterElements');
const ofScatterND = checker('scatterND');

/** How an update combines with the element at its place; updates of the same place are applied in order. */
const reductions: Readonly<Record<ScatterReduction, (old: number, update: number) => number>> = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  max: Math.max,
  min: Math.min,
};

function reductionOf(op: string, reduction: ScatterReduction): (old: number, update: number) => number {
  if (Object.hasOwn(reductions, reduction)) return reductions[reduction];
  throw new ConvletError(
    'argument',
    `${op}: reduction expects ${Object.keys(reductions).join(' or ')}, got ${String(reduction)}`,
  );
}

/** Throws unless the gradient of the reduction is another scatter. */
function expectDifferentiable(op: string, reduction: ScatterReduction): void {
  if (reduction === 'none' || reduction === 'add') return;
  throw new ConvletError(
    'unsupported',
    `${op}: reduction '${reduction}' has no gradient here, only 'none' and 'add' do`,
  );
}

const arraysOf = (x: Tensor | null, updates: Tensor | null, y: Tensor): [TypedArray, TypedArray] => {
  y.array.set((x as Tensor).array);
  return [(updates as Tensor).array, y.array];
};

/** y = x with y[…, indices[…, i, …], …] ∘= updates[…, i, …] along `axis` (PyTorch's scatter). */
export const scatterElements = defineOp({
  name: 'scatterElements',
  infer(inputs, attrs) {
    const x = ofScatterElements.required(inputs, 0, 'x');
    const indices = indexInput('scatterElements', inputs, 1);
    const updates = ofScatterElements.required(inputs, 2, 'updates');
    ofScatterElements.dtype('updates', updates, x.dtype);
    expectWithin('scatterElements', x, indices, ofScatterElements.axis(attrs.axis, x.shape.length));
    if (shapeText(updates.shape) !== shapeText(indices.shape)) {
      throw new ConvletError(
        'shape',
        `scatterElements: updates expects the shape of indices ${shapeText(indices.shape)}, got ${shapeText(updates.shape)}`,
      );
    }
    reductionOf('scatterElements', attrs.reduction);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const axis = ofScatterElements.axis(attrs.axis, outputs[0].rank);
    const join = reductionOf('scatterElements', attrs.reduction);
    emit.call('host', inputs, outputs, {
      name: 'scatterElements',
      run: ([x, indices, updates], [y]) => {
        const [from, to] = arraysOf(x, updates, y);
        forEachElement('scatterElements', y, indices as Tensor, axis, (at, i) => {
          to[at] = join(to[at], from[i]);
        });
      },
    });
  },
  backward(g) {
    const { axis, reduction } = g.attrs;
    expectDifferentiable('scatterElements', reduction);
    const [gy, indices] = [gradOf(g), inputOf(g, 1)];
    // Overwritten elements have gradient 0.
    const overwritten = (): TensorInfo =>
      apply(g, 'scatterElements', [gy, indices, zeros(g, indices.shape, gy.dtype)], { axis, reduction: 'none' });
    return [
      g.wants[0] ? (reduction === 'add' ? gy : overwritten()) : null,
      null,
      g.wants[2] ? apply(g, 'gatherElements', [gy, indices], { axis }) : null,
    ];
  },
});

/** y = x with y[indices[i, …]] ∘= updates[i, …]: the last axis of `indices` names a place in the first axes of x. */
export const scatterND = defineOp({
  name: 'scatterND',
  infer(inputs, attrs) {
    const x = ofScatterND.required(inputs, 0, 'x');
    const indices = indexInput('scatterND', inputs, 1);
    const updates = ofScatterND.required(inputs, 2, 'updates');
    ofScatterND.dtype('updates', updates, x.dtype);
    const depth = indices.shape.at(-1) ?? 0;
    if (depth < 1 || depth > x.shape.length) {
      throw new ConvletError(
        'shape',
        `scatterND: indices expects a last axis of 1…${x.shape.length} for x of shape ${shapeText(x.shape)}, got shape ${shapeText(indices.shape)}`,
      );
    }
    const wanted = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
    if (shapeText(updates.shape) !== shapeText(wanted)) {
      throw new ConvletError(
        'shape',
        `scatterND: updates expects shape ${shapeText(wanted)}, got ${shapeText(updates.shape)}`,
      );
    }
    reductionOf('scatterND', attrs.reduction);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const join = reductionOf('scatterND', attrs.reduction);
    emit.call('host', inputs, outputs, {
      name: 'scatterND',
      run: ([x, indices, updates], [y]) => {
        const [from, to] = arraysOf(x, updates, y);
        forEachSlice('scatterND', y, indices as Tensor, 0, (at, size, i) => {
          for (let j = 0; j < size; j++) to[at + j] = join(to[at + j], from[i * size + j]);
        });
      },
    });
  },
  backward(g) {
    const { reduction } = g.attrs;
    expectDifferentiable('scatterND', reduction);
    const [gy, indices, updates] = [gradOf(g), inputOf(g, 1), inputOf(g, 2)];
    const overwritten = (): TensorInfo =>
      apply(g, 'scatterND', [gy, indices, zeros(g, updates.shape, gy.dtype)], { reduction: 'none' });
    return [
      g.wants[0] ? (reduction === 'add' ? gy : overwritten()) : null,
      null,
      g.wants[2] ? apply(g, 'gatherND', [gy, indices], { batchDims: 0 }) : null,
    ];
  },
});
