import { fma, fnma } from '../common/simd';
import { storeFirst } from '../common/tail';

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

// The numbers of a step by kind, in their order in memory; optimizerHyper in src/backend/prims/optimizer.ts explains them.

/** @abi */
const enum SgdHyper { lr, momentum, dampening, weightDecay, nesterov, maximize, first }
/** @abi */
const enum AdamHyper { stepSize, beta1, rest1, beta2, rest2, epsilon, weightDecay, decay, correction, maximize }
/** @abi */
const enum RmspropHyper { lr, alpha, rest, epsilon, weightDecay, momentum, maximize }
/** @abi */
const enum AdagradHyper { lr, epsilon, weightDecay, maximize }
/** @abi */
const enum AdadeltaHyper { lr, rho, rest, epsilon, weightDecay, maximize }
/** @abi */
const enum AdamaxHyper { stepSize, beta1, rest1, beta2, epsilon, weightDecay, maximize }
/** @abi */
const enum NadamHyper { ofGrad, ofMean, beta1, rest1, beta2, rest2, epsilon, weightDecay, correction, maximize }
/** @abi */
const enum RadamHyper { stepSize, adaptive, beta1, rest1, beta2, rest2, epsilon, weightDecay, maximize }
/** @abi */
const enum RpropHyper { etaMinus, etaPlus, least, most, maximize }
/** @abi */
const enum LionHyper { lr, beta1, rest1, beta2, rest2, decay, maximize }
/** @abi */
const enum LambHyper { lr, beta1, rest1, beta2, rest2, epsilon, weightDecay, scale1, correction, maximize }
/** @abi */
const enum LambApplyHyper { lr }

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

/** Number i of the step. */
// @ts-ignore: decorator
@inline
function value(d: OptimizerDesc, i: usize): f32 {
  return load<f32>(d.hyper + (i << 2));
}

/** Number i of the step, in all lanes. */
// @ts-ignore: decorator
@inline
function entry(d: OptimizerDesc, i: usize): v128 {
  return v128.load32_splat(d.hyper + (i << 2));
}

/** −1 if the flag `maximize` is 1, else 1. */
// @ts-ignore: decorator
@inline
function signOf(d: OptimizerDesc, i: usize): v128 {
  return f32x4.splat(1 - 2 * value(d, i));
}

/** 1, −1 or 0: the sign of v. */
// @ts-ignore: decorator
@inline
function sign(v: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  return f32x4.sub(v128.and(one, f32x4.gt(v, zero)), v128.and(one, f32x4.lt(v, zero)));
}

function sgd(d: OptimizerDesc, at: usize, n: i32): void {
  const lr = entry(d, SgdHyper.lr);
  const weightDecay = entry(d, SgdHyper.weightDecay);
  const s = signOf(d, SgdHyper.maximize);
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
  const first = value(d, SgdHyper.first) == 1;
  const lr = entry(d, SgdHyper.lr);
  const momentum = entry(d, SgdHyper.momentum);
  const kept = first ? f32x4.splat(0) : momentum;
  const taken = first ? f32x4.splat(1) : f32x4.splat(1 - value(d, SgdHyper.dampening));
  const weightDecay = entry(d, SgdHyper.weightDecay);
  const nesterov = value(d, SgdHyper.nesterov) == 1;
  const s = signOf(d, SgdHyper.maximize);
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
  const stepSize = entry(d, AdamHyper.stepSize);
  const beta1 = entry(d, AdamHyper.beta1);
  const rest1 = entry(d, AdamHyper.rest1);
  const beta2 = entry(d, AdamHyper.beta2);
  const rest2 = entry(d, AdamHyper.rest2);
  const epsilon = entry(d, AdamHyper.epsilon);
  const weightDecay = entry(d, AdamHyper.weightDecay);
  const decay = entry(d, AdamHyper.decay);
  const correction = entry(d, AdamHyper.correction);
  const s = signOf(d, AdamHyper.maximize);
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
  const lr = entry(d, RmspropHyper.lr);
  const alpha = entry(d, RmspropHyper.alpha);
  const rest = entry(d, RmspropHyper.rest);
  const epsilon = entry(d, RmspropHyper.epsilon);
  const weightDecay = entry(d, RmspropHyper.weightDecay);
  const momentum = entry(d, RmspropHyper.momentum);
  const s = signOf(d, RmspropHyper.maximize);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const w = v128.load(d.p + i);
    const grad = fma(weightDecay, w, f32x4.mul(s, v128.load(d.g + i)));
    let variance = fma(alpha, v128.load(d.a + i), f32x4.mul(rest, f32x4.mul(grad, grad)));
    storeFirst(d.a + i, variance, n);
    if (d.c) {
      const mean = fma(alpha, v128.load(d.c + i), f32x4.mul(rest, grad));
      storeFirst(d.c + i, mean, n);
      // Rounding can make the variance of a constant gradient negative.
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
  const lr = entry(d, AdagradHyper.lr);
  const epsilon = entry(d, AdagradHyper.epsilon);
  const weightDecay = entry(d, AdagradHyper.weightDecay);
  const s = signOf(d, AdagradHyper.maximize);
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
  const lr = entry(d, AdadeltaHyper.lr);
  const rho = entry(d, AdadeltaHyper.rho);
  const rest = entry(d, AdadeltaHyper.rest);
  const epsilon = entry(d, AdadeltaHyper.epsilon);
  const weightDecay = entry(d, AdadeltaHyper.weightDecay);
  const s = signOf(d, AdadeltaHyper.maximize);
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
  const stepSize = entry(d, AdamaxHyper.stepSize);
  const beta1 = entry(d, AdamaxHyper.beta1);
  const rest1 = entry(d, AdamaxHyper.rest1);
  const beta2 = entry(d, AdamaxHyper.beta2);
  const epsilon = entry(d, AdamaxHyper.epsilon);
  const weightDecay = entry(d, AdamaxHyper.weightDecay);
  const s = signOf(d, AdamaxHyper.maximize);
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
  const ofGrad = entry(d, NadamHyper.ofGrad);
  const ofMean = entry(d, NadamHyper.ofMean);
  const beta1 = entry(d, NadamHyper.beta1);
  const rest1 = entry(d, NadamHyper.rest1);
  const beta2 = entry(d, NadamHyper.beta2);
  const rest2 = entry(d, NadamHyper.rest2);
  const epsilon = entry(d, NadamHyper.epsilon);
  const weightDecay = entry(d, NadamHyper.weightDecay);
  const correction = entry(d, NadamHyper.correction);
  const s = signOf(d, NadamHyper.maximize);
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
  const stepSize = entry(d, RadamHyper.stepSize);
  const adaptive = value(d, RadamHyper.adaptive) == 1;
  const beta1 = entry(d, RadamHyper.beta1);
  const rest1 = entry(d, RadamHyper.rest1);
  const beta2 = entry(d, RadamHyper.beta2);
  const rest2 = entry(d, RadamHyper.rest2);
  const epsilon = entry(d, RadamHyper.epsilon);
  const weightDecay = entry(d, RadamHyper.weightDecay);
  const s = signOf(d, RadamHyper.maximize);
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
  const etaMinus = entry(d, RpropHyper.etaMinus);
  const etaPlus = entry(d, RpropHyper.etaPlus);
  const least = entry(d, RpropHyper.least);
  const most = entry(d, RpropHyper.most);
  const s = signOf(d, RpropHyper.maximize);
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
  const lr = entry(d, LionHyper.lr);
  const beta1 = entry(d, LionHyper.beta1);
  const rest1 = entry(d, LionHyper.rest1);
  const beta2 = entry(d, LionHyper.beta2);
  const rest2 = entry(d, LionHyper.rest2);
  const decay = entry(d, LionHyper.decay);
  const s = signOf(d, LionHyper.maximize);
  for (let i = at; n > 0; n -= 4, i += 16) {
    const grad = f32x4.mul(s, v128.load(d.g + i));
    const m = v128.load(d.a + i);
    const direction = sign(fma(beta1, m, f32x4.mul(rest1, grad)));
    storeFirst(d.p + i, fnma(lr, direction, f32x4.mul(v128.load(d.p + i), decay)), n);
    storeFirst(d.a + i, fma(beta2, m, f32x4.mul(rest2, grad)), n);
  }
}

function lamb(d: OptimizerDesc, at: usize, n: i32): void {
  const beta1 = entry(d, LambHyper.beta1);
  const rest1 = entry(d, LambHyper.rest1);
  const beta2 = entry(d, LambHyper.beta2);
  const rest2 = entry(d, LambHyper.rest2);
  const epsilon = entry(d, LambHyper.epsilon);
  const weightDecay = entry(d, LambHyper.weightDecay);
  const scale1 = entry(d, LambHyper.scale1);
  const correction = entry(d, LambHyper.correction);
  const s = signOf(d, LambHyper.maximize);
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
  const lr = value(d, LambApplyHyper.lr);
  const rate = f32x4.splat(weight > 0 && step > 0 ? (lr * weight) / step : lr);
  for (let i = at; n > 0; n -= 4, i += 16) {
    storeFirst(d.p + i, fnma(rate, v128.load(d.g + i), v128.load(d.p + i)), n);
  }
}
