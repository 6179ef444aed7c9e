// Channels-last tensors that are some channels of wider ones, so that there are gaps between their pixels (`Pitch` of backend.ts).
import type { Tensor } from '../tensor/tensor.ts';

export const channelsOf = (tensor: Tensor): number => tensor.shape[1];

/** The strides of a copy from or to a tensor of `channels` channels whose pixels are `pitch` apart; null if strides cannot express it. */
export function pitchedStrides(
  dims: readonly number[],
  strides: readonly number[],
  offset: number,
  channels: number,
  pitch: number,
): { strides: number[]; offset: number } | null {
  const pixels = Math.floor(offset / channels);
  const channel = offset - pixels * channels;
  let [low, high] = [channel, channel];
  const out: number[] = [];
  for (let i = 0; i < dims.length; i++) {
    const stride = strides[i];
    if (dims[i] === 1 || stride === 0) out.push(stride);
    else if (stride % channels === 0) out.push((stride / channels) * pitch);
    else {
      const reach = (dims[i] - 1) * stride;
      low += Math.min(reach, 0);
      high += Math.max(reach, 0);
      out.push(stride);
    }
  }
  // A loop over the channels of several pixels would need two strides.
  return low < 0 || high >= channels ? null : { strides: out, offset: pixels * pitch + channel };
}
