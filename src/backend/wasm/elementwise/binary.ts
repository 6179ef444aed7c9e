import { BinaryDesc, BinaryOp, UnaryDesc } from '../../../abi/generated/abi.ts';
import { product } from '../../../common/numbers.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { PrimCall, Step } from '../../backend.ts';
import type { BinaryKind, UnaryKind } from '../../prims/elementwise.ts';
import { coalesce } from '../../strided.ts';
import { copySteps } from '../copy/copy.ts';
import { activationFields } from '../core/activation.ts';
import {
  Declined,
  elementsPerUnit,
  otherOrder,
  otherThanFloat32,
  tooManyLoops,
  unknownActivation,
  type WasmPrim,
} from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';

/** Numbers of the kinds. A missing kind has no kernel, or a kernel of another kind (pow). */
const ops: { readonly [kind in BinaryKind]?: number } = BinaryOp;
const maxOuter = 4;

/** Rows shorter than `shortRow` are joined to rows of about `joinedRow` elements, if b is the same in all of them. */
const shortRow = 48;
const joinedRow = 384;

/** An operand as the kernel needs it: contiguous or constant along the last dimension. */
interface Operand {
  readonly address: number;
  readonly strides: number[];
}

export const binary: WasmPrim<'binary'> = (call, session) => {
  const { inputs, outputs, attrs } = call;
  const [a, b] = inputs as Tensor[];
  const y = outputs[0];
  const other = otherThanFloat32([a, b]);
  if (other !== null) return other;
  if (attrs.kind === 'pow') return pow(call, session);
  const op = ops[attrs.kind];
  const activation = activationFields(attrs.activation);
  if (op === undefined) return new Declined(`'${attrs.kind}'`);
  if (activation === null || (op >= BinaryOp.equal && attrs.activation !== null))
    return unknownActivation(attrs.activation);
  if (y.dtype !== (op < BinaryOp.equal ? 'float32' : 'bool')) return new Declined(y.dtype);
  const total = product(attrs.dims);
  if (total === 0) return [];

  const merged = coalesce(attrs.dims, [attrs.aStrides, attrs.bStrides]);
  const steps: Step[] = [];
  const strided = [a, b].map((_, i) => isStrided(merged.strides[i]));
  if (strided[0] && strided[1]) return new Declined(otherOrder);
  const operands: Operand[] = [];
  for (const [i, t] of [a, b].entries()) {
    const operand = { address: session.address(t), strides: merged.strides[i] };
    if (!strided[i]) {
      operands.push(operand);
      continue;
    }
    const dense = toDense(session, t, merged.dims, operand, a === b);
    if (dense === null) return new Declined(otherOrder);
    operands.push(dense.operand);
    steps.push(...dense.steps);
  }
  let { dims } = coalesce(merged.dims, [operands[0].strides, operands[1].strides]);
  let [aStrides, bStrides] = coalesce(merged.dims, [operands[0].strides, operands[1].strides]).strides;
  if (total === 1) [aStrides, bStrides] = [[1], [1]];
  const addresses = operands.map((operand) => operand.address);

  const joined = steps.length === 0 ? joinRows(session, b, addresses[1], dims, aStrides, bStrides) : null;
  if (joined !== null) {
    steps.push(...joined.steps);
    dims = joined.dims;
    [aStrides, bStrides] = joined.strides;
    addresses[1] = joined.address;
  }
  if (dims.length - 1 > maxOuter) return new Declined(tooManyLoops);
  const outer = dims.slice(0, -1).reverse();
  const bytes = (strides: number[], i: number): number => (i < outer.length ? strides[strides.length - 2 - i] * 4 : 0);
  const values = {
    a: addresses[0],
    b: addresses[1],
    y: session.address(y),
    op,
    total,
    unit: elementsPerUnit,
    inner: dims[dims.length - 1],
    aStep: aStrides[aStrides.length - 1],
    bStep: bStrides[bStrides.length - 1],
    n0: outer[0] ?? 1,
    n1: outer[1] ?? 1,
    n2: outer[2] ?? 1,
    a0: bytes(aStrides, 0),
    a1: bytes(aStrides, 1),
    a2: bytes(aStrides, 2),
    a3: bytes(aStrides, 3),
    b0: bytes(bStrides, 0),
    b1: bytes(bStrides, 1),
    b2: bytes(bStrides, 2),
    b3: bytes(bStrides, 3),
    ...activation,
  };
  if (values.aStep === 0 && values.bStep === 0) return new Declined(otherOrder);
  const units = Math.ceil(total / elementsPerUnit);
  steps.push(session.step('binary', 'binary', BinaryDesc, values, units));
  return steps;
};

const isStrided = (strides: readonly number[]): boolean => strides[strides.length - 1] > 1;

/** Copies an operand of another layout into the order of the result. */
function toDense(
  session: WasmSession,
  tensor: Tensor,
  dims: readonly number[],
  { address, strides }: Operand,
  used: boolean,
): { operand: Operand; steps: Step[] } | null {
  if (used) return null;
  const dense = new Array<number>(dims.length).fill(0);
  let size = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    if (strides[axis] === 0) continue;
    dense[axis] = size;
    size *= dims[axis];
  }
  if (size > tensor.size) return null;
  const attrs = {
    dims: dims.map((n, axis) => (strides[axis] === 0 ? 1 : n)),
    inputOffset: 0,
    inputStrides: strides,
    outputOffset: 0,
    outputStrides: dense,
  };
  const y = session.scratch(tensor.byteLength);
  const steps = copySteps('binary', session, attrs, 4, { x: address, y });
  return steps && { operand: { address: y, strides: dense }, steps };
}

interface Joined {
  readonly steps: Step[];
  readonly dims: number[];
  readonly strides: [number[], number[]];
  readonly address: number;
}

/**
 * Many short rows with the same b, such as (image − mean) with three channels: b is repeated until the row is long. The
 * end of y may be inside the last row.
 */
function joinRows(
  session: WasmSession,
  b: Tensor,
  address: number,
  dims: readonly number[],
  aStrides: readonly number[],
  bStrides: readonly number[],
): Joined | null {
  const [rows, inner] = dims;
  const same =
    dims.length === 2 && bStrides[0] === 0 && bStrides[1] === 1 && aStrides[0] === inner && aStrides[1] === 1;
  if (!same || inner >= shortRow || rows < 8 || b.size !== inner) return null;
  const times = Math.ceil(joinedRow / inner);
  const row = times * inner;
  const result = {
    dims: [Math.ceil(rows / times), row],
    strides: [
      [row, 1],
      [0, 1],
    ] as [number[], number[]],
  };
  if (b.constant) {
    const packed = session.packed(b, `repeated:${times}`, row * 4, (to) => {
      const target = session.floats(to, row);
      for (let i = 0; i < times; i++) target.set(b.array, i * inner);
    });
    return { ...result, steps: [], address: packed };
  }
  const attrs = {
    dims: [times, inner],
    inputOffset: 0,
    inputStrides: [0, 1],
    outputOffset: 0,
    outputStrides: [inner, 1],
  };
  const y = session.scratch(row * 4);
  return { ...result, steps: copySteps('binary', session, attrs, 4, { x: address, y })!, address: y };
}

/**
 * Constant exponents for which there is a unary kernel. Others run in JavaScript: exp(b·log a) is not accurate enough, and for
 * exponents ±0.5 a square root is wrong at −0 and −∞, whose powers are +0 and +∞.
 */
const powers: ReadonlyMap<number, UnaryKind> = new Map([
  [2, 'square'],
  [1, 'identity'],
  [-1, 'reciprocal'],
]);

function pow({ inputs, outputs, attrs }: PrimCall<'binary'>, session: WasmSession): Step[] | Declined {
  const [a, b] = inputs as Tensor[];
  const [y] = outputs;
  const kind = b.constant && b.size === 1 && a.size === y.size ? powers.get(b.array[0]) : undefined;
  const { dims, strides } = coalesce(attrs.dims, [attrs.aStrides]);
  if (kind === undefined || attrs.activation !== null || dims.length !== 1 || (dims[0] > 1 && strides[0][0] !== 1))
    return new Declined(b.constant ? `power ${b.array[0]}` : 'powers that are no constant');
  const other = otherThanFloat32([y]);
  if (other !== null) return other;
  if (y.size === 0) return [];
  const values = {
    x: session.address(a),
    y: session.address(y),
    length: y.size,
    unit: elementsPerUnit,
    ...activationFields({ kind, alpha: 0, beta: 0 })!,
  };
  return [session.step('binary', 'unary', UnaryDesc, values, Math.ceil(y.size / elementsPerUnit))];
}
