import type { Variable } from '../../autograd/index.ts';
import type { Known } from '../../common/options.ts';
import { F } from '../functional.ts';
import type * as L from '../loss.ts';
import * as K from '../loss-options.ts';
import { layer } from './layer.ts';

/** A layer of a loss of input and target. */
const pair = <O>(name: string, loss: (x: Variable, target: Variable, options?: O) => Variable, options: Known) =>
  layer<[options?: O]>(name, { args: {}, options }, ([x, target], [options]) => loss(x, target, options));

/** Of logits with target classes or probabilities; see F.crossEntropy. */
export const CrossEntropyLoss = pair('CrossEntropyLoss', F.crossEntropy, K.crossEntropyKnown);
/** Of log-probabilities with target classes. */
export const NLLLoss = pair('NLLLoss', F.nllLoss, K.nllKnown);
/** Binary cross entropy of probabilities; see F.binaryCrossEntropy. */
export const BCELoss = pair('BCELoss', F.binaryCrossEntropy, K.bceKnown);
/** Binary cross entropy of logits, which does not overflow; see F.binaryCrossEntropyWithLogits. */
export const BCEWithLogitsLoss = pair('BCEWithLogitsLoss', F.binaryCrossEntropyWithLogits, K.bceWithLogitsKnown);
/** (x − target)²; see F.mseLoss. */
export const MSELoss = pair('MSELoss', F.mseLoss, K.lossKnown);
/** |x − target|; see F.l1Loss. */
export const L1Loss = pair('L1Loss', F.l1Loss, K.lossKnown);
/** Quadratic below `beta`, linear above (Girshick 2015); see F.smoothL1Loss. */
export const SmoothL1Loss = pair('SmoothL1Loss', F.smoothL1Loss, K.smoothL1Known);
/** Quadratic below `delta`, linear above (Huber 1964); see F.huberLoss. */
export const HuberLoss = pair('HuberLoss', F.huberLoss, K.huberKnown);
/** Kullback–Leibler divergence of log-probabilities from target probabilities; see F.klDiv. */
export const KLDivLoss = pair('KLDivLoss', F.klDiv, K.klDivKnown);
/** log(1 + e^(−target · x)), targets −1 and 1; see F.softMarginLoss. */
export const SoftMarginLoss = pair('SoftMarginLoss', F.softMarginLoss, K.lossKnown);
/** x for targets 1, max(0, margin − x) for targets −1; see F.hingeEmbeddingLoss. */
export const HingeEmbeddingLoss = pair('HingeEmbeddingLoss', F.hingeEmbeddingLoss, K.marginKnown);
/** Negative log-likelihood of counts under a Poisson distribution; see F.poissonNllLoss. */
export const PoissonNLLLoss = pair('PoissonNLLLoss', F.poissonNllLoss, K.poissonKnown);
/** Cross entropy that weighs down what is classified well already (Lin et al. 2017); see F.focalLoss. */
export const FocalLoss = pair('FocalLoss', F.focalLoss, K.focalKnown);
/** 1 − Dice overlap of predicted and true regions; see F.diceLoss. */
export const DiceLoss = pair('DiceLoss', F.diceLoss, K.diceKnown);

/** Inputs: x, target, variance. */
export const GaussianNLLLoss = layer<[options?: L.GaussianOptions]>(
  'GaussianNLLLoss',
  { args: {}, options: K.gaussianKnown },
  ([x, target, variance], [options]) => F.gaussianNllLoss(x, target, variance, options),
);
/** Inputs: anchor, positive, negative. */
export const TripletMarginLoss = layer<[options?: L.TripletOptions]>(
  'TripletMarginLoss',
  { args: {}, options: K.tripletKnown },
  ([anchor, positive, negative], [options]) => F.tripletMarginLoss(anchor, positive, negative, options),
);
/** Inputs: a, b, target. */
export const CosineEmbeddingLoss = layer<[options?: L.MarginOptions]>(
  'CosineEmbeddingLoss',
  { args: {}, options: K.marginKnown },
  ([a, b, target], [options]) => F.cosineEmbeddingLoss(a, b, target, options),
);
/** Inputs: log-probabilities, targets, inputLengths, targetLengths. */
export const CTCLoss = layer<[options?: L.CtcOptions]>(
  'CTCLoss',
  { args: {}, options: K.ctcKnown },
  ([logProbs, targets, inputLengths, targetLengths], [options]) =>
    F.ctcLoss(logProbs, targets, inputLengths, targetLengths, options),
);
