import { fma, fnma } from '../common/simd';
import { storeFirst } from '../common/tail';

/** The same order as optimizerHyper in src/backend/prims/optimizer.ts. */
/** Kinds of updates. @abi */
const enum Optimizer {
  sgd,
  adam,
  rmsprop,
  adagrad,
  adadelta,
  adamax,
  nadam,
  radam,
  rprop,
  lion,
  lamb,
  lambApply,
}

/** One step of an optimizer in place: parameter p, gradient g, states a, b, c (0: none), the numbers of the step. */
@unmanaged
export class OptimizerDesc {
  p: usize;
  g: usize;
  a: usize;
  b: usize;
  c: usize;
  hyper: usize;
  length: i32;
  /** Elements per work unit, a multiple of 4. */
  unit: i32;
  kind: i32;
}

export function optimizerStep(d: OptimizerDesc, begin: i32, end: i32): void {
  const from = begin * d.unit;
  const n = min(end * d.unit, d.length) - from;
  const at = <usize>from << 2;
  switch (d.kind) {
    case Optimizer.sgd:
      if (d.a) sgdMomentum(d, at, n);
      else sgd(d, at, n);
      break;
    case Optimizer.adam:
      if (d.c) adam(true, d, at, n);
      else adam(false, d, at, n);
      break;
    case Optimizer.rmsprop:
      rmsprop(d, at, n);
      break;
    case Optimizer.adagrad:
      adagrad(d, at, n);
      break;
    case Optimizer.adadelta:
      adadelta(d, at, n);
      break;
    case Optimizer.adamax:
      adamax(d, at, n);
      break;
    case Optimizer.nadam:
      nadam(d, at, n);
      break;
    case Optimizer.radam:
      radam(d, at, n);
      break;
    case Optimizer.rprop:
      rprop(d, at, n);
      break;
    case Optimizer.lion:
      lion(d, at, n);
      break;
    case Optimizer.lamb:
      lamb(d, at, n);
      break;
    default:
      lambApply(d, at, n);
  }
}

/** Entry i of the numbers, in all lanes. */
// @ts-ignore: decorator
@inline
function entry(d: OptimizerDesc, i: usize): v128 {
  return v128.load32_splat(d.hyper + (i << 2));
}

/** −1 where the flag is 1 (maximize), else 1. */
// @ts-ignore: decorator
@inline
function signOf(d: OptimizerDesc, i: usize): v128 {
  return f32x4.splat(1 - 2 * load<f32>(d.hyper + (i << 2)));
}

/** ±1 or 0, like the sign of v. */
// @ts-ignore: decorator
@inline
function sign(v: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  return f32x4.sub(v128.and(one, f32x4.gt(v, zero)), v128.and(one, f32x4.lt(v, zero)));
}

function sgd(d: OptimizerDesc, at: usize, n: i32): void {
  const lr = entry(d, 0);
  const weightDecay = entry(d, 3);
  const s = signOf(d, 5);
  let p = d.p + at;
  let g = d.g + at;
  for (; n > 0; n -= 4) {
    const w = v128.load(p);
    storeFirst(p, fnma(lr, fma(weightDecay, w, f32x4.mul(s, v128.load(g))), w), n);
    p += 16;
    g += 16;
  }
}

function sgdMomentum(d: OptimizerDesc, at: usize, n: i32): void {
  const first = load<f32>(d.hyper, 24) == 1;
  const lr = entry(d, 0);
  const momentum = entry(d, 1);
  const kept = first ? f32x4.splat(0) : momentum;
  const taken = first ? f32x4.splat(1) : f32x4.splat(1 - load<f32>(d.hyper, 8));
  const weightDecay = entry(d, 3);
  const nesterov = load<f32>(d.hyper, 16) == 1;
  const s = signOf(d, 5);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const w = v128.load(d.p + i);
    let step = fma(weightDecay, w, f32x4.mul(s, v128.load(d.g + i)));
    const buffer = fma(kept, v128.load(d.a + i), f32x4.mul(taken, step));
    storeFirst(d.a + i, buffer, n);
    step = nesterov ? fma(momentum, buffer, step) : buffer;
    storeFirst(d.p + i, fnma(lr, step, w), n);
  }
}

// @ts-ignore: decorator
@inline
function adam(largest: bool, d: OptimizerDesc, at: usize, n: i32): void {
  const stepSize = entry(d, 0);
  const beta1 = entry(d, 1);
  const rest1 = entry(d, 2);
  const beta2 = entry(d, 3);
  const rest2 = entry(d, 4);
  const epsilon = entry(d, 5);
  const weightDecay = entry(d, 6);
  const decay = entry(d, 7);
  const correction = entry(d, 8);
  const s = signOf(d, 9);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const w = f32x4.mul(v128.load(d.p + i), decay);
    const grad = fma(weightDecay, w, f32x4.mul(s, v128.load(d.g + i)));
    const m = fma(beta1, v128.load(d.a + i), f32x4.mul(rest1, grad));
    let v = fma(beta2, v128.load(d.b + i), f32x4.mul(rest2, f32x4.mul(grad, grad)));
    storeFirst(d.a + i, m, n);
    storeFirst(d.b + i, v, n);
    if (largest) {
      v = f32x4.max(v128.load(d.c + i), v);
      storeFirst(d.c + i, v, n);
    }
    const divisor = fma(f32x4.sqrt(v), correction, epsilon);
    storeFirst(d.p + i, f32x4.sub(w, f32x4.div(f32x4.mul(stepSize, m), divisor)), n);
  }
}

function rmsprop(d: OptimizerDesc, at: usize, n: i32): void {
  const lr = entry(d, 0);
  const alpha = entry(d, 1);
  const rest = entry(d, 2);
  const epsilon = entry(d, 3);
  const weightDecay = entry(d, 4);
  const momentum = entry(d, 5);
  const s = signOf(d, 6);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const w = v128.load(d.p + i);
    const grad = fma(weightDecay, w, f32x4.mul(s, v128.load(d.g + i)));
    let variance = fma(alpha, v128.load(d.a + i), f32x4.mul(rest, f32x4.mul(grad, grad)));
    storeFirst(d.a + i, variance, n);
    if (d.c) {
      const mean = fma(alpha, v128.load(d.c + i), f32x4.mul(rest, grad));
      storeFirst(d.c + i, mean, n);
      // Rounding can leave less than nothing of a gradient that does not change.
      variance = f32x4.pmax(fnma(mean, mean, variance), f32x4.splat(0));
    }
    let step = f32x4.div(grad, f32x4.add(f32x4.sqrt(variance), epsilon));
    if (d.b) {
      step = fma(momentum, v128.load(d.b + i), step);
      storeFirst(d.b + i, step, n);
    }
    storeFirst(d.p + i, fnma(lr, step, w), n);
  }
}

function adagrad(d: OptimizerDesc, at: usize, n: i32): void {
  const lr = entry(d, 0);
  const epsilon = entry(d, 1);
  const weightDecay = entry(d, 2);
  const s = signOf(d, 3);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const w = v128.load(d.p + i);
    const grad = fma(weightDecay, w, f32x4.mul(s, v128.load(d.g + i)));
    const sum = fma(grad, grad, v128.load(d.a + i));
    storeFirst(d.a + i, sum, n);
    const step = f32x4.div(f32x4.mul(lr, grad), f32x4.add(f32x4.sqrt(sum), epsilon));
    storeFirst(d.p + i, f32x4.sub(w, step), n);
  }
}

function adadelta(d: OptimizerDesc, at: usize, n: i32): void {
  const lr = entry(d, 0);
  const rho = entry(d, 1);
  const rest = entry(d, 2);
  const epsilon = entry(d, 3);
  const weightDecay = entry(d, 4);
  const s = signOf(d, 5);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const w = v128.load(d.p + i);
    const grad = fma(weightDecay, w, f32x4.mul(s, v128.load(d.g + i)));
    const square = fma(rho, v128.load(d.a + i), f32x4.mul(rest, f32x4.mul(grad, grad)));
    storeFirst(d.a + i, square, n);
    const moved = v128.load(d.b + i);
    const ratio = f32x4.sqrt(f32x4.div(f32x4.add(moved, epsilon), f32x4.add(square, epsilon)));
    const delta = f32x4.mul(ratio, grad);
    storeFirst(d.b + i, fma(rho, moved, f32x4.mul(rest, f32x4.mul(delta, delta))), n);
    storeFirst(d.p + i, fnma(lr, delta, w), n);
  }
}

function adamax(d: OptimizerDesc, at: usize, n: i32): void {
  const stepSize = entry(d, 0);
  const beta1 = entry(d, 1);
  const rest1 = entry(d, 2);
  const beta2 = entry(d, 3);
  const epsilon = entry(d, 4);
  const weightDecay = entry(d, 5);
  const s = signOf(d, 6);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const w = v128.load(d.p + i);
    const grad = fma(weightDecay, w, f32x4.mul(s, v128.load(d.g + i)));
    const m = fma(beta1, v128.load(d.a + i), f32x4.mul(rest1, grad));
    const norm = f32x4.max(f32x4.mul(beta2, v128.load(d.b + i)), f32x4.add(f32x4.abs(grad), epsilon));
    storeFirst(d.a + i, m, n);
    storeFirst(d.b + i, norm, n);
    storeFirst(d.p + i, f32x4.sub(w, f32x4.div(f32x4.mul(stepSize, m), norm)), n);
  }
}

function nadam(d: OptimizerDesc, at: usize, n: i32): void {
  const ofGrad = entry(d, 0);
  const ofMean = entry(d, 1);
  const beta1 = entry(d, 2);
  const rest1 = entry(d, 3);
  const beta2 = entry(d, 4);
  const rest2 = entry(d, 5);
  const epsilon = entry(d, 6);
  const weightDecay = entry(d, 7);
  const correction = entry(d, 8);
  const s = signOf(d, 9);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const w = v128.load(d.p + i);
    const grad = fma(weightDecay, w, f32x4.mul(s, v128.load(d.g + i)));
    const m = fma(beta1, v128.load(d.a + i), f32x4.mul(rest1, grad));
    const v = fma(beta2, v128.load(d.b + i), f32x4.mul(rest2, f32x4.mul(grad, grad)));
    storeFirst(d.a + i, m, n);
    storeFirst(d.b + i, v, n);
    const step = fma(ofGrad, grad, f32x4.mul(ofMean, m));
    storeFirst(d.p + i, f32x4.sub(w, f32x4.div(step, fma(f32x4.sqrt(v), correction, epsilon))), n);
  }
}

function radam(d: OptimizerDesc, at: usize, n: i32): void {
  const stepSize = entry(d, 0);
  const adaptive = load<f32>(d.hyper, 4) == 1;
  const beta1 = entry(d, 2);
  const rest1 = entry(d, 3);
  const beta2 = entry(d, 4);
  const rest2 = entry(d, 5);
  const epsilon = entry(d, 6);
  const weightDecay = entry(d, 7);
  const s = signOf(d, 8);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const w = v128.load(d.p + i);
    const grad = fma(weightDecay, w, f32x4.mul(s, v128.load(d.g + i)));
    const m = fma(beta1, v128.load(d.a + i), f32x4.mul(rest1, grad));
    const v = fma(beta2, v128.load(d.b + i), f32x4.mul(rest2, f32x4.mul(grad, grad)));
    storeFirst(d.a + i, m, n);
    storeFirst(d.b + i, v, n);
    let step = f32x4.mul(stepSize, m);
    if (adaptive) step = f32x4.div(step, f32x4.add(f32x4.sqrt(v), epsilon));
    storeFirst(d.p + i, f32x4.sub(w, step), n);
  }
}

function rprop(d: OptimizerDesc, at: usize, n: i32): void {
  const etaMinus = entry(d, 0);
  const etaPlus = entry(d, 1);
  const least = entry(d, 2);
  const most = entry(d, 3);
  const s = signOf(d, 4);
  const zero = f32x4.splat(0);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const grad = f32x4.mul(s, v128.load(d.g + i));
    const agreement = f32x4.mul(sign(grad), sign(v128.load(d.a + i)));
    const turned = f32x4.lt(agreement, zero);
    let factor = v128.bitselect(etaPlus, f32x4.splat(1), f32x4.gt(agreement, zero));
    factor = v128.bitselect(etaMinus, factor, turned);
    const size = f32x4.pmin(f32x4.pmax(f32x4.mul(v128.load(d.b + i), factor), least), most);
    const used = v128.andnot(grad, turned);
    storeFirst(d.b + i, size, n);
    storeFirst(d.a + i, used, n);
    storeFirst(d.p + i, fnma(sign(used), size, v128.load(d.p + i)), n);
  }
}

function lion(d: OptimizerDesc, at: usize, n: i32): void {
  const lr = entry(d, 0);
  const beta1 = entry(d, 1);
  const rest1 = entry(d, 2);
  const beta2 = entry(d, 3);
  const rest2 = entry(d, 4);
  const decay = entry(d, 5);
  const s = signOf(d, 6);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const grad = f32x4.mul(s, v128.load(d.g + i));
    const m = v128.load(d.a + i);
    const direction = sign(fma(beta1, m, f32x4.mul(rest1, grad)));
    storeFirst(d.p + i, fnma(lr, direction, f32x4.mul(v128.load(d.p + i), decay)), n);
    storeFirst(d.a + i, fma(beta2, m, f32x4.mul(rest2, grad)), n);
  }
}

function lamb(d: OptimizerDesc, at: usize, n: i32): void {
  const beta1 = entry(d, 1);
  const rest1 = entry(d, 2);
  const beta2 = entry(d, 3);
  const rest2 = entry(d, 4);
  const epsilon = entry(d, 5);
  const weightDecay = entry(d, 6);
  const scale1 = entry(d, 7);
  const correction = entry(d, 8);
  const s = signOf(d, 9);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const grad = f32x4.mul(s, v128.load(d.g + i));
    const m = fma(beta1, v128.load(d.a + i), f32x4.mul(rest1, grad));
    const v = fma(beta2, v128.load(d.b + i), f32x4.mul(rest2, f32x4.mul(grad, grad)));
    storeFirst(d.a + i, m, n);
    storeFirst(d.b + i, v, n);
    const step = f32x4.div(f32x4.mul(m, scale1), fma(f32x4.sqrt(v), correction, epsilon));
    storeFirst(d.c + i, fma(weightDecay, v128.load(d.p + i), step), n);
  }
}

function lambApply(d: OptimizerDesc, at: usize, n: i32): void {
  const weight = load<f32>(d.a);
  const step = load<f32>(d.b);
  const lr = load<f32>(d.hyper);
  const rate = f32x4.splat(weight > 0 && step > 0 ? (lr * weight) / step : lr);
  for (let i = at; n > 0; n -= 4, i += 16) {
    storeFirst(d.p + i, fnma(rate, v128.load(d.g + i), v128.load(d.p + i)), n);
  }
}
