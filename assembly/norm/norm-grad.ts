// Gradients of the normalisations whose statistics belong to one image or row. Two steps: gx and the statistics, then the
// parameters' gradients from the statistics.
import { high, join, low, sumPairs } from '../common/doubles';
import { fma } from '../common/simd';
import { firstLanes, storeFirst } from '../common/tail';

/** x, gy and gx as [outer, spatial, groups, size]; weight [groups · size] or 0. */
@unmanaged
export class NormalizeGradDesc {
  x: usize;
  gy: usize;
  gx: usize;
  weight: usize;
  /** Mean and 1/√(variance + epsilon) of each channel: [outer][2][channels, whole vectors]; with `shared` one pair per outer index. */
  statistics: usize;
  statisticsBytes: u32;
  planeBytes: u32;
  shared: i32;
  spatial: i32;
  groups: i32;
  size: i32;
  subtractMean: i32;
  epsilon: f32;
  /** Groups per work unit (four channels count as one if size is 1), and the number of groups. */
  unit: i32;
  total: i32;
}

export function normalizeGrad(d: NormalizeGradDesc, begin: i32, end: i32): void {
  const last = min(end * d.unit, d.total);
  const perImage = d.size > 1 ? d.groups : (d.groups + 3) >> 2;
  const image = <usize>(d.spatial * d.groups) * <usize>d.size;
  for (let i = begin * d.unit; i < last; i++) {
    const o = i / perImage;
    const g = i - o * perImage;
    const channel = d.size > 1 ? g * d.size : g << 2;
    const n = d.size > 1 ? d.size : min(4, d.groups - channel);
    groupGrad(d, o, channel, n, (<usize>o * image + <usize>channel) << 2);
  }
}

/** The mean of sums over `count` elements: of all lanes, in every lane; if size is 1, each lane is a separate group. */
// @ts-ignore: decorator
@inline
function perElement(d: NormalizeGradDesc, lows: v128, highs: v128, count: f64): v128 {
  const by = f64x2.splat(count);
  if (d.size == 1) return join(f64x2.div(lows, by), f64x2.div(highs, by));
  return f32x4.splat(<f32>(sumPairs(lows, highs) / count));
}

/** Vectors that are added in single precision before the sum is added to doubles. */
// @ts-ignore: decorator
@inline const chain: i32 = 64;

// @ts-ignore: decorator
@inline
function meanOf(d: NormalizeGradDesc, at: usize, n: i32, stride: usize, count: f64): v128 {
  let x = d.x + at;
  let lows = f64x2.splat(0);
  let highs = lows;
  let part = f32x4.splat(0);
  let added = 0;
  for (let s = 0; s < d.spatial; s++, x += stride) {
    let p = x;
    for (let rest = n; rest > 0; ) {
      let left = min(rest, 4 * chain);
      rest -= left;
      added += (left + 3) >> 2;
      let other = f32x4.splat(0);
      for (; left >= 8; left -= 8, p += 32) {
        part = f32x4.add(part, v128.load(p));
        other = f32x4.add(other, v128.load(p, 16));
      }
      for (; left > 0; left -= 4, p += 16) part = f32x4.add(part, v128.and(v128.load(p), firstLanes(left)));
      part = f32x4.add(part, other);
      if (added < chain) continue;
      lows = f64x2.add(lows, low(part));
      highs = f64x2.add(highs, high(part));
      part = f32x4.splat(0);
      added = 0;
    }
  }
  return perElement(d, f64x2.add(lows, low(part)), f64x2.add(highs, high(part)), count);
}

/**
 * One group, or with size 1 four channels side by side: `n` elements at each position. Σ (x − mean) is the rounding error of the
 * mean, and corrects it.
 */
function groupGrad(d: NormalizeGradDesc, o: i32, channel: i32, n: i32, at: usize): void {
  const stride = <usize>(d.groups * d.size) << 2;
  const count = <f64>d.spatial * <f64>d.size;
  const weight = d.weight + (<usize>channel << 2);
  const weighted = d.weight != 0;
  const zero = f32x4.splat(0);
  let mean = d.subtractMean ? meanOf(d, at, n, stride, count) : zero;
  let squaresLow = zero, sumLow = zero, dotLow = zero, restLow = zero;
  let squaresHigh = zero, sumHigh = zero, dotHigh = zero, restHigh = zero;
  let squares = zero, sum = zero, dot = zero, apart = zero;
  let added = 0;
  let x = d.x + at;
  let gy = d.gy + at;
  for (let s = 0; s < d.spatial; s++, x += stride, gy += stride) {
    let i: usize = 0;
    for (let rest = n; rest > 0; ) {
      let left = min(rest, 4 * chain);
      rest -= left;
      added += (left + 3) >> 2;
      for (; left > 0; left -= 4, i += 16) {
        let u = f32x4.sub(v128.load(x + i), mean);
        let g = v128.load(gy + i);
        if (weighted) g = f32x4.mul(g, v128.load(weight + i));
        if (left < 4) {
          const mask = firstLanes(left);
          u = v128.and(u, mask);
          g = v128.and(g, mask);
        }
        squares = fma(u, u, squares);
        apart = f32x4.add(apart, u);
        sum = f32x4.add(sum, g);
        dot = fma(g, u, dot);
      }
      if (added < chain) continue;
      squaresLow = f64x2.add(squaresLow, low(squares));
      squaresHigh = f64x2.add(squaresHigh, high(squares));
      restLow = f64x2.add(restLow, low(apart));
      restHigh = f64x2.add(restHigh, high(apart));
      sumLow = f64x2.add(sumLow, low(sum));
      sumHigh = f64x2.add(sumHigh, high(sum));
      dotLow = f64x2.add(dotLow, low(dot));
      dotHigh = f64x2.add(dotHigh, high(dot));
      squares = sum = dot = apart = zero;
      added = 0;
    }
  }
  const off =
    d.subtractMean ? perElement(d, f64x2.add(restLow, low(apart)), f64x2.add(restHigh, high(apart)), count) : zero;
  const meanGrad = perElement(d, f64x2.add(sumLow, low(sum)), f64x2.add(sumHigh, high(sum)), count);
  let variance = perElement(d, f64x2.add(squaresLow, low(squares)), f64x2.add(squaresHigh, high(squares)), count);
  let meanDot = perElement(d, f64x2.add(dotLow, low(dot)), f64x2.add(dotHigh, high(dot)), count);
  mean = f32x4.add(mean, off);
  variance = f32x4.max(zero, f32x4.sub(variance, f32x4.mul(off, off)));
  meanDot = f32x4.sub(meanDot, f32x4.mul(off, meanGrad));
  const inverse = f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, f32x4.splat(d.epsilon))));
  const shift = d.subtractMean ? meanGrad : zero;
  const slope = f32x4.mul(meanDot, f32x4.mul(inverse, inverse));
  keepStatistics(d, o, channel, n, mean, inverse);
  x = d.x + at;
  gy = d.gy + at;
  let gx = d.gx + at;
  for (let s = 0; s < d.spatial; s++, x += stride, gy += stride, gx += stride) {
    let i: usize = 0;
    for (let left = n; left > 0; left -= 4, i += 16) {
      const u = f32x4.sub(v128.load(x + i), mean);
      let g = v128.load(gy + i);
      if (weighted) g = f32x4.mul(g, v128.load(weight + i));
      storeFirst(gx + i, f32x4.mul(f32x4.sub(f32x4.sub(g, shift), f32x4.mul(u, slope)), inverse), left);
    }
  }
}

function keepStatistics(d: NormalizeGradDesc, o: i32, channel: i32, n: i32, mean: v128, inverse: v128): void {
  let p = d.statistics + <usize>d.statisticsBytes * o;
  if (d.shared) {
    store<f32>(p, f32x4.extract_lane(mean, 0));
    store<f32>(p, f32x4.extract_lane(inverse, 0), 4);
    return;
  }
  p += <usize>channel << 2;
  for (; n > 0; n -= 4, p += 16) {
    storeFirst(p, mean, n);
    storeFirst(p + d.planeBytes, inverse, n);
  }
}

/** partial[stretch][2][channels, whole vectors]: Σ gy·x̂ and Σ gy of a stretch of rows of [outer · spatial, channels]. */
@unmanaged
export class ParameterGradDesc {
  x: usize;
  gy: usize;
  statistics: usize;
  statisticsBytes: u32;
  planeBytes: u32;
  shared: i32;
  partial: usize;
  rows: i32;
  spatial: i32;
  channels: i32;
  stretch: i32;
  /** Blocks of 16 channels. */
  strips: i32;
}

/** Unit of work: a stretch of rows × 16 channels. */
export function parameterGrad(d: ParameterGradDesc, begin: i32, end: i32): void {
  const plane = <usize>d.planeBytes;
  for (let unit = begin; unit < end; unit++) {
    const part = unit / d.strips;
    const channel = (unit - part * d.strips) << 4;
    const first = part * d.stretch;
    const last = min(first + d.stretch, d.rows);
    const to = d.partial + 2 * plane * part;
    const stop = min(channel + 16, d.channels);
    for (let c = channel; c < stop; c += 4) {
      if (d.shared) parameterColumn(true, d, first, last, <usize>c << 2, to + (<usize>c << 2));
      else parameterColumn(false, d, first, last, <usize>c << 2, to + (<usize>c << 2));
    }
  }
}

// @ts-ignore: decorator
@inline
function parameterColumn(shared: bool, d: ParameterGradDesc, row: i32, last: i32, c: usize, to: usize): void {
  const pitch = <usize>d.channels << 2;
  const spatial = d.spatial;
  let x = d.x + pitch * row + c;
  let gy = d.gy + pitch * row + c;
  let sum = f32x4.splat(0);
  let dot = sum;
  let sumLow = sum, sumHigh = sum, dotLow = sum, dotHigh = sum;
  let added = 0;
  while (row < last) {
    const o = row / spatial;
    const stop = min(min(last, (o + 1) * spatial), row + chain);
    added += stop - row;
    const p = d.statistics + <usize>d.statisticsBytes * o + (shared ? 0 : c);
    const mean = shared ? v128.load32_splat(p) : v128.load(p);
    const inverse = shared ? v128.load32_splat(p, 4) : v128.load(p + d.planeBytes);
    let sumPart = f32x4.splat(0);
    let dotPart = sumPart;
    for (; row < stop; row++) {
      const g = v128.load(gy);
      sumPart = f32x4.add(sumPart, g);
      dotPart = fma(g, f32x4.sub(v128.load(x), mean), dotPart);
      x += pitch;
      gy += pitch;
    }
    sum = f32x4.add(sum, sumPart);
    dot = fma(dotPart, inverse, dot);
    if (added < chain) continue;
    sumLow = f64x2.add(sumLow, low(sum));
    sumHigh = f64x2.add(sumHigh, high(sum));
    dotLow = f64x2.add(dotLow, low(dot));
    dotHigh = f64x2.add(dotHigh, high(dot));
    sum = dot = f32x4.splat(0);
    added = 0;
  }
  v128.store(to, join(f64x2.add(dotLow, low(dot)), f64x2.add(dotHigh, high(dot))));
  v128.store(to + d.planeBytes, join(f64x2.add(sumLow, low(sum)), f64x2.add(sumHigh, high(sum))));
}

/** gweight and gbias: the sum of the stretches, in order. Unit of work: 16 channels. */
@unmanaged
export class FinishParameterGradDesc {
  partial: usize;
  gweight: usize;
  gbias: usize;
  planeBytes: u32;
  stretches: i32;
  channels: i32;
}

export function finishParameterGrad(d: FinishParameterGradDesc, begin: i32, end: i32): void {
  const plane = <usize>d.planeBytes;
  const stop = min(end << 4, d.channels);
  for (let channel = begin << 4; channel < stop; channel += 4) {
    const c = <usize>channel << 2;
    let dot = f32x4.splat(0);
    let sum = dot;
    let p = d.partial + c;
    for (let i = 0; i < d.stretches; i++, p += 2 * plane) {
      dot = f32x4.add(dot, v128.load(p));
      sum = f32x4.add(sum, v128.load(p + plane));
    }
    storeFirst(d.gweight + c, dot, d.channels - channel);
    storeFirst(d.gbias + c, sum, d.channels - channel);
  }
}
