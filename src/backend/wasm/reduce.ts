import { ReduceDesc } from '../../abi/generated/abi.ts';
import { reduceKinds } from '../prims.ts';
import type { WasmPrim } from './prims.ts';
import { elementsPerUnit, isFloat32 } from './unary.ts';

export const reduce: WasmPrim<'reduce'> = ({ inputs, outputs, attrs }, session) => {
  const { outer, length, inner } = attrs;
  if (!isFloat32(inputs) || !isFloat32(outputs) || length === 0) return null;
  if (outer * inner === 0) return [];
  const strips = Math.ceil(inner / 16);
  const rows = Math.ceil(elementsPerUnit / length);
  const values = {
    x: session.address(inputs[0]!),
    y: session.address(outputs[0]),
    kind: reduceKinds.indexOf(attrs.kind),
    outer,
    length,
    inner,
    unit: inner === 1 ? rows : strips,
  };
  return [session.step('reduce', 'reduce', ReduceDesc, values, inner === 1 ? Math.ceil(outer / rows) : outer * strips)];
};
