// Losses between numbers, and margins between examples; see loss.ts.
import { apply1, type Variable } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { fits, refuse } from '../common/options.ts';
import {
  type GaussianOptions,
  gaussianKnown,
  type HuberOptions,
  huberKnown,
  type KlDivOptions,
  klDivKnown,
  type LossOptions,
  lossKnown,
  type MarginOptions,
  marginKnown,
  type PairwiseOptions,
  type PoissonOptions,
  pairwiseKnown,
  poissonKnown,
  type SmoothL1Options,
  smoothL1Known,
  type TripletOptions,
  tripletKnown,
} from './loss-options.ts';
import { expectSameShape, reduced } from './loss-reduction.ts';

export type {
  GaussianOptions,
  HuberOptions,
  KlDivOptions,
  MarginOptions,
  PairwiseOptions,
  PoissonOptions,
  SmoothL1Options,
  TripletOptions,
} from './loss-options.ts';

/** (x − target)². */
export function mseLoss(x: Variable, target: Variable, options: LossOptions = {}): Variable {
  if (!fits(options, lossKnown)) refuse('mseLoss', options, lossKnown, { x, target });
  expectSameShape('mseLoss', x, target);
  return reduced(x.sub(target).square(), options.reduction);
}

/** |x − target|. */
export function l1Loss(x: Variable, target: Variable, options: LossOptions = {}): Variable {
  if (!fits(options, lossKnown)) refuse('l1Loss', options, lossKnown, { x, target });
  expectSameShape('l1Loss', x, target);
  return reduced(x.sub(target).abs(), options.reduction);
}

/** ½d² up to `limit`, limit·(d − ½limit) beyond: with c = min(d, limit) that is ½c² + limit·(d − c). */
function bent(difference: Variable, limit: number): Variable {
  const distance = difference.abs();
  const near = distance.clamp(0, limit);
  return near.square().mul(0.5).add(distance.sub(near).mul(limit));
}

function expectPositive(op: string, name: string, value: number, least = 0): void {
  if (value > least || (value === 0 && least < 0)) return;
  throw new ConvletError('argument', `${op}: ${name} expects a number ${least < 0 ? '≥' : '>'} 0, got ${value}`);
}

/** ½d²/beta below beta, d − ½beta from there (Girshick 2015), d = |x − target|. beta 0: l1Loss. */
export function smoothL1Loss(x: Variable, target: Variable, options: SmoothL1Options = {}): Variable {
  if (!fits(options, smoothL1Known)) refuse('smoothL1Loss', options, smoothL1Known, { x, target });
  const { beta = 1, reduction } = options;
  expectPositive('smoothL1Loss', 'beta', beta, -1);
  if (beta === 0) return l1Loss(x, target, { reduction });
  expectSameShape('smoothL1Loss', x, target);
  return reduced(bent(x.sub(target), beta).mul(1 / beta), reduction);
}

/** ½d² below delta, delta·(d − ½delta) from there (Huber 1964). */
export function huberLoss(x: Variable, target: Variable, options: HuberOptions = {}): Variable {
  if (!fits(options, huberKnown)) refuse('huberLoss', options, huberKnown, { x, target });
  const { delta = 1, reduction } = options;
  expectPositive('huberLoss', 'delta', delta);
  expectSameShape('huberLoss', x, target);
  return reduced(bent(x.sub(target), delta), reduction);
}

/** target·(log target − x): Kullback & Leibler's divergence, x being log-probabilities. */
export function klDiv(x: Variable, target: Variable, options: KlDivOptions = {}): Variable {
  if (!fits(options, klDivKnown)) refuse('klDiv', options, klDivKnown, { x, target });
  expectSameShape('klDiv', x, target);
  const { reduction = 'mean', logTarget = false } = options;
  // 0·log 0 is 0.
  const losses = logTarget ? target.exp().mul(target.sub(x)) : target.mul(target.clamp(1e-38).log().sub(x));
  if (reduction === 'batchmean') return losses.sum().mul(1 / x.shape[0]);
  return reduced(losses, reduction);
}

/** log(1 + exp(−target·x)), targets ±1. */
export function softMarginLoss(x: Variable, target: Variable, options: LossOptions = {}): Variable {
  if (!fits(options, lossKnown)) refuse('softMarginLoss', options, lossKnown, { x, target });
  expectSameShape('softMarginLoss', x, target);
  return reduced(apply1('logSigmoid', [target.mul(x)]).neg(), options.reduction);
}

/** x where the target is 1, max(0, margin − x) where it is −1. */
export function hingeEmbeddingLoss(x: Variable, target: Variable, options: MarginOptions = {}): Variable {
  if (!fits(options, marginKnown)) refuse('hingeEmbeddingLoss', options, marginKnown, { x, target });
  expectSameShape('hingeEmbeddingLoss', x, target);
  const { margin = 1, reduction } = options;
  const far = x.neg().add(margin).relu();
  return reduced(x.where(target.ne(-1), 0).add(far.where(target.ne(1), 0)), reduction);
}

/** Poisson's negative log-likelihood: exp(x) − target·x, or x − target·log(x + eps). */
export function poissonNllLoss(x: Variable, target: Variable, options: PoissonOptions = {}): Variable {
  if (!fits(options, poissonKnown)) refuse('poissonNllLoss', options, poissonKnown, { x, target });
  expectSameShape('poissonNllLoss', x, target);
  const { logInput = true, full = false, eps = 1e-8, reduction } = options;
  let losses = logInput ? x.exp().sub(target.mul(x)) : x.sub(target.mul(x.add(eps).log()));
  if (full) {
    const large = target.clamp(1);
    const stirling = large
      .mul(large.log())
      .sub(large)
      .add(
        large
          .mul(2 * Math.PI)
          .log()
          .mul(0.5),
      );
    losses = losses.add(stirling.where(target.gt(1), 0));
  }
  return reduced(losses, reduction);
}

/** ½·(log variance + (x − target)² / variance); the variance may be broadcast. */
export function gaussianNllLoss(
  x: Variable,
  target: Variable,
  variance: Variable,
  options: GaussianOptions = {},
): Variable {
  if (!fits(options, gaussianKnown)) refuse('gaussianNllLoss', options, gaussianKnown, { x, target, variance });
  expectSameShape('gaussianNllLoss', x, target);
  const { full = false, eps = 1e-6, reduction } = options;
  const at = variance.clamp(eps);
  const losses = x.sub(target).square().div(at).add(at.log()).mul(0.5);
  return reduced(full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, reduction);
}

/** ‖a − b + eps‖ over the last axis. */
export function pairwiseDistance(a: Variable, b: Variable, options: PairwiseOptions = {}): Variable {
  if (!fits(options, pairwiseKnown)) refuse('pairwiseDistance', options, pairwiseKnown, { a, b });
  const { p = 2, eps = 1e-6 } = options;
  expectPositive('pairwiseDistance', 'p', p);
  const difference = a.sub(b).add(eps);
  if (p === 2) return difference.norm(-1);
  if (p === 1) return difference.abs().sum(-1);
  return p === Infinity
    ? difference.abs().max(-1)
    : difference
        .abs()
        .pow(p)
        .sum(-1)
        .pow(1 / p);
}

/** max(0, margin + ‖anchor − positive‖ − ‖anchor − negative‖) over the last axis. */
export function tripletMarginLoss(
  anchor: Variable,
  positive: Variable,
  negative: Variable,
  options: TripletOptions = {},
): Variable {
  if (!fits(options, tripletKnown)) refuse('tripletMarginLoss', options, tripletKnown, { anchor, positive, negative });
  const { margin = 1, swap = false, reduction, p, eps } = options;
  expectSameShape('tripletMarginLoss', anchor, positive, 'positive');
  expectSameShape('tripletMarginLoss', anchor, negative, 'negative');
  const near = pairwiseDistance(anchor, positive, { p, eps });
  let far = pairwiseDistance(anchor, negative, { p, eps });
  if (swap) far = far.minimum(pairwiseDistance(positive, negative, { p, eps }));
  return reduced(near.sub(far).add(margin).relu(), reduction);
}

/** a·b / √((‖a‖² + 10⁻¹²)·(‖b‖² + 10⁻¹²)) over the last axis. */
function cosine(a: Variable, b: Variable): Variable {
  const lengths = [a, b].map((x) => x.square().sum(-1).add(1e-12));
  return a.mul(b).sum(-1).div(lengths[0].mul(lengths[1]).sqrt());
}

/** 1 − cos(a, b) where the target is 1, max(0, cos(a, b) − margin) where it is −1; a and b [N,D] or [D], target [N] or []. */
export function cosineEmbeddingLoss(a: Variable, b: Variable, target: Variable, options: MarginOptions = {}): Variable {
  if (!fits(options, marginKnown)) refuse('cosineEmbeddingLoss', options, marginKnown, { a, b, target });
  const { margin = 0, reduction } = options;
  expectSameShape('cosineEmbeddingLoss', a, b, 'b');
  const angle = cosine(a, b);
  expectSameShape('cosineEmbeddingLoss', angle, target);
  const near = angle.neg().add(1).where(target.eq(1), 0);
  return reduced(near.add(angle.sub(margin).relu().where(target.eq(-1), 0)), reduction);
}
