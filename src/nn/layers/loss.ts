import type { Variable } from '../../autograd/index.ts';
import type { Known } from '../../common/options.ts';
import * as L from '../loss.ts';
import * as K from '../loss-options.ts';
import { layer } from './layer.ts';

/** A layer of a loss of input and target. */
const pair = <O>(name: string, loss: (x: Variable, target: Variable, options?: O) => Variable, options: Known) =>
  layer<[options?: O]>(name, { args: {}, options }, ([x, target], [options]) => loss(x, target, options));

/** Of logits with target classes or probabilities; see F.crossEntropy. */
export const CrossEntropyLoss = pair('CrossEntropyLoss', L.crossEntropy, K.crossEntropyKnown);
/** Of log-probabilities with target classes. */
export const NLLLoss = pair('NLLLoss', L.nllLoss, K.nllKnown);
export const BCELoss = pair('BCELoss', L.binaryCrossEntropy, K.bceKnown);
export const BCEWithLogitsLoss = pair('BCEWithLogitsLoss', L.binaryCrossEntropyWithLogits, K.bceWithLogitsKnown);
export const MSELoss = pair('MSELoss', L.mseLoss, K.lossKnown);
export const L1Loss = pair('L1Loss', L.l1Loss, K.lossKnown);
export const SmoothL1Loss = pair('SmoothL1Loss', L.smoothL1Loss, K.smoothL1Known);
export const HuberLoss = pair('HuberLoss', L.huberLoss, K.huberKnown);
export const KLDivLoss = pair('KLDivLoss', L.klDiv, K.klDivKnown);
export const SoftMarginLoss = pair('SoftMarginLoss', L.softMarginLoss, K.lossKnown);
export const HingeEmbeddingLoss = pair('HingeEmbeddingLoss', L.hingeEmbeddingLoss, K.marginKnown);
export const PoissonNLLLoss = pair('PoissonNLLLoss', L.poissonNllLoss, K.poissonKnown);
export const FocalLoss = pair('FocalLoss', L.focalLoss, K.focalKnown);
export const DiceLoss = pair('DiceLoss', L.diceLoss, K.diceKnown);

/** Inputs: x, target, variance. */
export const GaussianNLLLoss = layer<[options?: L.GaussianOptions]>(
  'GaussianNLLLoss',
  { args: {}, options: K.gaussianKnown },
  ([x, target, variance], [options]) => L.gaussianNllLoss(x, target, variance, options),
);
/** Inputs: anchor, positive, negative. */
export const TripletMarginLoss = layer<[options?: L.TripletOptions]>(
  'TripletMarginLoss',
  { args: {}, options: K.tripletKnown },
  ([anchor, positive, negative], [options]) => L.tripletMarginLoss(anchor, positive, negative, options),
);
/** Inputs: a, b, target. */
export const CosineEmbeddingLoss = layer<[options?: L.MarginOptions]>(
  'CosineEmbeddingLoss',
  { args: {}, options: K.marginKnown },
  ([a, b, target], [options]) => L.cosineEmbeddingLoss(a, b, target, options),
);
/** Inputs: log-probabilities, targets, inputLengths, targetLengths. */
export const CTCLoss = layer<[options?: L.CtcOptions]>(
  'CTCLoss',
  { args: {}, options: K.ctcKnown },
  ([logProbs, targets, inputLengths, targetLengths], [options]) =>
    L.ctcLoss(logProbs, targets, inputLengths, targetLengths, options),
);
