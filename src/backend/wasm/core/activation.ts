import { type Activation, activationKinds, type UnaryKind } from '../../prims/elementwise.ts';

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
