import { ResampleDesc } from '../../../abi/generated/abi.ts';
import { elementsPerUnit, otherThanFloat32, type WasmPrim } from '../core/prim.ts';

export const resample: WasmPrim<'resample'> = ({ inputs, outputs, attrs }, session) => {
  const { outer, input, output, inner, taps, extrapolation } = attrs;
  const [x, index, weight] = inputs;
  const other = otherThanFloat32([x, weight], outputs);
  if (other !== null) return other;
  const total = outer * output;
  if (total * inner === 0) return [];
  const unit = Math.ceil(elementsPerUnit / inner);
  const values = {
    x: session.address(x!),
    index: session.address(index!),
    weight: session.address(weight!),
    y: session.address(outputs[0]),
    input,
    output,
    inner,
    taps,
    extrapolation,
    unit,
    total,
  };
  return [session.step('resample', 'resample', ResampleDesc, values, Math.ceil(total / unit))];
};
