import { ArgReduceDesc, Reduce, ReduceDesc } from '../../../abi/generated/abi.ts';
import { dtypes } from '../../../common/dtype.ts';
import { Declined, elementsPerUnit, nothingToSum, otherThanFloat32, type WasmPrim } from '../core/prim.ts';

export const reduce: WasmPrim<'reduce'> = ({ inputs, outputs, attrs }, session) => {
  const { outer, length, inner } = attrs;
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (length === 0) return nothingToSum();
  if (outer * inner === 0) return [];
  const strips = Math.ceil(inner / 16);
  const rows = Math.ceil(elementsPerUnit / length);
  const values = {
    x: session.address(inputs[0]!),
    y: session.address(outputs[0]),
    kind: Reduce[attrs.kind],
    outer,
    length,
    inner,
    unit: inner === 1 ? rows : strips,
  };
  return [session.step('reduce', 'reduce', ReduceDesc, values, inner === 1 ? Math.ceil(outer / rows) : outer * strips)];
};

export const argReduce: WasmPrim<'argReduce'> = ({ inputs, outputs, attrs }, session) => {
  const { kind, outer, length, inner, selectLast } = attrs;
  const other = otherThanFloat32(inputs);
  if (other !== null) return other;
  if (dtypes[outputs[0].dtype].array !== Int32Array) return new Declined(`positions in ${outputs[0].dtype}`);
  if (length === 0) return nothingToSum();
  const total = inner === 1 ? outer : outer * Math.ceil(inner / 4);
  if (total === 0) return [];
  const unit = Math.ceil(elementsPerUnit / (inner === 1 ? length : length * 4));
  const values = {
    x: session.address(inputs[0]!),
    y: session.address(outputs[0]),
    length,
    inner,
    least: kind === 'min' ? 1 : 0,
    selectLast: selectLast ? 1 : 0,
    total,
    unit,
  };
  return [session.step('argReduce', 'argReduce', ArgReduceDesc, values, Math.ceil(total / unit))];
};
