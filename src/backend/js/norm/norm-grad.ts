import type { JsPrim } from '../../backend.ts';
import { doubles, meanSquares, means, momentsOf } from './norm.ts';

export const batchNormGrad: JsPrim<'batchNormGrad'> = (inputs, outputs, { rows, channels, epsilon }) => {
  const [data, weight, grad, fixedMean, fixedVariance] = inputs;
  const x = data!.array;
  const gy = grad!.array;
  const [gx, gweight, gbias] = outputs.map((t) => t.array);
  const own = fixedMean === null;
  const { mean, variance } = own
    ? momentsOf(x, rows, channels)
    : { mean: doubles(fixedMean, channels, 0), variance: doubles(fixedVariance, channels, 1) };
  const inverse = variance.map((v) => 1 / Math.sqrt(v + epsilon));
  const scale = doubles(weight, channels, 1);
  const sum = new Float64Array(channels);
  const dot = new Float64Array(channels);
  for (let r = 0, at = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++, at++) {
      sum[c] += gy[at];
      dot[c] += gy[at] * (x[at] - mean[c]) * inverse[c];
    }
  }
  gweight.set(dot);
  gbias.set(sum);
  for (let r = 0, at = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++, at++) {
      const through = own ? (sum[c] + (x[at] - mean[c]) * inverse[c] * dot[c]) / rows : 0;
      gx[at] = scale[c] * inverse[c] * (gy[at] - through);
    }
  }
};

export const normalizeGrad: JsPrim<'normalizeGrad'> = (inputs, outputs, attrs) => {
  const [data, weight, grad] = inputs;
  const { outer, spatial, groups, size, epsilon, subtractMean } = attrs;
  const channels = groups * size;
  const count = spatial * size;
  const x = data!.array;
  const gy = grad!.array;
  const [gx, gweight, gbias] = outputs.map((t) => t.array);
  const scale = doubles(weight, channels, 1);
  const mean = new Float64Array(groups);
  const inverse = new Float64Array(groups);
  const sum = new Float64Array(channels);
  const dot = new Float64Array(channels);
  for (let o = 0; o < outer; o++) {
    const begin = o * spatial * channels;
    if (subtractMean) means(x, begin, attrs, mean);
    meanSquares(x, begin, attrs, mean, inverse);
    const first = new Float64Array(groups);
    const second = new Float64Array(groups);
    for (let g = 0; g < groups; g++) inverse[g] = 1 / Math.sqrt(inverse[g] + epsilon);
    for (let s = 0, at = begin; s < spatial; s++) {
      for (let c = 0; c < channels; c++, at++) {
        const g = Math.floor(c / size);
        const normal = (x[at] - mean[g]) * inverse[g];
        sum[c] += gy[at];
        dot[c] += gy[at] * normal;
        first[g] += gy[at] * scale[c];
        second[g] += gy[at] * scale[c] * normal;
      }
    }
    for (let s = 0, at = begin; s < spatial; s++) {
      for (let c = 0; c < channels; c++, at++) {
        const g = Math.floor(c / size);
        const normal = (x[at] - mean[g]) * inverse[g];
        const through = ((subtractMean ? first[g] : 0) + normal * second[g]) / count;
        gx[at] = inverse[g] * (gy[at] * scale[c] - through);
      }
    }
  }
  gweight.set(dot);
  gbias.set(sum);
};

export const lrnGrad: JsPrim<'lrnGrad'> = (inputs, outputs, { outer, channels, size, alpha, beta, bias }) => {
  const x = inputs[0]!.array;
  const gy = inputs[1]!.array;
  const gx = outputs[0].array;
  const before = Math.floor((size - 1) / 2);
  const after = Math.ceil((size - 1) / 2);
  const scaled = new Float64Array(channels);
  const spread = new Float64Array(channels);
  for (let o = 0; o < outer; o++) {
    const row = o * channels;
    for (let c = 0; c < channels; c++) {
      const end = Math.min(channels - 1, c + after);
      let sum = 0;
      for (let i = Math.max(0, c - before); i <= end; i++) sum += x[row + i] * x[row + i];
      const s = bias + (alpha / size) * sum;
      scaled[c] = gy[row + c] * s ** -beta;
      spread[c] = (scaled[c] * x[row + c]) / s;
    }
    // Channel c is in the windows of c − after … c + before.
    for (let c = 0; c < channels; c++) {
      const end = Math.min(channels - 1, c + before);
      let sum = 0;
      for (let j = Math.max(0, c - after); j <= end; j++) sum += spread[j];
      gx[row + c] = scaled[c] - ((2 * alpha * beta) / size) * x[row + c] * sum;
    }
  }
};
