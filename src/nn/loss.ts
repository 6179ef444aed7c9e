// Losses of torch.nn.functional in camelCase, on variables. Classification here, distances in loss-distance.ts.
import { apply, apply1, type Variable, withoutHistory } from '../autograd/index.ts';
import { dtypes } from '../common/dtype.ts';
import { fits, refuse } from '../common/options.ts';
import {
  type BceOptions,
  type BceWithLogitsOptions,
  bceKnown,
  bceWithLogitsKnown,
  type CrossEntropyOptions,
  type CtcOptions,
  crossEntropyKnown,
  ctcKnown,
  type DiceOptions,
  diceKnown,
  type FocalOptions,
  focalKnown,
  type NllOptions,
  nllKnown,
} from './loss-options.ts';
import { expectSameShape, reduced } from './loss-reduction.ts';

export * from './loss-distance.ts';
export type {
  BceOptions,
  BceWithLogitsOptions,
  CrossEntropyOptions,
  CtcOptions,
  DiceOptions,
  FocalOptions,
  LossOptions,
  NllOptions,
} from './loss-options.ts';
export type { Reduction } from './loss-reduction.ts';

const isFloat = (x: Variable): boolean => dtypes[x.dtype].kind === 'float';
const indices = (target: Variable): Variable =>
  target.dtype === 'int64' || target.dtype === 'int32' ? target : target.to('int64');

/**
 * Cross entropy of logits [N,C,…] or [C] with target classes [N,…] (integers) or probabilities (floats, the logits'
 * shape). A mean of classes is weighted by the targets' weights, one of probabilities is per example.
 *
 * @throws ConvletError `index-range` for a target that is no class, `shape`, `dtype`, `argument`
 */
export function crossEntropy(x: Variable, target: Variable, options: CrossEntropyOptions = {}): Variable {
  if (!fits(options, crossEntropyKnown)) refuse('crossEntropy', options, crossEntropyKnown, { x, target });
  const { weight = null, ignoreIndex = -100, reduction = 'mean', labelSmoothing = 0 } = options;
  if (isFloat(target)) return crossEntropyOfProbabilities(x, target, options);
  const attrs = { reduction, ignoreIndex, labelSmoothing };
  return apply('softmaxCrossEntropy', [x, indices(target), weight], attrs)[0];
}

function crossEntropyOfProbabilities(x: Variable, target: Variable, options: CrossEntropyOptions): Variable {
  const { weight = null, reduction = 'mean', labelSmoothing = 0 } = options;
  expectSameShape('crossEntropy', x, target);
  const axis = x.rank === 1 ? 0 : 1;
  const classes = x.shape[axis];
  const aim = labelSmoothing === 0 ? target : target.mul(1 - labelSmoothing).add(labelSmoothing / classes);
  let scores = x.logSoftmax(axis).mul(aim);
  if (weight !== null) scores = scores.mul(weight.reshape(...x.shape.slice(axis).map((_, i) => (i === 0 ? -1 : 1))));
  const losses = scores.sum(axis).neg();
  return reduced(losses, reduction);
}

/** Negative log-likelihood of log-probabilities [N,C,…] or [C] with target classes [N,…]. */
export function nllLoss(x: Variable, target: Variable, options: NllOptions = {}): Variable {
  if (!fits(options, nllKnown)) refuse('nllLoss', options, nllKnown, { x, target });
  const { weight = null, ignoreIndex = -100, reduction = 'mean' } = options;
  return apply('nllLoss', [x, indices(target), weight], { reduction, ignoreIndex, labelSmoothing: 0 })[0];
}

/** As in PyTorch: log p is not below −100, and p·(1 − p), by which the gradient is divided, not below 1e−12. */
const [leastLogarithm, leastProbability, leastProduct] = [-100, 1e-44, 1e-12];

/** Binary cross entropy of probabilities in 0…1 with targets in 0…1. */
export function binaryCrossEntropy(x: Variable, target: Variable, options: BceOptions = {}): Variable {
  if (!fits(options, bceKnown)) refuse('binaryCrossEntropy', options, bceKnown, { x, target });
  expectSameShape('binaryCrossEntropy', x, target);
  const [p, t] = [withoutHistory(x), withoutHistory(target)];
  const rest = p.neg().add(1);
  const log = (q: Variable): Variable => q.clamp(leastProbability).log().clamp(leastLogarithm);
  const [logHit, logMiss] = [log(p), log(rest)];
  let losses = t.mul(logHit).add(t.neg().add(1).mul(logMiss)).neg();
  // The gradients are not those of the bounded logarithms: they come in by terms whose value is 0.
  if (x.requiresGrad) losses = losses.add(x.sub(p).mul(p.sub(t).div(rest.mul(p).clamp(leastProduct))));
  if (target.requiresGrad) losses = losses.add(target.sub(t).mul(logMiss.sub(logHit)));
  return reduced(options.weight ? losses.mul(options.weight) : losses, options.reduction);
}

/** Binary cross entropy of logits, (1 − t)·x − (1 + (posWeight − 1)·t)·log σ(x): no overflow. */
export function binaryCrossEntropyWithLogits(
  x: Variable,
  target: Variable,
  options: BceWithLogitsOptions = {},
): Variable {
  if (!fits(options, bceWithLogitsKnown))
    refuse('binaryCrossEntropyWithLogits', options, bceWithLogitsKnown, { x, target });
  expectSameShape('binaryCrossEntropyWithLogits', x, target);
  const { weight, posWeight } = options;
  const rest = target.neg().add(1).mul(x);
  const log = apply1('logSigmoid', [x]);
  const losses = rest.sub(posWeight ? target.mul(posWeight.sub(1)).add(1).mul(log) : log);
  return reduced(weight ? losses.mul(weight) : losses, options.reduction);
}

/** alpha·(1 − p)^gamma·CE of logits [N,C,…] with target classes, p being the target's probability (Lin et al. 2017). */
export function focalLoss(x: Variable, target: Variable, options: FocalOptions = {}): Variable {
  if (!fits(options, focalKnown)) refuse('focalLoss', options, focalKnown, { x, target });
  const { gamma = 2, alpha = 0.25, reduction } = options;
  const losses = crossEntropy(x, target, { reduction: 'none' });
  // 1 − exp(−CE) without cancelling; never below 0.
  const missed = apply1('expm1', [losses.neg()]).neg();
  const factor = gamma === 2 ? missed.square() : gamma === 1 ? missed : missed.pow(gamma);
  return reduced(losses.mul(factor).mul(alpha), reduction);
}

/** 1 − (2·Σ p·t + smooth) / (Σ p + Σ t + smooth) with p = σ(x), over all elements (Milletari et al. 2016). */
export function diceLoss(x: Variable, target: Variable, options: DiceOptions = {}): Variable {
  if (!fits(options, diceKnown)) refuse('diceLoss', options, diceKnown, { x, target });
  expectSameShape('diceLoss', x, target);
  const { smooth = 1 } = options;
  const p = x.sigmoid();
  const overlap = p.mul(target).sum().mul(2).add(smooth);
  return overlap.div(p.sum().add(target.sum()).add(smooth)).neg().add(1);
}

/**
 * Connectionist temporal classification (Graves et al. 2006) of log-probabilities [T,N,C] with targets [N,S], lengths
 * [N]. A mean divides each loss by its target's length first.
 */
export function ctcLoss(
  logProbs: Variable,
  targets: Variable,
  inputLengths: Variable,
  targetLengths: Variable,
  options: CtcOptions = {},
): Variable {
  if (!fits(options, ctcKnown))
    refuse('ctcLoss', options, ctcKnown, { logProbs, targets, inputLengths, targetLengths });
  const { blank = 0, zeroInfinity = false, reduction = 'mean' } = options;
  const inputs = [logProbs, targets, inputLengths, targetLengths].map((t, i) => (i === 0 ? t : indices(t)));
  const [losses] = apply('ctcLoss', inputs, { blank, zeroInfinity });
  if (reduction !== 'mean') return reduced(losses, reduction);
  return losses.div(targetLengths.to(logProbs.dtype).clamp(1)).mean();
}
