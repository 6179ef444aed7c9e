import type { JsPrim } from '../../backend.ts';
import { tapsOf } from './conv.ts';
import { forEachPixel } from './correlate.ts';

/** Sums are in double precision, as in all of plain JS: a sum has a term for each pixel of the batch. */
export const convWeightGrad: JsPrim<'convWeightGrad'> = (inputs, outputs, attrs) => {
  const { channels, outChannels, groups, kernel } = attrs;
  const taps = kernel[0] * kernel[1] * kernel[2];
  const perGroup = channels / groups;
  const outPerGroup = outChannels / groups;
  const x = inputs[0]!.array as Float32Array;
  const gy = inputs[1]!.array as Float32Array;
  const sums = new Float64Array(outChannels * taps * perGroup);
  forEachPixel(attrs, [tapsOf(attrs, 0), tapsOf(attrs, 1), tapsOf(attrs, 2)], (base, count, from, tap) => {
    for (let o = 0; o < outChannels; o++) {
      const first = Math.floor(o / outPerGroup) * perGroup;
      addPixel({ sums, row: o * taps * perGroup, perGroup }, gy[base + o], x, first, { count, from, tap });
    }
  });
  // [o, tap, c] → [o, c, tap].
  const gw = outputs[0].array;
  let at = 0;
  for (let o = 0; o < outChannels; o++) {
    for (let c = 0; c < perGroup; c++) {
      for (let t = 0; t < taps; t++) gw[at++] = sums[(o * taps + t) * perGroup + c];
    }
  }
};

/** Adds the part of one output element to the gradient of the weights of its output channel. */
function addPixel(
  to: { readonly sums: Float64Array; readonly row: number; readonly perGroup: number },
  grad: number,
  x: Float32Array,
  first: number,
  cells: { readonly count: number; readonly from: Int32Array; readonly tap: Int32Array },
): void {
  const { sums, row, perGroup } = to;
  const { count, from, tap } = cells;
  for (let t = 0; t < count; t++) {
    const at = from[t] + first;
    const target = row + tap[t] * perGroup;
    for (let c = 0; c < perGroup; c++) sums[target + c] += x[at + c] * grad;
  }
}
