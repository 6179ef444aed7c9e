import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';
import { copyRun } from '../copy/run';

/**
 * Interpolation along one axis: y[o, j, i] = Σ_t weight[j·taps + t] · x[o, index[j·taps + t], i]; index −1 stands for the
 * value `extrapolation`; taps of weight 0 are skipped, so that an infinite element there does not matter.
 */
@unmanaged
export class ResampleDesc {
  x: usize;
  index: usize;
  weight: usize;
  y: usize;
  input: i32;
  output: i32;
  inner: i32;
  taps: i32;
  extrapolation: f32;
  /** Rows (o, j) per work unit. */
  unit: i32;
  /** outer · output. */
  total: i32;
}

export function resample(d: ResampleDesc, begin: i32, end: i32): void {
  const last = min(end * d.unit, d.total);
  const bytes = <usize>d.inner << 2;
  const taps = d.taps;
  for (let row = begin * d.unit; row < last; row++) {
    const o = row / d.output;
    const j = row - o * d.output;
    const x = d.x + <usize>(o * d.input) * bytes;
    const y = d.y + <usize>row * bytes;
    const index = d.index + (<usize>(j * taps) << 2);
    const weight = d.weight + (<usize>(j * taps) << 2);
    if (d.inner == 1) {
      single(d, x, index, weight, y);
    } else if (taps == 1 && load<i32>(index) >= 0 && load<f32>(weight) == 1) {
      copyRun(y, x + <usize>load<i32>(index) * bytes, <i32>bytes);
    } else if (taps == 2 && plain(index, weight, 2)) {
      twoTaps(x, index, weight, y, d.inner);
    } else if (taps == 4 && plain(index, weight, 4)) {
      fourTaps(x, index, weight, y, d.inner);
    } else {
      manyTaps(d, x, index, weight, y);
    }
  }
}

/** Whether every tap has an index and a weight. */
function plain(index: usize, weight: usize, taps: i32): bool {
  for (let t: usize = 0; t < (<usize>taps << 2); t += 4) {
    if (load<i32>(index + t) < 0 || load<f32>(weight + t) == 0) return false;
  }
  return true;
}

function single(d: ResampleDesc, x: usize, index: usize, weight: usize, y: usize): void {
  let sum: f32 = 0;
  for (let t: usize = 0; t < (<usize>d.taps << 2); t += 4) {
    const w = load<f32>(weight + t);
    if (w == 0) continue;
    const i = load<i32>(index + t);
    sum += w * (i < 0 ? d.extrapolation : load<f32>(x + (<usize>i << 2)));
  }
  store<f32>(y, sum);
}

function twoTaps(x: usize, index: usize, weight: usize, y: usize, n: i32): void {
  const bytes = <usize>n << 2;
  let x0 = x + <usize>load<i32>(index) * bytes;
  let x1 = x + <usize>load<i32>(index, 4) * bytes;
  const w0 = v128.load32_splat(weight);
  const w1 = v128.load32_splat(weight, 4);
  for (; n >= 8; n -= 8) {
    v128.store(y, fma(w1, v128.load(x1), f32x4.mul(w0, v128.load(x0))));
    v128.store(y, fma(w1, v128.load(x1, 16), f32x4.mul(w0, v128.load(x0, 16))), 16);
    x0 += 32;
    x1 += 32;
    y += 32;
  }
  for (; n > 0; n -= 4) {
    storeFirst(y, fma(w1, v128.load(x1), f32x4.mul(w0, v128.load(x0))), n);
    x0 += 16;
    x1 += 16;
    y += 16;
  }
}

function fourTaps(x: usize, index: usize, weight: usize, y: usize, n: i32): void {
  const bytes = <usize>n << 2;
  let x0 = x + <usize>load<i32>(index) * bytes;
  let x1 = x + <usize>load<i32>(index, 4) * bytes;
  let x2 = x + <usize>load<i32>(index, 8) * bytes;
  let x3 = x + <usize>load<i32>(index, 12) * bytes;
  const w0 = v128.load32_splat(weight);
  const w1 = v128.load32_splat(weight, 4);
  const w2 = v128.load32_splat(weight, 8);
  const w3 = v128.load32_splat(weight, 12);
  for (; n > 0; n -= 4) {
    const low = fma(w1, v128.load(x1), f32x4.mul(w0, v128.load(x0)));
    storeFirst(y, fma(w3, v128.load(x3), fma(w2, v128.load(x2), low)), n);
    x0 += 16;
    x1 += 16;
    x2 += 16;
    x3 += 16;
    y += 16;
  }
}

function manyTaps(d: ResampleDesc, x: usize, index: usize, weight: usize, y: usize): void {
  const n = d.inner;
  const bytes = <usize>n << 2;
  const taps = <usize>d.taps << 2;
  const outside = f32x4.splat(d.extrapolation);
  for (let i = 0; i < n; i += 4) {
    let sum = f32x4.splat(0);
    for (let t: usize = 0; t < taps; t += 4) {
      const w = v128.load32_splat(weight + t);
      if (load<f32>(weight + t) == 0) continue;
      const from = load<i32>(index + t);
      sum = fma(w, from < 0 ? outside : v128.load(x + <usize>from * bytes), sum);
    }
    storeFirst(y, sum, n - i);
    x += 16;
    y += 16;
  }
}
