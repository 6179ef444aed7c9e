import type { TypedArray } from '../../../common/dtype.ts';
import type { JsPrim } from '../../backend.ts';
import type { AdaptivePoolAttrs, PoolAttrs } from '../../prims/pool.ts';
import type { Triple } from '../../prims/window.ts';
import { type AxisTaps, axisTaps, forEachPixel } from '../conv/correlate.ts';

export type Axes = readonly [AxisTaps, AxisTaps, AxisTaps];

/** The attributes that forEachPixel needs. */
export interface Geometry {
  readonly batch: number;
  readonly channels: number;
  readonly outChannels: number;
  readonly input: Triple;
  readonly output: Triple;
  readonly kernel: Triple;
}

export const pool: JsPrim<'pool'> = (inputs, outputs, attrs) => {
  const x = inputs[0]!.array;
  const y = outputs[0].array;
  const { geometry, axes } = poolWindows(attrs);
  if (attrs.kind === 'max') maxPool(x, y, outputs[1]?.array ?? null, geometry, axes);
  else if (attrs.kind === 'lp') lpPool(x, y, attrs.p, geometry, axes);
  else averagePool(x, y, divisors(attrs, axes), geometry, axes);
};

export const adaptivePool: JsPrim<'adaptivePool'> = (inputs, outputs, attrs) => {
  const x = inputs[0]!.array;
  const y = outputs[0].array;
  const { geometry, axes } = adaptiveWindows(attrs);
  if (attrs.kind === 'max') maxPool(x, y, outputs[1]?.array ?? null, geometry, axes);
  else averagePool(x, y, cellCounts(axes), geometry, axes);
};

export function poolWindows(attrs: PoolAttrs): { geometry: Geometry; axes: Axes } {
  const geometry = { ...attrs, outChannels: attrs.channels };
  return { geometry, axes: [windowTaps(attrs, 0), windowTaps(attrs, 1), windowTaps(attrs, 2)] };
}

export function adaptiveWindows(attrs: AdaptivePoolAttrs): { geometry: Geometry; axes: Axes } {
  const { input, output, channels } = attrs;
  const begin = (axis: number, o: number): number => Math.floor((o * input[axis]) / output[axis]);
  const end = (axis: number, o: number): number => Math.ceil(((o + 1) * input[axis]) / output[axis]);
  const largest = (axis: number): number => {
    let most = 0;
    for (let o = 0; o < output[axis]; o++) most = Math.max(most, end(axis, o) - begin(axis, o));
    return most;
  };
  const kernel: Triple = [largest(0), largest(1), largest(2)];
  const taps = (axis: number): AxisTaps =>
    axisTaps(output[axis], kernel[axis], (o, k) => {
      const at = begin(axis, o) + k;
      return at < end(axis, o) ? at : -1;
    });
  return { geometry: { ...attrs, kernel, outChannels: channels }, axes: [taps(0), taps(1), taps(2)] };
}

/** Visits only the taps that are inside the input: windows may be far larger. */
function windowTaps({ input, output, kernel, stride, dilation, padBegin }: PoolAttrs, axis: number): AxisTaps {
  const [step, size] = [dilation[axis], input[axis]];
  const start = new Int32Array(output[axis] + 1);
  const tap: number[] = [];
  const from: number[] = [];
  for (let o = 0; o < output[axis]; o++) {
    const first = o * stride[axis] - padBegin[axis];
    const end = Math.min(kernel[axis], Math.ceil((size - first) / step));
    for (let k = Math.max(0, Math.ceil(-first / step)); k < end; k++) {
      tap.push(k);
      from.push(first + k * step);
    }
    start[o + 1] = tap.length;
  }
  return { start, tap: Int32Array.from(tap), input: Int32Array.from(from) };
}

/** Cells of the input in the window of each output. */
export function cellCounts([depth, height, width]: Axes): Float64Array {
  const counts = (axis: AxisTaps): number[] => Array.from(axis.start.subarray(1), (end, o) => end - axis.start[o]);
  return products(counts(depth), counts(height), counts(width));
}

/** The divisor of each output's sum. */
export function divisors(attrs: PoolAttrs, axes: Axes): Float64Array {
  const { input, output, kernel, stride, dilation, padBegin, padEnd } = attrs;
  if (attrs.divisor !== 0) return new Float64Array(output[0] * output[1] * output[2]).fill(attrs.divisor);
  if (!attrs.countPad) return cellCounts(axes);
  // The padding after the input has an end: the last window of ceil mode may extend beyond it.
  const padded = (axis: number): number[] =>
    Array.from({ length: output[axis] }, (_, o) => {
      const room = input[axis] + padEnd[axis] + padBegin[axis] - o * stride[axis];
      return Math.min(kernel[axis], Math.max(0, Math.ceil(room / dilation[axis])));
    });
  return products(padded(0), padded(1), padded(2));
}

function products(depth: number[], height: number[], width: number[]): Float64Array {
  return Float64Array.from(depth.flatMap((d) => height.flatMap((h) => width.map((w) => d * h * w))));
}

function averagePool(x: TypedArray, y: TypedArray, divisor: Float64Array, geometry: Geometry, axes: Axes): void {
  const { channels } = geometry;
  const sums = new Float64Array(channels);
  let pixel = 0;
  forEachPixel(geometry, axes, (base, count, from) => {
    sums.fill(0);
    for (let t = 0; t < count; t++) addTo(sums, x, from[t]);
    const cells = divisor[pixel++ % divisor.length];
    for (let c = 0; c < channels; c++) y[base + c] = count === 0 ? 0 : sums[c] / cells;
  });
}

function addTo(sums: Float64Array, x: TypedArray, at: number): void {
  for (let c = 0; c < sums.length; c++) sums[c] += x[at + c];
}

function lpPool(x: TypedArray, y: TypedArray, p: number, geometry: Geometry, axes: Axes): void {
  const { channels } = geometry;
  const sums = new Float64Array(channels);
  forEachPixel(geometry, axes, (base, count, from) => {
    sums.fill(0);
    for (let t = 0; t < count; t++) addPowersTo(sums, x, from[t], p);
    for (let c = 0; c < channels; c++) y[base + c] = p === 2 ? Math.sqrt(sums[c]) : sums[c] ** (1 / p);
  });
}

function addPowersTo(sums: Float64Array, x: TypedArray, at: number, p: number): void {
  if (p === 2) for (let c = 0; c < sums.length; c++) sums[c] += x[at + c] * x[at + c];
  else for (let c = 0; c < sums.length; c++) sums[c] += Math.abs(x[at + c]) ** p;
}

/** The first of equal maxima counts; NaN wins over any number, as in PyTorch. A window without cells gives −∞, index 0. */
function maxPool(x: TypedArray, y: TypedArray, indices: TypedArray | null, geometry: Geometry, axes: Axes): void {
  const { channels, input, output } = geometry;
  const plane = input[0] * input[1] * input[2];
  const imageOut = output[0] * output[1] * output[2] * channels;
  forEachPixel(geometry, axes, (base, count, from) => {
    const first = from[0];
    for (let c = 0; c < channels; c++) y[base + c] = count === 0 ? Number.NEGATIVE_INFINITY : x[first + c];
    if (indices === null) {
      for (let t = 1; t < count; t++) maxInto(y, base, x, from[t], channels);
      return;
    }
    const image = Math.floor(base / imageOut) * plane;
    indices.fill(count === 0 ? 0 : first / channels - image, base, base + channels);
    for (let t = 1; t < count; t++) maxIndexInto(y, indices, base, x, from[t], from[t] / channels - image, channels);
  });
}

function maxInto(y: TypedArray, base: number, x: TypedArray, at: number, channels: number): void {
  for (let c = 0; c < channels; c++) {
    const value = x[at + c];
    if (value > y[base + c] || Number.isNaN(value)) y[base + c] = value;
  }
}

function maxIndexInto(
  y: TypedArray,
  indices: TypedArray,
  base: number,
  x: TypedArray,
  at: number,
  index: number,
  channels: number,
): void {
  for (let c = 0; c < channels; c++) {
    const value = x[at + c];
    if (value > y[base + c] || Number.isNaN(value)) {
      y[base + c] = value;
      indices[base + c] = index;
    }
  }
}
