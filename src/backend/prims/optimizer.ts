/**
 * One step of an optimizer, in place. Inputs: parameter, gradient, up to three states (null where the kind or the variant
 * has none), hyper (the numbers of the step, `optimizerHyper`). Outputs: what is written, the same memory as the inputs.
 */
export interface OptimizerAttrs {
  readonly kind: OptimizerKind;
  readonly length: number;
}

/**
 * Entries of `hyper` by kind; flags are 0 or 1, rest1 = 1 − beta1 and the like. adam: stepSize = lr / (1 − beta1^t), decay = 1
 * − lr·weightDecay if that is decoupled, correction = 1/√(1 − beta2^t).
 */
export const optimizerHyper = {
  sgd: ['lr', 'momentum', 'dampening', 'weightDecay', 'nesterov', 'maximize', 'first'],
  adam: ['stepSize', 'beta1', 'rest1', 'beta2', 'rest2', 'epsilon', 'weightDecay', 'decay', 'correction', 'maximize'],
  rmsprop: ['lr', 'alpha', 'rest', 'epsilon', 'weightDecay', 'momentum', 'maximize'],
  adagrad: ['lr', 'epsilon', 'weightDecay', 'maximize'],
  adadelta: ['lr', 'rho', 'rest', 'epsilon', 'weightDecay', 'maximize'],
  adamax: ['stepSize', 'beta1', 'rest1', 'beta2', 'epsilon', 'weightDecay', 'maximize'],
  nadam: ['ofGrad', 'ofMean', 'beta1', 'rest1', 'beta2', 'rest2', 'epsilon', 'weightDecay', 'correction', 'maximize'],
  radam: ['stepSize', 'adaptive', 'beta1', 'rest1', 'beta2', 'rest2', 'epsilon', 'weightDecay', 'maximize'],
  rprop: ['etaMinus', 'etaPlus', 'least', 'most', 'maximize'],
  lion: ['lr', 'beta1', 'rest1', 'beta2', 'rest2', 'decay', 'maximize'],
  lamb: ['lr', 'beta1', 'rest1', 'beta2', 'rest2', 'epsilon', 'weightDecay', 'scale1', 'correction', 'maximize'],
  lambApply: ['lr'],
} as const satisfies { readonly [kind: string]: readonly string[] };

export type OptimizerKind = keyof typeof optimizerHyper;

export interface OptimizerTrainingPrims {
  optimizerStep: OptimizerAttrs;
}
