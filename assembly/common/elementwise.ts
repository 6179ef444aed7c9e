// y[i] = f(x[i]) over a run of elements: the elementwise kernels, and the activation inside other kernels. y may be x.
import { activate, evaluate, Kind } from './activation';
import { storeFirst } from './tail';

/**
 * Two vectors at a time, which is a sixth faster than one; `kind` is a literal. Rejected for sigmoid and SiLU: six vectors at a
 * time, so that each constant is loaded once. That was a tenth faster alone, and no faster after the tiles of EfficientNet-B0.
 * SiLU without its division takes nine tenths of the time: the number of instructions is the limit.
 */
// @ts-ignore: decorator
@inline
export function paired(kind: i32, alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  for (; n >= 8; n -= 8) {
    const u = evaluate(kind, alpha, beta, v128.load(x));
    const v = evaluate(kind, alpha, beta, v128.load(x, 16));
    v128.store(y, u);
    v128.store(y, v, 16);
    x += 32;
    y += 32;
  }
  for (; n > 0; n -= 4) {
    storeFirst(y, evaluate(kind, alpha, beta, v128.load(x)), n);
    x += 16;
    y += 16;
  }
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

function others(kind: i32, alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  for (; n > 0; n -= 4) {
    storeFirst(y, activate(kind, alpha, beta, v128.load(x)), n);
    x += 16;
    y += 16;
  }
}

/** Kinds that are cheaper than a branch per vector have a separate loop. */
export function elementwise(kind: i32, alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  if (kind == Kind.relu) paired(Kind.relu, alpha, beta, x, y, n);
  else if (kind == Kind.clip) paired(Kind.clip, alpha, beta, x, y, n);
  else if (kind == Kind.leakyRelu) paired(Kind.leakyRelu, alpha, beta, x, y, n);
  else if (kind == Kind.hardSwish) paired(Kind.hardSwish, alpha, beta, x, y, n);
  else if (kind == Kind.sigmoid) paired(Kind.sigmoid, alpha, beta, x, y, n);
  else if (kind == Kind.silu) paired(Kind.silu, alpha, beta, x, y, n);
  else if (kind == Kind.tanh) single(Kind.tanh, alpha, beta, x, y, n);
  else if (kind == Kind.gelu) single(Kind.gelu, alpha, beta, x, y, n);
  else if (kind == Kind.exp) single(Kind.exp, alpha, beta, x, y, n);
  else if (kind == Kind.hardSigmoid) single(Kind.hardSigmoid, alpha, beta, x, y, n);
  else if (kind == Kind.sqrt) single(Kind.sqrt, alpha, beta, x, y, n);
  else if (kind == Kind.linear) paired(Kind.linear, alpha, beta, x, y, n);
  else if (kind == Kind.geluTanh) single(Kind.geluTanh, alpha, beta, x, y, n);
  else if (kind == Kind.mish) single(Kind.mish, alpha, beta, x, y, n);
  else others(kind, alpha, beta, x, y, n);
}
