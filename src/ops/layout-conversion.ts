import { BorrowedStorage } from '../memory/storage.ts';
import { type Layout, sameMemory } from '../tensor/layout.ts';
import { Tensor } from '../tensor/tensor.ts';
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

const convertedConstants = new WeakMap<object, Tensor>();

/** A constant in another layout, computed on the host once per constant, however many plans ask. */
export function constantToLayout(tensor: Tensor, layout: Layout): Tensor {
  if (sameMemory(tensor.shape, tensor.layout, layout)) return tensor.as(tensor.shape, layout);
  let out = convertedConstants.get(tensor);
  if (out === undefined) {
    const array = tensor.data; // row-major
    out = new Tensor(tensor.dtype, tensor.shape, 'row', new BorrowedStorage(array), true);
    if (layout === 'channelsLast') {
      const [n, channels] = tensor.shape;
      const inner = tensor.size / (n * channels);
      const target = array.slice();
      for (let i = 0, at = 0; i < n; i++) {
        for (let p = 0; p < inner; p++) {
          for (let c = 0; c < channels; c++) target[at++] = array[(i * channels + c) * inner + p];
        }
      }
      out = new Tensor(tensor.dtype, tensor.shape, layout, new BorrowedStorage(target), true);
    }
    convertedConstants.set(tensor, out);
  }
  return out;
}
