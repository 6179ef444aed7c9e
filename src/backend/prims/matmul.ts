import type { Activation } from './elementwise.ts';

/**
 * For each batch b: y[b] = activation(alpha · A · B + bias + residual), A m×k at aOffsets[b], element (i,p) at
 * i·aRow + p·aColumn; B k×n at bOffsets[b], element (p,j) at p·bRow + j·bColumn; y contiguous [batch, m, n].
 * Inputs: a, b, bias [n] or null, residual (like y, other memory) or null.
 */
export interface MatmulAttrs {
  readonly aOffsets: readonly number[];
  readonly bOffsets: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aRow: number;
  readonly aColumn: number;
  readonly bRow: number;
  readonly bColumn: number;
  readonly alpha: number;
  readonly activation: Activation | null;
}
export const matmulInputs = { a: 0, b: 1, bias: 2, residual: 3 } as const;

export interface MatmulPrims {
  matmul: MatmulAttrs;
}
