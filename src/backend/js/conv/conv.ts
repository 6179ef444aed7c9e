import type { JsPrim } from '../../backend.ts';
import type { WindowAttrs } from '../../prims/window.ts';
import { activate } from '../elementwise/activation.ts';
import {
  type AxisTaps,
  arraysOf,
  axisTaps,
  correlate,
  correlateDepthwise,
  likeArray,
  WeightForms,
} from './correlate.ts';

const forms = new WeightForms();

export const conv: JsPrim<'conv'> = (inputs, outputs, attrs) => {
  const [x, weight, bias, residual] = inputs;
  const { channels, outChannels, groups, kernel } = attrs;
  const taps = kernel[0] * kernel[1] * kernel[2];
  const perGroup = channels / groups;
  const depthwise = channels === groups && outChannels === groups;
  // Depthwise weights [c, 1, tap] already have the needed order.
  const packed = depthwise
    ? (weight!.array as Float32Array)
    : forms.get(weight!, `${perGroup},${taps}`, (w) => channelsLast(w, perGroup, taps));
  const run = depthwise ? correlateDepthwise : correlate;
  run(arraysOf(x!, packed, bias, residual, outputs[0]), attrs, [tapsOf(attrs, 0), tapsOf(attrs, 1), tapsOf(attrs, 2)]);
  activate(outputs[0], attrs.activation);
};

/** Which taps of a convolution are inside the input, for each output of an axis. */
export function tapsOf({ input, output, kernel, stride, dilation, padBegin }: WindowAttrs, axis: number): AxisTaps {
  return axisTaps(output[axis], kernel[axis], (o, k) => {
    const at = o * stride[axis] + k * dilation[axis] - padBegin[axis];
    return at < input[axis] ? at : -1;
  });
}

/** [o, c, tap] → [o, tap, c]. */
function channelsLast(weight: Float32Array, perGroup: number, taps: number): Float32Array {
  const out = likeArray(weight, weight.length);
  for (let row = 0; row < weight.length; row += perGroup * taps) {
    for (let c = 0; c < perGroup; c++) {
      for (let t = 0; t < taps; t++) out[row + t * perGroup + c] = weight[row + c * taps + t];
    }
  }
  return out;
}
