import type { TypedArray } from '../../../common/dtype.ts';
import type { JsPrim } from '../../backend.ts';
import { forEachPixel } from '../conv/correlate.ts';
import { type Axes, adaptiveWindows, cellCounts, divisors, type Geometry, poolWindows } from './pool.ts';

export const poolGrad: JsPrim<'poolGrad'> = (inputs, outputs, attrs) => {
  const gy = inputs[1]!.array;
  const { geometry, axes } = poolWindows(attrs);
  const sums = new Float64Array(outputs[0].size);
  if (attrs.kind === 'average') averageGrad(gy, sums, divisors(attrs, axes), geometry, axes);
  else if (attrs.kind === 'max') maxGrad(inputs[0]!.array, gy, sums, geometry, axes);
  else lpGrad(inputs[0]!.array, gy, sums, attrs.p, geometry, axes);
  outputs[0].array.set(sums);
};

export const adaptivePoolGrad: JsPrim<'adaptivePoolGrad'> = (inputs, outputs, attrs) => {
  const gy = inputs[1]!.array;
  const { geometry, axes } = adaptiveWindows(attrs);
  const sums = new Float64Array(outputs[0].size);
  if (attrs.kind === 'average') averageGrad(gy, sums, cellCounts(axes), geometry, axes);
  else maxGrad(inputs[0]!.array, gy, sums, geometry, axes);
  outputs[0].array.set(sums);
};

function averageGrad(gy: TypedArray, sums: Float64Array, divisor: Float64Array, geometry: Geometry, axes: Axes): void {
  const { channels } = geometry;
  let pixel = 0;
  forEachPixel(geometry, axes, (base, count, from) => {
    const cells = divisor[pixel++ % divisor.length];
    for (let t = 0; t < count; t++) {
      for (let c = 0; c < channels; c++) sums[from[t] + c] += gy[base + c] / cells;
    }
  });
}

/** Searches the place of the maximum again: keeping the places would need as much memory as y. */
function maxGrad(x: TypedArray, gy: TypedArray, sums: Float64Array, geometry: Geometry, axes: Axes): void {
  const { channels } = geometry;
  forEachPixel(geometry, axes, (base, count, from) => {
    if (count === 0) return;
    for (let c = 0; c < channels; c++) {
      let place = from[0] + c;
      for (let t = 1; t < count; t++) {
        const value = x[from[t] + c];
        if (value > x[place] || Number.isNaN(value)) place = from[t] + c;
      }
      sums[place] += gy[base + c];
    }
  });
}

function lpGrad(x: TypedArray, gy: TypedArray, sums: Float64Array, p: number, geometry: Geometry, axes: Axes): void {
  const { channels } = geometry;
  forEachPixel(geometry, axes, (base, count, from) => {
    for (let c = 0; c < channels; c++) {
      let power = 0;
      for (let t = 0; t < count; t++) power += Math.abs(x[from[t] + c]) ** p;
      if (power === 0) continue;
      const factor = gy[base + c] * power ** ((1 - p) / p);
      for (let t = 0; t < count; t++) {
        const value = x[from[t] + c];
        if (value !== 0) sums[from[t] + c] += factor * Math.sign(value) * Math.abs(value) ** (p - 1);
      }
    }
  });
}
