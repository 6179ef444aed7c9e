import type { JsPrim } from '../../backend.ts';
import type { ConvTransposeAttrs } from '../../prims/conv.ts';
import { activate } from '../elementwise/activation.ts';
import { type AxisTaps, arraysOf, axisTaps, correlate, likeArray, WeightForms } from './correlate.ts';

const forms = new WeightForms();

/** Computed per output cell: it gathers the input cells whose patches cover it, which is a correlation like conv. */
export const convTranspose: JsPrim<'convTranspose'> = (inputs, outputs, attrs) => {
  const [x, weight, bias] = inputs;
  const { channels, outChannels, groups, kernel } = attrs;
  const taps = kernel[0] * kernel[1] * kernel[2];
  const packed = forms.get(weight!, `${channels},${outChannels},${groups},${taps}`, (w) =>
    outChannelsFirst(w, channels / groups, outChannels / groups, groups, taps),
  );
  const axes = [tapsOf(attrs, 0), tapsOf(attrs, 1), tapsOf(attrs, 2)] as const;
  correlate(arraysOf(x!, packed, bias, null, outputs[0]), attrs, axes);
  activate(outputs[0], attrs.activation);
};

function tapsOf({ input, output, kernel, stride, dilation, padBegin }: ConvTransposeAttrs, axis: number): AxisTaps {
  return axisTaps(output[axis], kernel[axis], (o, k) => {
    const scaled = o + padBegin[axis] - k * dilation[axis];
    if (scaled < 0 || scaled % stride[axis] !== 0) return -1;
    const at = scaled / stride[axis];
    return at < input[axis] ? at : -1;
  });
}

/** [group, c, o, tap] → [group, o, tap, c]. */
function outChannelsFirst(weight: Float32Array, ins: number, outs: number, groups: number, taps: number): Float32Array {
  const out = likeArray(weight, weight.length);
  let from = 0;
  for (let g = 0; g < groups; g++) {
    for (let c = 0; c < ins; c++) {
      for (let o = 0; o < outs; o++) {
        const row = (g * outs + o) * taps;
        for (let t = 0; t < taps; t++) out[(row + t) * ins + c] = weight[from++];
      }
    }
  }
  return out;
}
