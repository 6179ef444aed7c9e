import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';

export const softmaxGrad: JsPrim<'softmaxGrad'> = (inputs, outputs, { outer, length, inner, log }) => {
  const [y, gy] = inputs.map((t) => (t as Tensor).array);
  const gx = outputs[0].array;
  const sum = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    const begin = o * length * inner;
    const end = begin + length * inner;
    sum.fill(0);
    for (let at = begin; at < end; at += inner) {
      for (let i = 0; i < inner; i++) sum[i] += log ? gy[at + i] : gy[at + i] * y[at + i];
    }
    for (let at = begin; at < end; at += inner) {
      for (let i = 0; i < inner; i++) {
        gx[at + i] = log ? gy[at + i] - Math.exp(y[at + i]) * sum[i] : y[at + i] * (gy[at + i] - sum[i]);
      }
    }
  }
};
