import { exp } from '../common/math';
import { fma, fnma } from '../common/simd';
import { firstLanes, storeFirst } from '../common/tail';

/** gx = y·(gy − Σ gy·y), or with `log` gy − exp(y)·Σ gy, along `length` of [outer, length, inner]; gx may be y or gy. */
@unmanaged
export class SoftmaxGradDesc {
  y: usize;
  gy: usize;
  gx: usize;
  length: i32;
  inner: i32;
  log: i32;
  /** The number of rows if inner = 1, otherwise of strips of four columns. */
  total: i32;
  /** Rows or strips per work unit. */
  unit: i32;
}

export function softmaxGrad(d: SoftmaxGradDesc, begin: i32, end: i32): void {
  const last = min(end * d.unit, d.total);
  const strips = (d.inner + 3) >> 2;
  for (let i = begin * d.unit; i < last; i++) {
    if (d.inner == 1) {
      const at = (<usize>i * <usize>d.length) << 2;
      row(d.y + at, d.gy + at, d.gx + at, d.length, d.log);
    } else {
      const o = i / strips;
      const column = (i - o * strips) << 2;
      const at = (<usize>(o * d.length) * <usize>d.inner + <usize>column) << 2;
      columns(d.y + at, d.gy + at, d.gx + at, d.length, <usize>d.inner << 2, min(d.inner - column, 4), d.log);
    }
  }
}

// @ts-ignore: decorator
@inline
function gradient(logarithm: i32, y: v128, g: v128, sum: v128): v128 {
  return logarithm ? fnma(exp(y), sum, g) : f32x4.mul(y, f32x4.sub(g, sum));
}

function row(y: usize, gy: usize, gx: usize, n: i32, logarithm: i32): void {
  let sum = f32x4.splat(0);
  for (let i: usize = 0, left = n; left > 0; i += 16, left -= 4) {
    let g = v128.load(gy + i);
    if (!logarithm) g = f32x4.mul(g, v128.load(y + i));
    sum = f32x4.add(sum, left >= 4 ? g : v128.and(g, firstLanes(left)));
  }
  sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
  sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 1, 0, 3, 2));
  for (; n > 0; n -= 4) {
    storeFirst(gx, gradient(logarithm, v128.load(y), v128.load(gy), sum), n);
    y += 16;
    gy += 16;
    gx += 16;
  }
}

function columns(y: usize, gy: usize, gx: usize, n: i32, stride: usize, count: i32, logarithm: i32): void {
  let sum = f32x4.splat(0);
  const bytes = <usize>n * stride;
  for (let i: usize = 0; i < bytes; i += stride) {
    const g = v128.load(gy + i);
    sum = logarithm ? f32x4.add(sum, g) : fma(g, v128.load(y + i), sum);
  }
  for (let i: usize = 0; i < bytes; i += stride) {
    storeFirst(gx + i, gradient(logarithm, v128.load(y + i), v128.load(gy + i), sum), count);
  }
}
