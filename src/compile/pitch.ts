// Which prims can read or write a tensor whose pixels lie further apart than its channels take (`Pitch` of src/backend/backend.ts).
import type { PrimCall } from '../backend/backend.ts';
import type { CopyAttrs } from '../backend/prims/copy.ts';
import type { PrimName } from '../backend/prims/index.ts';
import type { Triple } from '../backend/prims/window.ts';
import type { Tensor } from '../tensor/tensor.ts';

export const channelsOf = (tensor: Tensor): number => tensor.shape[1];

/** The strides of a copy from or to a tensor of `channels` channels when its pixels lie `pitch` apart; null: it has none. */
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
  // A loop that walks over the channels of several pixels would need two strides.
  return low < 0 || high >= channels ? null : { strides: out, offset: pixels * pitch + channel };
}

type Rule = (call: PrimCall, tensor: Tensor) => boolean;

const always: Rule = () => true;
const attrsOf = <T>(call: PrimCall): T => call.attrs as unknown as T;
const channelsInnermost: Rule = (call) => attrsOf<{ inner: number }>(call).inner === 1;
/** Any pitch will do to find out. */
const copyReads: Rule = (call, tensor) => {
  const { dims, inputStrides, inputOffset } = attrsOf<CopyAttrs>(call);
  const channels = channelsOf(tensor);
  return pitchedStrides(dims, inputStrides, inputOffset, channels, channels + 1) !== null;
};
const copyWrites: Rule = (call, tensor) => {
  const { dims, outputStrides, outputOffset } = attrsOf<CopyAttrs>(call);
  const channels = channelsOf(tensor);
  return pitchedStrides(dims, outputStrides, outputOffset, channels, channels + 1) !== null;
};
/** A residual lies as the output does. */
const withoutResidual: Rule = (call) => call.inputs[3] == null;
/** Phases without taps are filled with zeros in one go. */
const everyPhaseHasTaps: Rule = (call, tensor) => {
  const { kernel, stride, dilation } = attrsOf<{ kernel: Triple; stride: Triple; dilation: Triple }>(call);
  return (
    withoutResidual(call, tensor) && kernel.every((k, i) => k >= stride[i] && (stride[i] === 1 || dilation[i] === 1))
  );
};

/** Prims whose first input may have a pitch. */
const pitchedInputs: { readonly [P in PrimName]?: Rule } = {
  conv: always,
  convTranspose: always,
  batchNorm: channelsInnermost,
  copy: copyReads,
};

/** Prims whose output may have a pitch. */
const pitchedOutputs: { readonly [P in PrimName]?: Rule } = {
  conv: withoutResidual,
  convTranspose: everyPhaseHasTaps,
  batchNorm: channelsInnermost,
  copy: copyWrites,
};

/** Whether `call` can read its first input, or write its output, as channels of a wider tensor. */
export const readsPitch: Rule = (call, tensor) => pitchedInputs[call.prim]?.(call, tensor) ?? false;
export const writesPitch: Rule = (call, tensor) =>
  call.outputs.length === 1 && (pitchedOutputs[call.prim]?.(call, tensor) ?? false);
