import type { Activation, UnaryKind } from '../../prims/elementwise.ts';

/** The functions that kernels know, in the order of their numbers (`Kind` in assembly/common/activation.ts). */
export const activationKinds = [
  'identity',
  'relu',
  'clip',
  'leakyRelu',
  'hardSwish',
  'hardSigmoid',
  'sigmoid',
  'silu',
  'tanh',
  'gelu',
  'geluTanh',
  'elu',
  'selu',
  'celu',
  'thresholdedRelu',
  'mish',
  'softplus',
  'softsign',
  'logSigmoid',
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'reciprocal',
  'abs',
  'neg',
  'square',
  'sign',
  'floor',
  'ceil',
  'round',
  'trunc',
  'erf',
  'linear',
] as const satisfies readonly UnaryKind[];

const numbers = new Map<UnaryKind, number>(activationKinds.map((kind, i) => [kind, i]));

/** The descriptor fields of an activation; null where kernels do not know the kind. */
export interface ActivationFields {
  readonly kind: number;
  readonly alpha: number;
  readonly beta: number;
}

export function activationFields(activation: Activation | null): ActivationFields | null {
  if (activation === null) return { kind: 0, alpha: 0, beta: 0 };
  const kind = numbers.get(activation.kind);
  return kind === undefined ? null : { kind, alpha: activation.alpha, beta: activation.beta };
}
