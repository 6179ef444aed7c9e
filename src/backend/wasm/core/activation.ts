import { Kind } from '../../../abi/generated/abi.ts';
import type { Activation, UnaryKind } from '../../prims/elementwise.ts';

/** Numbers of the functions for which there are kernels. */
const numbers: { readonly [kind in UnaryKind]?: number } = Kind;

/** The descriptor fields of an activation. */
export interface ActivationFields {
  readonly kind: number;
  readonly alpha: number;
  readonly beta: number;
}

export function activationFields(activation: Activation | null): ActivationFields | null {
  if (activation === null) return { kind: Kind.identity, alpha: 0, beta: 0 };
  const kind = numbers[activation.kind];
  return kind === undefined ? null : { kind, alpha: activation.alpha, beta: activation.beta };
}
