import type { Tensor } from '../../../tensor/tensor.ts';
import type { Activation } from '../../prims/elementwise.ts';
import { unary } from './unary.ts';

/** Applies a fused activation to a prim's output, in place. */
export function activate(y: Tensor, activation: Activation | null): void {
  if (activation === null || activation.kind === 'identity') return;
  unary([y], [y], { ...activation, length: y.size });
}
