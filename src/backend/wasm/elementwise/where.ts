import { WhereDesc } from '../../../abi/generated/abi.ts';
import { dtypes } from '../../../common/dtype.ts';
import { product } from '../../../common/numbers.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { coalesce } from '../../strided.ts';
import { Declined, elementsPerUnit, otherOrder, tooManyLoops, type WasmPrim } from '../core/prim.ts';

/** The most dimensions outside of a row. */
const maxOuter = 4;

export const where: WasmPrim<'where'> = ({ inputs, outputs, attrs }, session) => {
  const [condition, a, b] = inputs as Tensor[];
  const [y] = outputs;
  const other = [a, b, y].find((t) => t.dtype !== y.dtype || dtypes[t.dtype].bytes !== 4);
  if (other !== undefined) return new Declined(other.dtype);
  if (dtypes[condition.dtype].bytes !== 1) return new Declined(`condition in ${condition.dtype}`);
  const total = product(attrs.dims);
  if (total === 0) return [];
  const { dims, strides } = coalesce(attrs.dims, [attrs.conditionStrides, attrs.aStrides, attrs.bStrides]);
  const steps = strides.map((s) => (total === 1 ? 1 : s[s.length - 1]));
  if (dims.length - 1 > maxOuter) return new Declined(tooManyLoops);
  if (steps.some((step) => step !== 0 && step !== 1)) return new Declined(otherOrder);
  const outer = dims.slice(0, -1).reverse();
  const [c, x, z] = strides.map((s, k) =>
    Array.from({ length: maxOuter }, (_, i) => (i < outer.length ? s[s.length - 2 - i] * (k === 0 ? 1 : 4) : 0)),
  );
  const values = {
    condition: session.address(condition),
    a: session.address(a),
    b: session.address(b),
    y: session.address(y),
    total,
    unit: elementsPerUnit,
    inner: dims[dims.length - 1],
    conditionStep: steps[0],
    aStep: steps[1],
    bStep: steps[2],
    n0: outer[0] ?? 1,
    n1: outer[1] ?? 1,
    n2: outer[2] ?? 1,
    c0: c[0],
    c1: c[1],
    c2: c[2],
    c3: c[3],
    a0: x[0],
    a1: x[1],
    a2: x[2],
    a3: x[3],
    b0: z[0],
    b1: z[1],
    b2: z[2],
    b3: z[3],
  };
  return [session.step('where', 'where', WhereDesc, values, Math.ceil(total / elementsPerUnit))];
};
