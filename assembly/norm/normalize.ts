// Statistics in two passes (mean, then squared deviations): the difference Σx² − n·mean² would cancel.
import { Kind } from '../common/activation';
import { high, join, low } from '../common/doubles';
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';
import { sweep } from '../micro/sweep';
import { addRow, Fold } from '../reduce/fold';
import { sumOf } from '../reduce/sum';

/** x as [outer, spatial, groups, size]; weight and bias [groups · size] or 0. y may be x. */
@unmanaged
export class NormalizeDesc {
  x: usize;
  y: usize;
  weight: usize;
  bias: usize;
  outer: i32;
  spatial: i32;
  groups: i32;
  size: i32;
  subtractMean: i32;
  epsilon: f32;
  /**
   * Channels per work unit, summed column by column: whole groups, at most `mostColumns`. 0: a unit is `unit` groups, and a group is
   * summed run by run.
   */
  span: i32;
  unit: i32;
  kind: i32;
  alpha: f32;
  beta: f32;
  /** Four tables of `normalizeTableBytes`. */
  workspace: usize;
}

/** The most channels of a span. @abi */
// @ts-ignore: decorator
@inline const mostColumns: i32 = 32;
/** Bytes of a table: sums, mean, scale, shift. @abi at least mostColumns * 4 */
// @ts-ignore: decorator
@inline const normalizeTableBytes: usize = 128;

export function normalize(d: NormalizeDesc, begin: i32, end: i32): void {
  const image = <usize>(d.spatial * d.groups) * <usize>d.size;
  if (d.span) {
    const channels = d.groups * d.size;
    const spans = (channels + d.span - 1) / d.span;
    for (let unit = begin; unit < end; unit++) {
      const o = unit / spans;
      const channel = (unit - o * spans) * d.span;
      normalizeSpan(d, (<usize>o * image + <usize>channel) << 2, channel, min(d.span, channels - channel));
    }
    return;
  }
  const last = min(end * d.unit, d.outer * d.groups);
  for (let i = begin * d.unit; i < last; i++) {
    const o = i / d.groups;
    const channel = (i - o * d.groups) * d.size;
    normalizeGroup(d, (<usize>o * image + <usize>channel) << 2, channel);
  }
}

/** A group is a run of `size` elements at each position. The mean is summed in doubles, so that the mean of equal values is that value. */
function normalizeGroup(d: NormalizeDesc, at: usize, c: i32): void {
  const size = d.size;
  const stride = <usize>(d.groups * size) << 2;
  const count = <f64>d.spatial * <f64>size;
  let mean: f32 = 0;
  if (d.subtractMean) {
    let sum: f64 = 0;
    let x = d.x + at;
    for (let s = 0; s < d.spatial; s++) {
      sum += sumOf(x, size);
      x += stride;
    }
    mean = <f32>(sum / count);
  }
  let squares: f64 = 0;
  let x = d.x + at;
  for (let s = 0; s < d.spatial; s++) {
    squares += addRow(Fold.deviation, x, size, f32x4.splat(mean));
    x += stride;
  }
  const inverse = <f32>(1 / sqrt(squares / count + <f64>d.epsilon));
  const channel = <usize>c << 2;
  for (let s = 0; s < d.spatial; s++) {
    apply(d, d.x + at, d.y + at, size, channel, mean, inverse);
    at += stride;
  }
}

/** One loop per set of parameters, then the activation. With both chosen per vector, layer norm took five times as long. */
function apply(d: NormalizeDesc, x: usize, y: usize, n: i32, channel: usize, mean: f32, inverse: f32): void {
  const weight = d.weight + channel;
  const bias = d.bias + channel;
  if (d.weight && d.bias) scaled(true, true, x, y, n, weight, bias, mean, inverse);
  else if (d.weight) scaled(true, false, x, y, n, weight, bias, mean, inverse);
  else scaled(false, d.bias != 0, x, y, n, weight, bias, mean, inverse);
  if (d.kind != Kind.identity) sweep(d.kind, d.alpha, d.beta, y, 1, n, 0);
}

// @ts-ignore: decorator
@inline
function scaled(
  hasWeight: bool, hasBias: bool, x: usize, y: usize, n: i32, weight: usize, bias: usize, mean: f32, inverse: f32,
): void {
  const centre = f32x4.splat(mean);
  const factor = f32x4.splat(inverse);
  for (; n >= 8; n -= 8) {
    let u = f32x4.mul(f32x4.sub(v128.load(x), centre), factor);
    let v = f32x4.mul(f32x4.sub(v128.load(x, 16), centre), factor);
    if (hasWeight) {
      u = f32x4.mul(u, v128.load(weight));
      v = f32x4.mul(v, v128.load(weight, 16));
    }
    if (hasBias) {
      u = f32x4.add(u, v128.load(bias));
      v = f32x4.add(v, v128.load(bias, 16));
    }
    v128.store(y, u);
    v128.store(y, v, 16);
    x += 32;
    y += 32;
    weight += 32;
    bias += 32;
  }
  for (; n > 0; n -= 4) {
    let v = f32x4.mul(f32x4.sub(v128.load(x), centre), factor);
    if (hasWeight) v = f32x4.mul(v, v128.load(weight));
    if (hasBias) v = f32x4.add(v, v128.load(bias));
    storeFirst(y, v, n);
    x += 16;
    y += 16;
    weight += 16;
    bias += 16;
  }
}

// @ts-ignore: decorator
@inline
function add(deviation: bool, sum: v128, v: v128, mean: usize): v128 {
  if (!deviation) return f32x4.add(sum, v);
  v = f32x4.sub(v, v128.load(mean));
  return fma(v, v, sum);
}

/**
 * Stores the sums of 16 columns (32 if `wide`) at `to`; they are one or two whole cache lines per row. Two levels: chains of 32 rows
 * in single precision, then doubles. Columns after the last are read as well. With four columns at a time each line was fetched four
 * times: group norm of 32 groups, 256 @28, ran at 3.9 GB/s instead of 6.8 and more.
 */
// @ts-ignore: decorator
@inline
function columnSums(deviation: bool, wide: bool, x: usize, pitch: usize, rows: i32, mean: usize, to: usize): void {
  const zero = f32x4.splat(0);
  let t0 = zero;
  let u0 = zero;
  let t1 = zero;
  let u1 = zero;
  let t2 = zero;
  let u2 = zero;
  let t3 = zero;
  let u3 = zero;
  let t4 = zero;
  let u4 = zero;
  let t5 = zero;
  let u5 = zero;
  let t6 = zero;
  let u6 = zero;
  let t7 = zero;
  let u7 = zero;
  while (rows > 0) {
    let left = min(rows, 32);
    rows -= left;
    let a0 = zero;
    let a1 = zero;
    let a2 = zero;
    let a3 = zero;
    let a4 = zero;
    let a5 = zero;
    let a6 = zero;
    let a7 = zero;
    do {
      a0 = add(deviation, a0, v128.load(x), mean + 0);
      a1 = add(deviation, a1, v128.load(x, 16), mean + 16);
      a2 = add(deviation, a2, v128.load(x, 32), mean + 32);
      a3 = add(deviation, a3, v128.load(x, 48), mean + 48);
      if (wide) {
        a4 = add(deviation, a4, v128.load(x, 64), mean + 64);
        a5 = add(deviation, a5, v128.load(x, 80), mean + 80);
        a6 = add(deviation, a6, v128.load(x, 96), mean + 96);
        a7 = add(deviation, a7, v128.load(x, 112), mean + 112);
      }
      x += pitch;
    } while (--left);
    t0 = f64x2.add(t0, low(a0));
    u0 = f64x2.add(u0, high(a0));
    t1 = f64x2.add(t1, low(a1));
    u1 = f64x2.add(u1, high(a1));
    t2 = f64x2.add(t2, low(a2));
    u2 = f64x2.add(u2, high(a2));
    t3 = f64x2.add(t3, low(a3));
    u3 = f64x2.add(u3, high(a3));
    if (wide) {
      t4 = f64x2.add(t4, low(a4));
      u4 = f64x2.add(u4, high(a4));
      t5 = f64x2.add(t5, low(a5));
      u5 = f64x2.add(u5, high(a5));
      t6 = f64x2.add(t6, low(a6));
      u6 = f64x2.add(u6, high(a6));
      t7 = f64x2.add(t7, low(a7));
      u7 = f64x2.add(u7, high(a7));
    }
  }
  v128.store(to, join(t0, u0));
  v128.store(to, join(t1, u1), 16);
  v128.store(to, join(t2, u2), 32);
  v128.store(to, join(t3, u3), 48);
  if (!wide) return;
  v128.store(to, join(t4, u4), 64);
  v128.store(to, join(t5, u5), 80);
  v128.store(to, join(t6, u6), 96);
  v128.store(to, join(t7, u7), 112);
}

function sums16(x: usize, pitch: usize, rows: i32, to: usize): void {
  columnSums(false, false, x, pitch, rows, to, to);
}

function sums32(x: usize, pitch: usize, rows: i32, to: usize): void {
  columnSums(false, true, x, pitch, rows, to, to);
}

function deviations16(x: usize, pitch: usize, rows: i32, mean: usize, to: usize): void {
  columnSums(true, false, x, pitch, rows, mean, to);
}

function deviations32(x: usize, pitch: usize, rows: i32, mean: usize, to: usize): void {
  columnSums(true, true, x, pitch, rows, mean, to);
}

/** The mean of a group over all positions, from the sums of its columns, which begin at `sums`. */
function groupMean(d: NormalizeDesc, sums: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < d.size; i++) sum += <f64>load<f32>(sums + (<usize>i << 2));
  return sum / (<f64>d.spatial * <f64>d.size);
}

/** If the variance is less than this share of mean², the rounding error of the mean matters in it. */
// @ts-ignore: decorator
@inline const closeToMean: f64 = 1e-4;

/** The mean of a group at `x`, summed in doubles, so that the mean of equal values is that value. */
function exactMean(d: NormalizeDesc, x: usize, pitch: usize): f64 {
  let sum: f64 = 0;
  for (let s = 0; s < d.spatial; s++, x += pitch) {
    for (let i = 0; i < d.size; i++) sum += <f64>load<f32>(x + (<usize>i << 2));
  }
  return sum / (<f64>d.spatial * <f64>d.size);
}

function exactVariance(d: NormalizeDesc, x: usize, pitch: usize, mean: f64): f64 {
  let sum: f64 = 0;
  for (let s = 0; s < d.spatial; s++, x += pitch) {
    for (let i = 0; i < d.size; i++) {
      const apart = <f64>load<f32>(x + (<usize>i << 2)) - mean;
      sum += apart * apart;
    }
  }
  return sum / (<f64>d.spatial * <f64>d.size);
}

/** Small groups: sums of `n` ≤ `mostColumns` columns at a time are combined into statistics per group, then applied row by row. */
function normalizeSpan(d: NormalizeDesc, at: usize, c: i32, n: i32): void {
  const pitch = <usize>(d.groups * d.size) << 2;
  const sums = d.workspace;
  const mean = sums + normalizeTableBytes;
  const scale = mean + normalizeTableBytes;
  const shift = scale + normalizeTableBytes;
  const x = d.x + at;
  if (!d.subtractMean) {
    memory.fill(mean, 0, normalizeTableBytes);
  } else {
    if (n > 16) sums32(x, pitch, d.spatial, sums);
    else sums16(x, pitch, d.spatial, sums);
    for (let g = 0; g < n; g += d.size) {
      const value = <f32>groupMean(d, sums + (<usize>g << 2));
      for (let i = g; i < g + d.size; i++) store<f32>(mean + (<usize>i << 2), value);
    }
  }
  if (n > 16) deviations32(x, pitch, d.spatial, mean, sums);
  else deviations16(x, pitch, d.spatial, mean, sums);
  for (let g = 0; g < n; g += d.size) {
    const place = <usize>g << 2;
    let variance = groupMean(d, sums + place);
    const centre = <f64>load<f32>(mean + place);
    if (variance < closeToMean * centre * centre) {
      const exact = <f32>exactMean(d, x + place, pitch);
      variance = exactVariance(d, x + place, pitch, <f64>exact);
      for (let i = g; i < g + d.size; i++) store<f32>(mean + (<usize>i << 2), exact);
    }
    const inverse = 1 / sqrt(variance + <f64>d.epsilon);
    for (let i = g; i < g + d.size; i++) {
      const from = <usize>(c + i) << 2;
      const to = <usize>i << 2;
      store<f32>(scale + to, <f32>(d.weight ? inverse * <f64>load<f32>(d.weight + from) : inverse));
      store<f32>(shift + to, d.bias ? load<f32>(d.bias + from) : 0);
    }
  }
  applyTables(d, at, n, pitch);
}

function applyTables(d: NormalizeDesc, at: usize, n: i32, pitch: usize): void {
  const end = <usize>(n & ~3) << 2;
  let x = d.x + at;
  let y = d.y + at;
  for (let s = 0; s < d.spatial; s++) {
    const tables = d.workspace + normalizeTableBytes;
    for (let i: usize = 0; i < end; i += 16) v128.store(y + i, transformed(x + i, tables + i));
    if (n & 3) storeFirst(y + end, transformed(x + end, tables + end), n & 3);
    if (d.kind != Kind.identity) sweep(d.kind, d.alpha, d.beta, y, 1, n, 0);
    x += pitch;
    y += pitch;
  }
}

/** (x − mean) · scale + shift. */
// @ts-ignore: decorator
@inline
function transformed(x: usize, table: usize): v128 {
  const v = f32x4.sub(v128.load(x), v128.load(table));
  return fma(v, v128.load(table, 128), v128.load(table, 256));
}
