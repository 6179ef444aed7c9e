// Batch normalisation with fixed statistics is x · scale + shift per channel.
import { activate, Kind } from '../common/activation';
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';
import { clampTo } from '../micro/tile';

@unmanaged
export class ScaleShiftDesc {
  x: usize;
  y: usize;
  scale: usize;
  shift: usize;
  total: i32;
  /** Elements per work unit, a multiple of 4; rows may begin and end anywhere in it. */
  unit: i32;
  /** Elements of a row: all channels if channels are innermost, otherwise the `inner` elements of one channel. */
  row: i32;
  /** The number of channels if a row is one channel, 0 if a row is all channels. */
  channels: i32;
  /** Bytes from row to row. */
  xRow: u32;
  yRow: u32;
  kind: i32;
  alpha: f32;
  beta: f32;
}

export function scaleShift(d: ScaleShiftDesc, begin: i32, end: i32): void {
  const from = begin * d.unit;
  let left = min(end * d.unit, d.total) - from;
  let row = from / d.row;
  let column = from - row * d.row;
  while (left > 0) {
    const n = min(d.row - column, left);
    const x = d.x + <usize>row * d.xRow + (<usize>column << 2);
    const y = d.y + <usize>row * d.yRow + (<usize>column << 2);
    const at = <usize>(d.channels ? row % d.channels : column) << 2;
    if (d.channels) loop(d, false, x, y, d.scale + at, d.shift + at, n);
    else loop(d, true, x, y, d.scale + at, d.shift + at, n);
    left -= n;
    column = 0;
    row++;
  }
}

// @ts-ignore: decorator
@inline
function scaled(vector: bool, x: usize, scale: usize, shift: usize, factor: v128, offset: v128): v128 {
  return fma(v128.load(x), vector ? v128.load(scale) : factor, vector ? v128.load(shift) : offset);
}

/**
 * relu, clip and no activation are a clamp, four vectors at a time. One vector at a time, with a branch on the kind for each, took
 * 0.091 ms (64 @56).
 */
// @ts-ignore: decorator
@inline
function loop(d: ScaleShiftDesc, vector: bool, x: usize, y: usize, scale: usize, shift: usize, n: i32): void {
  const factor = v128.load32_splat(scale);
  const offset = v128.load32_splat(shift);
  const kind = d.kind;
  const alpha = d.alpha;
  const beta = d.beta;
  // identity, relu and clip are the first of Kind.
  if (kind <= Kind.clip) {
    const low = f32x4.splat(kind == Kind.identity ? -Infinity : kind == Kind.relu ? 0 : alpha);
    const high = f32x4.splat(kind == Kind.clip ? beta : Infinity);
    for (; n >= 16; n -= 16) {
      v128.store(y, clampTo(scaled(vector, x, scale, shift, factor, offset), low, high));
      v128.store(y, clampTo(scaled(vector, x + 16, scale + 16, shift + 16, factor, offset), low, high), 16);
      v128.store(y, clampTo(scaled(vector, x + 32, scale + 32, shift + 32, factor, offset), low, high), 32);
      v128.store(y, clampTo(scaled(vector, x + 48, scale + 48, shift + 48, factor, offset), low, high), 48);
      if (vector) {
        scale += 64;
        shift += 64;
      }
      x += 64;
      y += 64;
    }
  }
  for (; n > 0; n -= 4) {
    storeFirst(y, activate(kind, alpha, beta, scaled(vector, x, scale, shift, factor, offset)), n);
    if (vector) {
      scale += 16;
      shift += 16;
    }
    x += 16;
    y += 16;
  }
}

/** scale = weight / sqrt(variance + epsilon), shift = bias − mean · scale, both repeated `times` times. */
@unmanaged
export class BatchNormDesc {
  weight: usize;
  bias: usize;
  mean: usize;
  variance: usize;
  scale: usize;
  shift: usize;
  channels: i32;
  times: i32;
  epsilon: f32;
}

/** Work unit: one repetition. */
export function batchNormParameters(d: BatchNormDesc, begin: i32, end: i32): void {
  const channels = d.channels;
  for (let i = begin * channels; i < end * channels; i++) {
    const c = <usize>(i % channels) << 2;
    let scale: f32 = 1 / sqrt(load<f32>(d.variance + c) + d.epsilon);
    if (d.weight) scale *= load<f32>(d.weight + c);
    const bias: f32 = d.bias ? load<f32>(d.bias + c) : 0;
    store<f32>(d.scale + (<usize>i << 2), scale);
    store<f32>(d.shift + (<usize>i << 2), bias - load<f32>(d.mean + c) * scale);
  }
}
