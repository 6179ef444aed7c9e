import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';
import { coalesce, forEachRow } from '../../strided.ts';

export const copy: JsPrim<'copy'> = (inputs, outputs, attrs) => {
  const x = (inputs[0] as Tensor).array;
  const y = outputs[0].array;
  // Any order of the axes gives the same result. The output's memory order writes forwards and merges the most axes.
  const order = attrs.dims.map((_, axis) => axis);
  order.sort((p, q) => Math.abs(attrs.outputStrides[q]) - Math.abs(attrs.outputStrides[p]) || p - q);
  const pick = (of: readonly number[]): number[] => order.map((axis) => of[axis]);
  const rows = coalesce(pick(attrs.dims), [pick(attrs.inputStrides), pick(attrs.outputStrides)]);
  const length = rows.dims[rows.dims.length - 1];
  const [xStep, yStep] = rows.strides.map((s) => s[s.length - 1]);
  // A call of a typed array's `set` costs as much as copying about a hundred elements.
  const whole = xStep === 1 && yStep === 1 && length >= 64;
  forEachRow(rows, [attrs.inputOffset, attrs.outputOffset], ([xAt, yAt]) => {
    if (whole) y.set(x.subarray(xAt, xAt + length), yAt);
    else for (let i = 0; i < length; i++) y[yAt + i * yStep] = x[xAt + i * xStep];
  });
};

export const fill: JsPrim<'fill'> = (_, outputs, attrs) => {
  outputs[0].array.fill(attrs.value, 0, attrs.length);
};
