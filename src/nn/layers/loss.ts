import type { Variable } from '../../autograd/index.ts';
import * as L from '../loss.ts';
import { layer } from './layer.ts';

/** A layer of a loss of input and target. */
const pair = <O>(name: string, loss: (x: Variable, target: Variable, options?: O) => Variable) =>
  layer<[options?: O]>(name, ([x, target], [options]) => loss(x, target, options));

/** Of logits with target classes or probabilities; see F.crossEntropy. */
export const CrossEntropyLoss = pair('CrossEntropyLoss', L.crossEntropy);
/** Of log-probabilities with target classes. */
export const NLLLoss = pair('NLLLoss', L.nllLoss);
export const BCELoss = pair('BCELoss', L.binaryCrossEntropy);
export const BCEWithLogitsLoss = pair('BCEWithLogitsLoss', L.binaryCrossEntropyWithLogits);
export const MSELoss = pair('MSELoss', L.mseLoss);
export const L1Loss = pair('L1Loss', L.l1Loss);
export const SmoothL1Loss = pair('SmoothL1Loss', L.smoothL1Loss);
export const HuberLoss = pair('HuberLoss', L.huberLoss);
export const KLDivLoss = pair('KLDivLoss', L.klDiv);
export const SoftMarginLoss = pair('SoftMarginLoss', L.softMarginLoss);
export const HingeEmbeddingLoss = pair('HingeEmbeddingLoss', L.hingeEmbeddingLoss);
export const PoissonNLLLoss = pair('PoissonNLLLoss', L.poissonNllLoss);
export const FocalLoss = pair('FocalLoss', L.focalLoss);
export const DiceLoss = pair('DiceLoss', L.diceLoss);

/** Inputs: x, target, variance. */
export const GaussianNLLLoss = layer<[options?: L.GaussianOptions]>(
  'GaussianNLLLoss',
  ([x, target, variance], [options]) => L.gaussianNllLoss(x, target, variance, options),
);
/** Inputs: anchor, positive, negative. */
export const TripletMarginLoss = layer<[options?: L.TripletOptions]>(
  'TripletMarginLoss',
  ([anchor, positive, negative], [options]) => L.tripletMarginLoss(anchor, positive, negative, options),
);
/** Inputs: a, b, target. */
export const CosineEmbeddingLoss = layer<[options?: L.MarginOptions]>(
  'CosineEmbeddingLoss',
  ([a, b, target], [options]) => L.cosineEmbeddingLoss(a, b, target, options),
);
/** Inputs: log-probabilities, targets, inputLengths, targetLengths. */
export const CTCLoss = layer<[options?: L.CtcOptions]>(
  'CTCLoss',
  ([logProbs, targets, inputLengths, targetLengths], [options]) =>
    L.ctcLoss(logProbs, targets, inputLengths, targetLengths, options),
);
