import { UnaryDesc } from '../../../abi/generated/abi.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { activationFields } from '../core/activation.ts';
import type { WasmPrim } from '../prims.ts';

/** Elements per work unit of elementwise kernels: 16 KB, so that a unit's operands stay in the first-level cache. */
export const elementsPerUnit = 4096;

export const isFloat32 = (tensors: readonly (Tensor | null)[]): boolean =>
  tensors.every((t) => t === null || t.dtype === 'float32');

export const unary: WasmPrim<'unary'> = ({ inputs, outputs, attrs }, session) => {
  const fields = activationFields(attrs);
  if (fields === null || !isFloat32(inputs) || !isFloat32(outputs)) return null;
  const { length } = attrs;
  const units = Math.ceil(length / elementsPerUnit);
  if (units === 0) return [];
  const values = {
    x: session.address(inputs[0]!),
    y: session.address(outputs[0]),
    length,
    unit: elementsPerUnit,
    ...fields,
  };
  return [session.step('unary', 'unary', UnaryDesc, values, units)];
};
