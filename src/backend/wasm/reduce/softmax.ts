import { SoftmaxDesc } from '../../../abi/generated/abi.ts';
import { elementsPerUnit, otherThanFloat32, type WasmPrim } from '../core/prim.ts';

export const softmax: WasmPrim<'softmax'> = ({ inputs, outputs, attrs }, session) => {
  const { outer, length, inner, log } = attrs;
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (outer * length * inner === 0) return [];
  const total = inner === 1 ? outer : outer * Math.ceil(inner / 4);
  const unit = Math.ceil(elementsPerUnit / (inner === 1 ? length : length * 4));
  const values = {
    x: session.address(inputs[0]!),
    y: session.address(outputs[0]),
    length,
    inner,
    log: log ? 1 : 0,
    total,
    unit,
  };
  return [session.step('softmax', 'softmax', SoftmaxDesc, values, Math.ceil(total / unit))];
};
