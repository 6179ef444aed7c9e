import { UnaryDesc } from '../../../abi/generated/abi.ts';
import { activationFields } from '../core/activation.ts';
import { elementsPerUnit, isFloat32, type WasmPrim } from '../core/prim.ts';

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
