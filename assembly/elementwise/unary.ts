import { elementwise } from '../common/elementwise';

/** y[i] = f(x[i]); y may be x. */
@unmanaged
export class UnaryDesc {
  x: usize;
  y: usize;
  length: i32;
  /** Elements per work unit, a multiple of 4. */
  unit: i32;
  kind: i32;
  alpha: f32;
  beta: f32;
}

export function unary(d: UnaryDesc, begin: i32, end: i32): void {
  const from = begin * d.unit;
  const at = <usize>from << 2;
  elementwise(d.kind, d.alpha, d.beta, d.x + at, d.y + at, min(end * d.unit, d.length) - from);
}
