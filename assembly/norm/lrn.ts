import { exp, log } from '../common/math';
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';

/** y = x / (bias + scale · Σ x²)^beta, the sum over channels c − before … c + after. x [outer, channels]; y is not x. */
@unmanaged
export class LrnDesc {
  x: usize;
  y: usize;
  outer: i32;
  channels: i32;
  /** Rows per work unit. */
  unit: i32;
  before: i32;
  after: i32;
  scale: f32;
  beta: f32;
  bias: f32;
}

export function lrn(d: LrnDesc, begin: i32, end: i32): void {
  const last = min(end * d.unit, d.outer);
  const bytes = <usize>d.channels << 2;
  for (let row = begin * d.unit; row < last; row++) lrnRow(d, d.x + <usize>row * bytes, d.y + <usize>row * bytes);
}

function lrnRow(d: LrnDesc, x: usize, y: usize): void {
  const channels = d.channels;
  const before = d.before;
  const after = d.after;
  for (let c = 0; c < channels; c += 4) {
    let sum = f32x4.splat(0);
    // At the row's ends, elements outside the row (of another row, or before the tensor) count as 0.
    const inside = c >= before && c + 3 + after < channels;
    for (let t = -before; t <= after; t++) {
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
    storeFirst(y + (<usize>c << 2), f32x4.div(v128.load(x + (<usize>c << 2)), p), channels - c);
  }
}
