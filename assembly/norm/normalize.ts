// Statistics from the data: two passes (mean, then squared deviations), which does not cancel as Σx² − n·mean² does.
import { activate } from '../common/activation';
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';
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
    if (d.size > 1) normalizeGroup(d, (<usize>o * image + <usize>(g * d.size)) << 2, g);
    else normalizeChannels(d, (<usize>o * image + <usize>(g << 2)) << 2, g << 2);
  }
}

function sumOf(x: usize, n: i32): f32 {
  return f32x4.extract_lane(foldRow(Fold.sum, x, n, f32x4.splat(0)), 0);
}

function deviationOf(x: usize, n: i32, mean: f32): f32 {
  return f32x4.extract_lane(foldRow(Fold.deviation, x, n, f32x4.splat(mean)), 0);
}

/** Runs of `size` elements, one per position. Sums of runs are added up in f64: there may be very many. */
function normalizeGroup(d: NormalizeDesc, at: usize, g: i32): void {
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
  const channel = <usize>(g * size) << 2;
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

/** Four channels side by side, each with statistics of its own. */
function normalizeChannels(d: NormalizeDesc, at: usize, c: i32): void {
  const stride = <usize>d.groups << 2;
  const zero = f32x4.splat(0);
  const n = d.spatial;
  const columns = min(d.groups - c, 4);
  const count = f32x4.splat(<f32>n);
  const mean = d.subtractMean ? f32x4.div(foldColumns(Fold.sum, d.x + at, stride, n, zero), count) : zero;
  const squares = foldColumns(Fold.deviation, d.x + at, stride, n, mean);
  const deviation = f32x4.sqrt(f32x4.add(f32x4.div(squares, count), f32x4.splat(d.epsilon)));
  let scale = f32x4.div(f32x4.splat(1), deviation);
  if (d.weight) scale = f32x4.mul(scale, v128.load(d.weight + (<usize>c << 2)));
  const shift = d.bias ? v128.load(d.bias + (<usize>c << 2)) : zero;
  const kind = d.kind;
  const alpha = d.alpha;
  const beta = d.beta;
  let x = d.x + at;
  let y = d.y + at;
  for (let s = 0; s < n; s++) {
    storeFirst(y, activate(kind, alpha, beta, fma(f32x4.sub(v128.load(x), mean), scale, shift)), columns);
    x += stride;
    y += stride;
  }
}
