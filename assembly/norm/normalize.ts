// Statistics from the data: two passes (mean, then squared deviations), which does not cancel as Σx² − n·mean² does.
import { activate } from '../common/activation';
import { fma } from '../common/simd';
import { firstLanes, storeFirst, sumLanes } from '../common/tail';
import { Fold, foldColumns, foldRow } from '../reduce/fold';

/** x as [outer, spatial, groups, size]; weight and bias [groups · size] or 0. y may be x. */
@unmanaged
export class NormalizeDesc {
  x: usize;
  y: usize;
  weight: usize;
  bias: usize;
  spatial: i32;
  groups: i32;
  size: i32;
  subtractMean: i32;
  epsilon: f32;
  /** Groups per work unit if size > 1. Else a unit is four channels. */
  unit: i32;
  /** outer · groups if size > 1; else outer · ⌈groups / 4⌉. */
  total: i32;
  kind: i32;
  alpha: f32;
  beta: f32;
}

export function normalize(d: NormalizeDesc, begin: i32, end: i32): void {
  const last = min(end * d.unit, d.total);
  const perImage = d.size > 1 ? d.groups : (d.groups + 3) >> 2;
  const image = <usize>(d.spatial * d.groups) * <usize>d.size;
  for (let i = begin * d.unit; i < last; i++) {
    const o = i / perImage;
    const g = i - o * perImage;
    const channel = d.size > 1 ? g * d.size : g << 2;
    const at = (<usize>o * image + <usize>channel) << 2;
    if (d.size == 1) normalizeChannels(d, at, channel);
    else if (d.spatial > 1 && d.size <= 32) normalizeNarrow(d, at, channel);
    else normalizeGroup(d, at, channel);
  }
}

function sumOf(x: usize, n: i32): f32 {
  return f32x4.extract_lane(foldRow(Fold.sum, x, n, f32x4.splat(0)), 0);
}

function deviationOf(x: usize, n: i32, mean: f32): f32 {
  return f32x4.extract_lane(foldRow(Fold.deviation, x, n, f32x4.splat(mean)), 0);
}

/** Runs of `size` elements, one per position. Sums of runs are added up in f64: there may be very many. */
function normalizeGroup(d: NormalizeDesc, at: usize, c: i32): void {
  const size = d.size;
  const stride = <usize>(d.groups * size) << 2;
  const count = <f64>d.spatial * <f64>size;
  let mean: f32 = 0;
  if (d.subtractMean) {
    let sum: f64 = 0;
    let x = d.x + at;
    for (let s = 0; s < d.spatial; s++) {
      sum += <f64>sumOf(x, size);
      x += stride;
    }
    mean = <f32>(sum / count);
  }
  let squares: f64 = 0;
  let x = d.x + at;
  for (let s = 0; s < d.spatial; s++) {
    squares += <f64>deviationOf(x, size, mean);
    x += stride;
  }
  const inverse = <f32>(1 / sqrt(squares / count + <f64>d.epsilon));
  const channel = <usize>c << 2;
  for (let s = 0; s < d.spatial; s++) {
    apply(d, d.x + at, d.y + at, size, channel, mean, inverse);
    at += stride;
  }
}

function apply(d: NormalizeDesc, x: usize, y: usize, n: i32, channel: usize, mean: f32, inverse: f32): void {
  const centre = f32x4.splat(mean);
  const factor = f32x4.splat(inverse);
  const kind = d.kind;
  const alpha = d.alpha;
  const beta = d.beta;
  // An absent weight or bias is read from x and left out.
  const hasWeight = d.weight != 0;
  const hasBias = d.bias != 0;
  let weight = hasWeight ? d.weight + channel : x;
  let bias = hasBias ? d.bias + channel : x;
  for (; n > 0; n -= 4) {
    let v = f32x4.mul(f32x4.sub(v128.load(x), centre), factor);
    if (hasWeight) v = f32x4.mul(v, v128.load(weight));
    if (hasBias) v = f32x4.add(v, v128.load(bias));
    storeFirst(y, activate(kind, alpha, beta, v), n);
    x += 16;
    y += 16;
    weight += 16;
    bias += 16;
  }
}

/** The sum over all positions of a group of few channels: down the columns, four at a time. */
function narrowSum(fold: i32, x: usize, d: NormalizeDesc, mean: v128): f32 {
  const stride = <usize>(d.groups * d.size) << 2;
  let sum: f32 = 0;
  for (let i = 0; i < d.size; i += 4) {
    const v = fold == Fold.sum
      ? foldColumns(Fold.sum, x, stride, d.spatial, mean)
      : foldColumns(Fold.deviation, x, stride, d.spatial, mean);
    // The lanes behind belong to other groups, or to nothing.
    sum += sumLanes(v128.and(v, firstLanes(d.size - i)));
    x += 16;
  }
  return sum;
}

/** Runs of a few elements would be all tails. */
function normalizeNarrow(d: NormalizeDesc, at: usize, c: i32): void {
  const count = <f32>d.spatial * <f32>d.size;
  const x = d.x + at;
  const zero = f32x4.splat(0);
  const mean = d.subtractMean ? f32x4.splat(narrowSum(Fold.sum, x, d, zero) / count) : zero;
  const variance = narrowSum(Fold.deviation, x, d, mean) / count;
  const inverse = f32x4.splat(1 / sqrt(variance + d.epsilon));
  for (let i = 0; i < d.size; i += 4) applyColumns(d, at + (<usize>i << 2), c + i, d.size - i, mean, inverse);
}

/** Four channels side by side, each with statistics of its own. */
function normalizeChannels(d: NormalizeDesc, at: usize, c: i32): void {
  const stride = <usize>d.groups << 2;
  const zero = f32x4.splat(0);
  const count = f32x4.splat(<f32>d.spatial);
  const mean = d.subtractMean ? f32x4.div(foldColumns(Fold.sum, d.x + at, stride, d.spatial, zero), count) : zero;
  const squares = foldColumns(Fold.deviation, d.x + at, stride, d.spatial, mean);
  const deviation = f32x4.sqrt(f32x4.add(f32x4.div(squares, count), f32x4.splat(d.epsilon)));
  applyColumns(d, at, c, d.groups - c, mean, f32x4.div(f32x4.splat(1), deviation));
}

/** Channels c … c + 3, of which the first `columns` exist, at all positions. */
function applyColumns(d: NormalizeDesc, at: usize, c: i32, columns: i32, mean: v128, scale: v128): void {
  const stride = <usize>(d.groups * d.size) << 2;
  if (d.weight) scale = f32x4.mul(scale, v128.load(d.weight + (<usize>c << 2)));
  const shift = d.bias ? v128.load(d.bias + (<usize>c << 2)) : f32x4.splat(0);
  const kind = d.kind;
  const alpha = d.alpha;
  const beta = d.beta;
  let x = d.x + at;
  let y = d.y + at;
  for (let s = 0; s < d.spatial; s++) {
    storeFirst(y, activate(kind, alpha, beta, fma(f32x4.sub(v128.load(x), mean), scale, shift)), columns);
    x += stride;
    y += stride;
  }
}
