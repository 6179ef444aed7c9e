import { type ReduceKind, reduceKinds } from '../../backend/prims/reduce.ts';
import { dtypes } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { canBeChannelsLast, elementCount, type Layout, memoryOrder } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { normalizeAxis, required } from '../check.ts';
import { defineOp, type Emitter, type Layouts, type Placed, type TensorInfo } from '../core/op.ts';
import type { ReduceName } from './attrs.ts';
import { reduceBackward } from './reduce-grad.ts';
import { aroundAxis } from './softmax.ts';

function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  return keepDims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));
}

/** The input keeps its layout if its remaining axes are in row or channels-last order of the output; else row order. */
function reduceLayouts(x: Placed, axes: readonly number[], keepDims: boolean): Layouts {
  if (keepDims || x.layout === 'row') return { inputs: [x.layout], outputs: [x.layout] };
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = memoryOrder(x.shape.length, x.layout).filter((i) => kept.includes(i) && x.shape[i] !== 1);
  const fits = (layout: Layout): boolean => {
    const wanted = memoryOrder(kept.length, layout).map((i) => kept[i]);
    return wanted.filter((i) => x.shape[i] !== 1).join() === order.join();
  };
  if (fits('row')) return { inputs: [x.layout], outputs: ['row'] };
  if (canBeChannelsLast(kept.length) && fits('channelsLast')) return { inputs: [x.layout], outputs: ['channelsLast'] };
  return { inputs: ['row'], outputs: ['row'] };
}

/** Emits a reduction. If the reduced axes are not adjacent in memory, a temporary has them at the end. */
function emitReduce(emit: Emitter, kind: ReduceKind, x: Tensor, y: Tensor, axes: readonly number[]): void {
  const order = memoryOrder(x.rank, x.layout).filter((axis) => x.shape[axis] !== 1);
  const reduced = order.filter((axis) => axes.includes(axis));
  const kept = order.filter((axis) => !axes.includes(axis));
  const first = order.indexOf(reduced[0]);
  const adjacent = reduced.every((axis, i) => order[first + i] === axis);
  const sizeOf = (list: readonly number[]): number => elementCount(list.map((axis) => x.shape[axis]));
  if (adjacent) {
    const outer = reduced.length === 0 ? sizeOf(kept) : sizeOf(order.slice(0, first));
    const inner = reduced.length === 0 ? 1 : sizeOf(order.slice(first + reduced.length));
    emit.call('reduce', [x], [y], { kind, outer, length: sizeOf(reduced), inner });
    return;
  }
  const together = [...kept, ...reduced];
  const dims = together.map((axis) => x.shape[axis]);
  const temp = emit.temp(x.dtype, [sizeOf(kept), sizeOf(reduced)]);
  emit.call('copy', [x], [temp], {
    dims,
    inputOffset: 0,
    inputStrides: together.map((axis) => x.strides[axis]),
    outputOffset: 0,
    outputStrides: dims.map((_, i) => elementCount(dims.slice(i + 1))),
  });
  emit.call('reduce', [temp], [y], { kind, outer: sizeOf(kept), length: sizeOf(reduced), inner: 1 });
}

function expectNumbers(name: string, x: TensorInfo, allowBool: boolean): void {
  if (dtypes[x.dtype].kind === 'bool' && !allowBool)
    throw new ConvletError('dtype', `${name}: x expects numbers, got bool`);
}

/** One op per kind: reduceSum, reduceMean, … */
export const reduceOps = reduceKinds.map((kind) => {
  const name = `reduce${kind[0].toUpperCase()}${kind.slice(1)}` as ReduceName;
  return defineOp({
    name,
    infer(inputs, { axes, keepDims }) {
      const x = required(name, inputs, 0, 'x');
      expectNumbers(name, x, kind === 'max' || kind === 'min');
      for (const axis of axes) normalizeAxis(name, axis, x.shape.length);
      if (new Set(axes).size !== axes.length || axes.some((axis) => axis < 0)) {
        throw new ConvletError('argument', `${name}: axes expects different axes ≥ 0, got [${axes}]`);
      }
      return [{ dtype: x.dtype, shape: reducedShape(x.shape, axes, keepDims) }];
    },
    layouts: ([x], { axes, keepDims }) => reduceLayouts(x as Placed, axes, keepDims),
    forward(emit, inputs, outputs, { axes }) {
      emitReduce(emit, kind, inputs[0] as Tensor, outputs[0], axes);
    },
    backward: (g) => [reduceBackward(g, kind)],
  });
});

/** argMax and argMin. */
export const argReduceOps = (['max', 'min'] as const).map((kind) => {
  const name = kind === 'max' ? 'argMax' : 'argMin';
  return defineOp({
    name,
    infer(inputs, { axis, keepDims }) {
      const x = required(name, inputs, 0, 'x');
      expectNumbers(name, x, false);
      const at = normalizeAxis(name, axis, x.shape.length);
      if (x.shape[at] === 0)
        throw new ConvletError('shape', `${name}: axis ${at} of x is empty, there is no ${kind}imum`);
      return [{ dtype: 'int64', shape: reducedShape(x.shape, [at], keepDims) }];
    },
    layouts: ([x], { axis, keepDims }) =>
      reduceLayouts(x as Placed, [normalizeAxis(name, axis, (x as Placed).shape.length)], keepDims),
    forward(emit, inputs, outputs, { axis, selectLast }) {
      const x = inputs[0] as Tensor;
      emit.call('argReduce', inputs, outputs, {
        ...aroundAxis(x, normalizeAxis(name, axis, x.rank)),
        kind,
        selectLast,
      });
    },
  });
});
