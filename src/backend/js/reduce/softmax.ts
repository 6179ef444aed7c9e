import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';

/** All `inner` columns advance together along `length`, so that memory is read in order. */
export const softmax: JsPrim<'softmax'> = (inputs, outputs, { outer, length, inner, log }) => {
  const x = (inputs[0] as Tensor).array;
  const y = outputs[0].array;
  if (length === 0) return;
  const largest = new Float64Array(inner);
  const sum = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    const begin = o * length * inner;
    const end = begin + length * inner;
    largest.fill(-Infinity);
    sum.fill(0);
    for (let at = begin; at < end; at += inner) {
      for (let i = 0; i < inner; i++) largest[i] = Math.max(largest[i], x[at + i]);
    }
    for (let at = begin; at < end; at += inner) {
      for (let i = 0; i < inner; i++) {
        const exp = Math.exp(x[at + i] - largest[i]);
        sum[i] += exp;
        if (!log) y[at + i] = exp;
      }
    }
    for (let i = 0; i < inner; i++) sum[i] = log ? Math.log(sum[i]) : 1 / sum[i];
    for (let at = begin; at < end; at += inner) {
      for (let i = 0; i < inner; i++) {
        if (log) y[at + i] = x[at + i] - largest[i] - sum[i];
        else y[at + i] *= sum[i];
      }
    }
  }
};
