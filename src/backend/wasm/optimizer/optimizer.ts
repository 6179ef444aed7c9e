import { Optimizer, OptimizerDesc } from '../../../abi/generated/abi.ts';
import { elementsPerUnit, otherThanFloat32, type WasmPrim } from '../core/prim.ts';

export const optimizerStep: WasmPrim<'optimizerStep'> = ({ inputs, outputs, attrs }, session) => {
  const { kind, length } = attrs;
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (length === 0) return [];
  const [p, g, a, b, c, hyper] = inputs;
  const values = {
    p: session.address(p!),
    g: session.address(g!),
    a: session.addressOrNull(a),
    b: session.addressOrNull(b),
    c: session.addressOrNull(c),
    hyper: session.address(hyper!),
    length,
    unit: elementsPerUnit,
    kind: Optimizer[kind],
  };
  const units = Math.ceil(length / elementsPerUnit);
  return [session.step('optimizerStep', 'optimizerStep', OptimizerDesc, values, units)];
};
