// Losses of the golden set; see golden-variables.ts.
import type { Variable } from '../../src/autograd/index.ts';
import * as L from '../../src/nn/loss.ts';
import type { GoldenAttrs } from './golden-context.ts';
import type { VariableContext, VariableOp, VariableOps } from './golden-variables.ts';

/** A loss of x and target with options from the case's attributes. */
const of =
  (
    loss: (x: Variable, target: Variable, options: object) => Variable,
    options: (attrs: GoldenAttrs, context: VariableContext) => object = () => ({}),
  ): VariableOp =>
  (context) => {
    const { attrs, input } = context;
    return [loss(input('x'), input('target'), { reduction: attrs.reduction, ...options(attrs, context) })];
  };

export const goldenLosses: VariableOps = {
  cross_entropy: of(L.crossEntropy, (attrs, { find }) => ({
    labelSmoothing: attrs.label_smoothing,
    ignoreIndex: attrs.ignore_index,
    weight: find('weight'),
  })),
  cross_entropy_prob: of(L.crossEntropy, (attrs) => ({ labelSmoothing: attrs.label_smoothing })),
  // The set's x are logits.
  nll_loss: ({ attrs, input, find }) => {
    const options = { reduction: attrs.reduction, ignoreIndex: attrs.ignore_index, weight: find('weight') };
    return [L.nllLoss(input('x'), input('target'), options)];
  },
  bce: of(L.binaryCrossEntropy, (_, { find }) => ({ weight: find('weight') })),
  bce_with_logits: of(L.binaryCrossEntropyWithLogits, (_, { find }) => ({
    weight: find('weight'),
    posWeight: find('pos_weight'),
  })),
  mse: of(L.mseLoss),
  l1: of(L.l1Loss),
  smooth_l1: of(L.smoothL1Loss, (attrs) => ({ beta: attrs.beta })),
  huber: of(L.huberLoss, (attrs) => ({ delta: attrs.delta })),
  kl_div: of(L.klDiv, (attrs) => ({ logTarget: attrs.log_target ?? false })),
  soft_margin: of(L.softMarginLoss),
  hinge_embedding: of(L.hingeEmbeddingLoss, (attrs) => ({ margin: attrs.margin })),
  poisson_nll: of(L.poissonNllLoss, (attrs) => ({ logInput: attrs.log_input })),
  gaussian_nll: ({ attrs, input }) => [
    L.gaussianNllLoss(input('x'), input('target'), input('var'), { reduction: attrs.reduction }),
  ],
  triplet_margin: ({ attrs, input }) => [L.tripletMarginLoss(input('a'), input('p'), input('n'), attrs)],
  cosine_embedding: ({ attrs, input }) => [L.cosineEmbeddingLoss(input('a'), input('b'), input('target'), attrs)],
  dice: ({ input }) => [L.diceLoss(input('x'), input('target'))],
  focal: of(L.focalLoss, ({ gamma, alpha }) => ({ gamma, alpha })),
};
