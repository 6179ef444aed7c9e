// Batch normalisation with fixed statistics is x · scale + shift per channel.
import { activate } from '../common/activation';
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';

@unmanaged
export class ScaleShiftDesc {
  x: usize;
  y: usize;
  scale: usize;
  shift: usize;
  total: i32;
  /** Elements per work unit, a multiple of 4; rows may begin and end anywhere in it. */
  unit: i32;
  /** channels innermost: the row is all channels. Else it is the `inner` elements of one channel. */
  row: i32;
  /** Number of channels where a row is one channel, 0 where it is all of them. */
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
function loop(d: ScaleShiftDesc, vector: bool, x: usize, y: usize, scale: usize, shift: usize, n: i32): void {
  const factor = v128.load32_splat(scale);
  const offset = v128.load32_splat(shift);
  const kind = d.kind;
  const alpha = d.alpha;
  const beta = d.beta;
  for (; n > 0; n -= 4) {
    const v = fma(v128.load(x), vector ? v128.load(scale) : factor, vector ? v128.load(shift) : offset);
    storeFirst(y, activate(kind, alpha, beta, v), n);
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
