import { BorrowedStorage } from '../../memory/storage.ts';
import { type Layout, sameMemory } from '../../tensor/layout.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { Emitter } from './op.ts';

/** `tensor` in another layout: an alias if the bytes are the same, else a copy. */
export function toLayout(emit: Emitter, tensor: Tensor, layout: Layout): Tensor {
  if (tensor.layout === layout) return tensor;
  if (sameMemory(tensor.shape, tensor.layout, layout)) return emit.alias(tensor, tensor.shape, layout);
  const out = emit.temp(tensor.dtype, tensor.shape, layout);
  emitRelayout(emit, tensor, out);
  return out;
}

/** Copies a tensor into another of the same shape; both may have any layout. */
export function emitRelayout(emit: Emitter, from: Tensor, to: Tensor): void {
  emit.call('copy', [from], [to], {
    dims: from.shape,
    inputOffset: 0,
    inputStrides: from.strides,
    outputOffset: 0,
    outputStrides: to.strides,
  });
}

const convertedConstants = new WeakMap<object, Tensor>();

/** A constant in another layout, computed on the host once per constant for all plans. */
export function constantToLayout(tensor: Tensor, layout: Layout): Tensor {
  if (sameMemory(tensor.shape, tensor.layout, layout)) return tensor.as(tensor.shape, layout);
  let out = convertedConstants.get(tensor);
  if (out === undefined) {
    out = new Tensor(tensor.dtype, tensor.shape, layout, new BorrowedStorage(tensor.dataIn(layout)), true);
    convertedConstants.set(tensor, out);
  }
  return out;
}
