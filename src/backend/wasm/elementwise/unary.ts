import { UnaryDesc } from '../../../abi/generated/abi.ts';
import { activationFields } from '../core/activation.ts';
import { elementsPerUnit, otherThanFloat32, unknownActivation, type WasmPrim } from '../core/prim.ts';

export const unary: WasmPrim<'unary'> = ({ inputs, outputs, attrs }, session) => {
  const fields = activationFields(attrs);
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (fields === null) return unknownActivation(attrs);
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
