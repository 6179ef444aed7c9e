import {
  AdadeltaHyper,
  AdagradHyper,
  AdamaxHyper,
  AdamHyper,
  LambApplyHyper,
  LambHyper,
  LionHyper,
  NadamHyper,
  type Optimizer,
  RadamHyper,
  RmspropHyper,
  RpropHyper,
  SgdHyper,
} from '../../abi/generated/abi.ts';

/**
 * One step of an optimizer, in place. Inputs: parameter, gradient, up to three states (null where the kind or the variant
 * has none), hyper (the numbers of the step, `optimizerHyper`). Outputs: the tensors that are written, in the memory of the inputs.
 */
export interface OptimizerAttrs {
  readonly kind: OptimizerKind;
  readonly length: number;
}

/** The names of a generated enumeration, in the order of their numbers, which count from 0. */
const namesOf = <Name extends string>(numbers: { readonly [name in Name]: number }) =>
  Object.keys(numbers) as unknown as readonly Name[];

/**
 * Entries of `hyper` by kind; flags are 0 or 1, rest1 = 1 − beta1, rest2 = 1 − beta2. adam: stepSize = lr / (1 − beta1^t),
 * decay = 1 − lr·weightDecay if weight decay is decoupled, correction = 1/√(1 − beta2^t).
 */
export const optimizerHyper = {
  sgd: namesOf(SgdHyper),
  adam: namesOf(AdamHyper),
  rmsprop: namesOf(RmspropHyper),
  adagrad: namesOf(AdagradHyper),
  adadelta: namesOf(AdadeltaHyper),
  adamax: namesOf(AdamaxHyper),
  nadam: namesOf(NadamHyper),
  radam: namesOf(RadamHyper),
  rprop: namesOf(RpropHyper),
  lion: namesOf(LionHyper),
  lamb: namesOf(LambHyper),
  lambApply: namesOf(LambApplyHyper),
} as const satisfies { readonly [kind in keyof typeof Optimizer]: readonly string[] };

export type OptimizerKind = keyof typeof Optimizer;

export interface OptimizerTrainingPrims {
  optimizerStep: OptimizerAttrs;
}
