import { type Layout, sameMemory } from '../tensor/layout.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Emitter } from './op.ts';

/** `tensor` in another layout: itself where the bytes are the same, else a copy. */
export function toLayout(emit: Emitter, tensor: Tensor, layout: Layout): Tensor {
  if (tensor.layout === layout) return tensor;
  if (sameMemory(tensor.shape, tensor.layout, layout)) return emit.alias(tensor, tensor.shape, layout);
  const out = emit.temp(tensor.dtype, tensor.shape, layout);
  emitRelayout(emit, tensor, out);
  return out;
}

/** Copies a tensor into another of the same shape, whatever their layouts. */
export function emitRelayout(emit: Emitter, from: Tensor, to: Tensor): void {
  emit.call('copy', [from], [to], {
    dims: from.shape,
    inputOffset: 0,
    inputStrides: from.strides,
    outputOffset: 0,
    outputStrides: to.strides,
  });
}
