import { clipExclusive, UnaryGradDesc, WithoutGradient } from '../../../abi/generated/abi.ts';
import { activationFields } from '../core/activation.ts';
import { elementsPerUnit, otherThanFloat32, unknownActivation, type WasmPrim } from '../core/prim.ts';

export const unaryGrad: WasmPrim<'unaryGrad'> = ({ inputs, outputs, attrs }, session) => {
  const { kind, length, exclusive } = attrs;
  const fields = kind in WithoutGradient ? null : activationFields(attrs);
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (fields === null) return unknownActivation(attrs);
  const units = Math.ceil(length / elementsPerUnit);
  if (units === 0) return [];
  const values = {
    v: session.address(inputs[0]!),
    gy: session.address(inputs[1]!),
    gx: session.address(outputs[0]),
    length,
    unit: elementsPerUnit,
    ...fields,
    kind: kind === 'clip' && exclusive ? clipExclusive : fields.kind,
  };
  return [session.step('unaryGrad', 'unaryGrad', UnaryGradDesc, values, units)];
};
