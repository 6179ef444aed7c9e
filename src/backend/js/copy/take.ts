import { ConvletError } from '../../../common/error.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';

export const take: JsPrim<'take'> = (inputs, outputs, { outer, length, inner, count }) => {
  const [x, index] = (inputs as Tensor[]).map((t) => t.array);
  const y = outputs[0].array;
  for (let j = 0; j < count; j++) {
    const i = index[j];
    if (i < -length || i >= length) {
      throw new ConvletError(
        'index-range',
        `gather: index ${i} at position ${j} lies outside ${-length}…${length - 1}`,
      );
    }
  }
  let at = 0;
  for (let o = 0; o < outer; o++) {
    const plane = o * length * inner;
    for (let j = 0; j < count; j++) {
      const from = plane + (index[j] < 0 ? index[j] + length : index[j]) * inner;
      if (inner < 64) for (let i = 0; i < inner; i++) y[at + i] = x[from + i];
      else y.set(x.subarray(from, from + inner), at);
      at += inner;
    }
  }
};
