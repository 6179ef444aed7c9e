import type { Activation } from '../../backend/prims/elementwise.ts';

/** y = activation(alpha · a × b + bias); the transposes swap the last two axes of an operand of rank 2 or more. */
export interface MatmulOpAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
  readonly activation: Activation | null;
}

export interface MatmulOps {
  matmul: MatmulOpAttrs;
}
