import type { TypedArray } from '../../../common/dtype.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';
import { activate } from '../elementwise/activation.ts';

/** How the elements of an image belong to groups; see NormalizeAttrs. */
interface Grouping {
  readonly spatial: number;
  readonly groups: number;
  readonly size: number;
}

/** A parameter of [length] in double precision; all elements are `missing` if there is no parameter. */
export const doubles = (tensor: Tensor | null, length: number, missing: number): Float64Array =>
  tensor === null ? new Float64Array(length).fill(missing) : Float64Array.from(tensor.array.subarray(0, length));

export const batchNorm: JsPrim<'batchNorm'> = (inputs, outputs, attrs) => {
  const [data, weight, bias, mean, variance] = inputs;
  const { outer, channels, inner, epsilon } = attrs;
  const x = data!.array;
  const y = outputs[0].array;
  const scale = doubles(weight, channels, 1);
  const shift = doubles(bias, channels, 0);
  const centre = doubles(mean, channels, 0);
  for (let c = 0; c < channels; c++) scale[c] /= Math.sqrt(variance!.array[c] + epsilon);
  for (let o = 0, at = 0; o < outer; o++) {
    if (inner === 1) {
      for (let c = 0; c < channels; c++, at++) y[at] = (x[at] - centre[c]) * scale[c] + shift[c];
      continue;
    }
    for (let c = 0; c < channels; c++) {
      const [from, factor, offset] = [centre[c], scale[c], shift[c]];
      for (const end = at + inner; at < end; at++) y[at] = (x[at] - from) * factor + offset;
    }
  }
  activate(outputs[0], attrs.activation);
};

/** Mean and biased variance of each column of x [rows, channels]. */
export function momentsOf(
  x: TypedArray,
  rows: number,
  channels: number,
): { mean: Float64Array; variance: Float64Array } {
  const sizes = { spatial: rows, groups: channels, size: 1 };
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  means(x, 0, sizes, mean);
  meanSquares(x, 0, sizes, mean, variance);
  return { mean, variance };
}

export const batchNormTraining: JsPrim<'batchNormTraining'> = (inputs, outputs, attrs) => {
  const [data, weight, bias, oldMean, oldVariance] = inputs;
  const { rows, channels, epsilon, momentum, correction } = attrs;
  const x = data!.array;
  const [y, newMean, newVariance] = outputs.map((t) => t.array);
  const { mean, variance } = momentsOf(x, rows, channels);
  const scale = doubles(weight, channels, 1);
  const shift = doubles(bias, channels, 0);
  for (let c = 0; c < channels; c++) scale[c] /= Math.sqrt(variance[c] + epsilon);
  for (let r = 0, at = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++, at++) y[at] = (x[at] - mean[c]) * scale[c] + shift[c];
  }
  for (let c = 0; c < channels; c++) {
    newMean[c] = oldMean!.array[c] * momentum + mean[c] * (1 - momentum);
    newVariance[c] = oldVariance!.array[c] * momentum + variance[c] * correction * (1 - momentum);
  }
};

export const normalize: JsPrim<'normalize'> = (inputs, outputs, attrs) => {
  const [data, weight, bias] = inputs;
  const { outer, spatial, groups, size, epsilon, subtractMean } = attrs;
  const channels = groups * size;
  const x = data!.array;
  const y = outputs[0].array;
  const scale = doubles(weight, channels, 1);
  const shift = doubles(bias, channels, 0);
  const mean = new Float64Array(groups);
  const inverse = new Float64Array(groups);
  for (let o = 0; o < outer; o++) {
    const begin = o * spatial * channels;
    if (subtractMean) means(x, begin, attrs, mean);
    meanSquares(x, begin, attrs, mean, inverse);
    for (let g = 0; g < groups; g++) inverse[g] = 1 / Math.sqrt(inverse[g] + epsilon);
    for (let s = 0, at = begin; s < spatial; s++) {
      for (let g = 0, c = 0; g < groups; g++) {
        const [centre, factor] = [mean[g], inverse[g]];
        for (let i = 0; i < size; i++, c++, at++) y[at] = (x[at] - centre) * factor * scale[c] + shift[c];
      }
    }
  }
  activate(outputs[0], attrs.activation);
};

/** Mean of every group of the image that starts at `at`. */
export function means(x: TypedArray, at: number, { spatial, groups, size }: Grouping, mean: Float64Array): void {
  mean.fill(0);
  for (let s = 0; s < spatial; s++) {
    for (let g = 0; g < groups; g++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += x[at++];
      mean[g] += sum;
    }
  }
  for (let g = 0; g < groups; g++) mean[g] /= spatial * size;
}

/** Mean of (x − mean)² of every group, in a second pass: the difference Σx² − n·mean² would cancel. */
export function meanSquares(
  x: TypedArray,
  at: number,
  { spatial, groups, size }: Grouping,
  mean: Float64Array,
  out: Float64Array,
): void {
  out.fill(0);
  for (let s = 0; s < spatial; s++) {
    for (let g = 0; g < groups; g++) {
      const centre = mean[g];
      let sum = 0;
      for (let i = 0; i < size; i++) {
        const d = x[at++] - centre;
        sum += d * d;
      }
      out[g] += sum;
    }
  }
  for (let g = 0; g < groups; g++) out[g] /= spatial * size;
}

export const lrn: JsPrim<'lrn'> = (inputs, outputs, { outer, channels, size, alpha, beta, bias }) => {
  const x = inputs[0]!.array;
  const y = outputs[0].array;
  const before = Math.floor((size - 1) / 2);
  const after = Math.ceil((size - 1) / 2);
  for (let o = 0; o < outer; o++) {
    const row = o * channels;
    for (let c = 0; c < channels; c++) {
      const end = Math.min(channels - 1, c + after);
      let sum = 0;
      for (let i = Math.max(0, c - before); i <= end; i++) sum += x[row + i] * x[row + i];
      y[row + c] = x[row + c] / (bias + (alpha / size) * sum) ** beta;
    }
  }
};
