import { exp } from '../common/math';
import { fnma } from '../common/simd';
import { storeFirst } from '../common/tail';

/** Cross entropy of log-probabilities y [outer, length, inner] with target classes, and its gradient. */
@unmanaged
export class CrossEntropyDesc {
  y: usize;
  /** int32, [outer, inner]; checked to be a class or `ignoreIndex`. */
  target: usize;
  /** Weight of each class, or 0. */
  weight: usize;
  loss: usize;
  /** The weight of the target's class, 0 if the target is ignored. */
  share: usize;
  outer: i32;
  length: i32;
  inner: i32;
  ignoreIndex: i32;
  labelSmoothing: f32;
  /** Elements of the loss per work unit. */
  unit: i32;
}

// @ts-ignore: decorator
@inline
function weightOf(weight: usize, c: i32): f32 {
  return weight ? load<f32>(weight + (<usize>c << 2)) : 1;
}

export function crossEntropy(d: CrossEntropyDesc, begin: i32, end: i32): void {
  const last = min(end * d.unit, d.outer * d.inner);
  const step = <usize>d.inner << 2;
  const each = d.labelSmoothing / <f32>d.length;
  for (let at = begin * d.unit; at < last; at++) {
    const o = at / d.inner;
    const y = d.y + ((<usize>(o * d.length) * <usize>d.inner + <usize>(at - o * d.inner)) << 2);
    const t = load<i32>(d.target + (<usize>at << 2));
    let sum: f32 = 0;
    let own: f32 = 0;
    if (t != d.ignoreIndex) {
      own = weightOf(d.weight, t);
      sum = (<f32>1 - d.labelSmoothing) * own * load<f32>(y + <usize>t * step);
      if (each != 0) {
        let all: f32 = 0;
        for (let c = 0; c < d.length; c++) all += weightOf(d.weight, c) * load<f32>(y + <usize>c * step);
        sum += each * all;
      }
    }
    store<f32>(d.loss + (<usize>at << 2), -sum);
    store<f32>(d.share + (<usize>at << 2), own);
  }
}

/** gx = g·(exp(y)·Σ aim − aim) where aim is the smoothed target times the weights; without `logits` gx = −g·aim. */
@unmanaged
export class CrossEntropyGradDesc {
  y: usize;
  target: usize;
  weight: usize;
  gy: usize;
  /** Address of the divisor of a mean, or 0. */
  total: usize;
  gx: usize;
  outer: i32;
  length: i32;
  inner: i32;
  ignoreIndex: i32;
  labelSmoothing: f32;
  logits: i32;
  /** 0: one gradient for all elements, else 1. */
  gyStep: i32;
  /** Rows (inner = 1) or strips of four columns per work unit. */
  unit: i32;
}

export function crossEntropyGrad(d: CrossEntropyGradDesc, begin: i32, end: i32): void {
  let all: f32 = <f32>d.length;
  if (d.weight) {
    all = 0;
    for (let c = 0; c < d.length; c++) all += weightOf(d.weight, c);
  }
  const strips = (d.inner + 3) >> 2;
  const last = min(end * d.unit, d.outer * strips);
  for (let i = begin * d.unit; i < last; i++) {
    const o = i / strips;
    if (d.inner == 1) row(d, o, all);
    else columns(d, o, (i - o * strips) << 2, all);
  }
}

/** The factor of one element of the loss: 0 if the target is ignored. */
// @ts-ignore: decorator
@inline
function factorOf(d: CrossEntropyGradDesc, at: i32): f32 {
  if (load<i32>(d.target + (<usize>at << 2)) == d.ignoreIndex) return 0;
  const g = load<f32>(d.gy + (<usize>(at * d.gyStep) << 2));
  return d.total ? g / load<f32>(d.total) : g;
}

function row(d: CrossEntropyGradDesc, o: i32, all: f32): void {
  const t = load<i32>(d.target + (<usize>o << 2));
  let n = d.length;
  const bytes = (<usize>o * <usize>n) << 2;
  let y = d.y + bytes;
  let gx = d.gx + bytes;
  const g = factorOf(d, o);
  if (t == d.ignoreIndex) {
    memory.fill(gx, 0, <usize>n << 2);
    return;
  }
  const own = (<f32>1 - d.labelSmoothing) * weightOf(d.weight, t);
  const each = d.labelSmoothing / <f32>n;
  const spread = f32x4.splat(g * (own + each * all));
  const flat = f32x4.splat(g * each);
  const target = gx + (<usize>t << 2);
  let weight = d.weight;
  for (; n > 0; n -= 4) {
    let v = d.logits ? f32x4.mul(exp(v128.load(y)), spread) : f32x4.splat(0);
    v = weight ? fnma(flat, v128.load(weight), v) : f32x4.sub(v, flat);
    storeFirst(gx, v, n);
    y += 16;
    gx += 16;
    if (weight) weight += 16;
  }
  store<f32>(target, load<f32>(target) - g * own);
}

function columns(d: CrossEntropyGradDesc, o: i32, column: i32, all: f32): void {
  const n = min(d.inner - column, 4);
  const at = o * d.inner + column;
  const each = d.labelSmoothing / <f32>d.length;
  const t = v128.load(d.target + (<usize>at << 2));
  let factor = f32x4.splat(0);
  let own = f32x4.splat(0);
  for (let k = 0; k < n; k++) {
    const g = factorOf(d, at + k);
    const aim = load<i32>(d.target + (<usize>(at + k) << 2));
    const w = aim == d.ignoreIndex ? <f32>0 : (<f32>1 - d.labelSmoothing) * weightOf(d.weight, aim);
    const lane = i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(k));
    factor = v128.bitselect(f32x4.splat(g), factor, lane);
    own = v128.bitselect(f32x4.splat(w), own, lane);
  }
  const stride = <usize>d.inner << 2;
  const first = (<usize>(o * d.length) * <usize>d.inner + <usize>column) << 2;
  let y = d.y + first;
  let gx = d.gx + first;
  const counted = i32x4.ne(t, i32x4.splat(d.ignoreIndex));
  const spread = f32x4.mul(factor, f32x4.add(own, f32x4.splat(each * all)));
  const hit = f32x4.mul(factor, own);
  for (let c = 0; c < d.length; c++) {
    let v = d.logits ? f32x4.mul(exp(v128.load(y)), spread) : f32x4.splat(0);
    v = fnma(factor, f32x4.splat(each * weightOf(d.weight, c)), v);
    v = f32x4.sub(v, v128.and(hit, i32x4.eq(t, i32x4.splat(c))));
    storeFirst(gx, v128.and(v, counted), n);
    y += stride;
    gx += stride;
  }
}
