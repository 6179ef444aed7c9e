import { exp, log } from '../common/math';
import { fma, fnma } from '../common/simd';
import { storeFirst } from '../common/tail';

/**
 * Gradient of lrn: gx[c] = gy[c]·s^−beta − slope · x[c] · Σ gy·x·s^(−beta−1) over the windows that contain c, s = bias + scale · Σ x².
 * x, gy, gx [outer, channels].
 */
@unmanaged
export class LrnGradDesc {
  x: usize;
  gy: usize;
  gx: usize;
  /** The row gy·x·s^(−beta−1), with `margin` bytes of zeros before it, and `margin` bytes and a vector of zeros after it. */
  workspace: usize;
  /** Bytes that a window extends to either side of its channel, rounded up to whole vectors. */
  margin: u32;
  outer: i32;
  channels: i32;
  /** Rows per work unit. */
  unit: i32;
  before: i32;
  after: i32;
  scale: f32;
  beta: f32;
  bias: f32;
  /** 2 · scale · beta. */
  slope: f32;
}

export function lrnGrad(d: LrnGradDesc, begin: i32, end: i32): void {
  const last = min(end * d.unit, d.outer);
  const channels = d.channels;
  const bytes = <usize>channels << 2;
  const margin = <usize>d.margin;
  const spread = d.workspace + margin;
  memory.fill(d.workspace, 0, margin);
  for (let row = begin * d.unit; row < last; row++) {
    const x = d.x + <usize>row * bytes;
    const gy = d.gy + <usize>row * bytes;
    const gx = d.gx + <usize>row * bytes;
    for (let c = 0; c < channels; c += 4) scaled(d, x, gy, gx, spread, c);
    memory.fill(spread + bytes, 0, margin + 16);
    for (let c = 0; c < channels; c += 4) {
      const at = <usize>c << 2;
      // Channel c is in the windows of c − after … c + before.
      let sum = f32x4.splat(0);
      for (let t = -d.after; t <= d.before; t++) sum = f32x4.add(sum, v128.load(spread + (<usize>(c + t) << 2)));
      const step = f32x4.mul(f32x4.splat(d.slope), v128.load(x + at));
      storeFirst(gx + at, fnma(step, sum, v128.load(gx + at)), channels - c);
    }
  }
}

/** gx := gy·s^−beta and spread := gy·x·s^(−beta−1) for channels c … c + 3. */
function scaled(d: LrnGradDesc, x: usize, gy: usize, gx: usize, spread: usize, c: i32): void {
  const channels = d.channels;
  const at = <usize>c << 2;
  let sum = f32x4.splat(0);
  const inside = c >= d.before && c + 3 + d.after < channels;
  for (let t = -d.before; t <= d.after; t++) {
    const v = v128.load(x + (<usize>(c + t) << 2));
    let square = f32x4.mul(v, v);
    if (!inside) {
      const index = i32x4.add(i32x4.splat(c + t), i32x4(0, 1, 2, 3));
      square = v128.and(square, i32x4.lt_u(index, i32x4.splat(channels)));
    }
    sum = f32x4.add(sum, square);
  }
  const s = fma(sum, f32x4.splat(d.scale), f32x4.splat(d.bias));
  let p: v128;
  if (d.beta == 0.75) {
    const root = f32x4.sqrt(s);
    p = f32x4.mul(root, f32x4.sqrt(root));
  } else if (d.beta == 0.5) {
    p = f32x4.sqrt(s);
  } else {
    p = exp(f32x4.mul(f32x4.splat(d.beta), log(s)));
  }
  const g = f32x4.div(v128.load(gy + at), p);
  storeFirst(gx + at, g, channels - c);
  v128.store(spread + at, f32x4.div(f32x4.mul(g, v128.load(x + at)), s));
}
