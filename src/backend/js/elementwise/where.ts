import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';
import { forEachOutputRow } from '../../strided.ts';

export const where: JsPrim<'where'> = (inputs, outputs, { dims, conditionStrides, aStrides, bStrides }) => {
  const [condition, a, b] = inputs.map((t) => (t as Tensor).array);
  const y = outputs[0].array;
  const strides = [conditionStrides, aStrides, bStrides];
  forEachOutputRow(dims, strides, (at, length, [cAt, aAt, bAt], [cStep, aStep, bStep]) => {
    for (let i = 0; i < length; i++) {
      y[at + i] = condition[cAt + i * cStep] !== 0 ? a[aAt + i * aStep] : b[bAt + i * bStep];
    }
  });
};
