import type { TypedArray } from '../../../common/dtype.ts';
import type { JsPrim } from '../../backend.ts';
import { resampleInputs } from '../../prims/interpolate.ts';

export const resample: JsPrim<'resample'> = (inputs, outputs, attrs) => {
  const { outer, input, output, inner, taps, extrapolation } = attrs;
  const x = inputs[0]!.array;
  const index = inputs[resampleInputs.index]!.array;
  const weight = inputs[resampleInputs.weight]!.array;
  const y = outputs[0].array;
  const sums = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    const image = o * input;
    for (let j = 0; j < output; j++) {
      const at = (o * output + j) * inner;
      const first = j * taps;
      if (taps === 1 && index[first] >= 0 && weight[first] === 1) {
        const from = (image + index[first]) * inner;
        for (let i = 0; i < inner; i++) y[at + i] = x[from + i];
        continue;
      }
      sums.fill(0);
      for (let t = first; t < first + taps; t++) {
        const w = weight[t];
        if (w === 0) continue;
        if (index[t] < 0) for (let i = 0; i < inner; i++) sums[i] += w * extrapolation;
        else addScaled(sums, x, (image + index[t]) * inner, w);
      }
      y.set(sums, at);
    }
  }
};

function addScaled(sums: Float64Array, x: TypedArray, from: number, weight: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] += weight * x[from + i];
}
