import { activate, evaluate, Kind } from '../common/activation';
import { paired } from '../common/elementwise';
import { storeFirst } from '../common/tail';

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

// @ts-ignore: decorator
@inline
function single(kind: i32, alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  for (; n > 0; n -= 4) {
    storeFirst(y, evaluate(kind, alpha, beta, v128.load(x)), n);
    x += 16;
    y += 16;
  }
}

export function unary(d: UnaryDesc, begin: i32, end: i32): void {
  const from = begin * d.unit;
  const n = min(end * d.unit, d.length) - from;
  const x = d.x + (<usize>from << 2);
  const y = d.y + (<usize>from << 2);
  const alpha = d.alpha;
  const beta = d.beta;
  const kind = d.kind;
  // A loop of its own for the kinds where choosing once per vector would cost more than the function itself.
  if (kind == Kind.relu) paired(Kind.relu, alpha, beta, x, y, n);
  else if (kind == Kind.clip) paired(Kind.clip, alpha, beta, x, y, n);
  else if (kind == Kind.leakyRelu) paired(Kind.leakyRelu, alpha, beta, x, y, n);
  else if (kind == Kind.hardSwish) paired(Kind.hardSwish, alpha, beta, x, y, n);
  else if (kind == Kind.sigmoid) paired(Kind.sigmoid, alpha, beta, x, y, n);
  else if (kind == Kind.silu) paired(Kind.silu, alpha, beta, x, y, n);
  else if (kind == Kind.tanh) single(Kind.tanh, alpha, beta, x, y, n);
  else if (kind == Kind.gelu) single(Kind.gelu, alpha, beta, x, y, n);
  else if (kind == Kind.exp) single(Kind.exp, alpha, beta, x, y, n);
  else if (kind == Kind.linear) paired(Kind.linear, alpha, beta, x, y, n);
  else if (kind == Kind.geluTanh) single(Kind.geluTanh, alpha, beta, x, y, n);
  else if (kind == Kind.mish) single(Kind.mish, alpha, beta, x, y, n);
  else others(kind, alpha, beta, x, y, n);
}

function others(kind: i32, alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  for (; n > 0; n -= 4) {
    storeFirst(y, activate(kind, alpha, beta, v128.load(x)), n);
    x += 16;
    y += 16;
  }
}
