// One case of an op on one backend: for the harness, and for suites that run outside of vitest.
import type { Backend } from '../../src/backend/backend.ts';
import { allocateArray, dtypes, type TypedArray } from '../../src/common/dtype.ts';
import { HostMemory } from '../../src/memory/storage.ts';
import type { OpName } from '../../src/ops/attrs.ts';
import type { OpCase, OpCaseInput } from '../../src/ops/case.ts';
import { opCases } from '../../src/ops/cases.ts';
import { execute } from '../../src/ops/core/execute.ts';
import type { OpDef } from '../../src/ops/core/op.ts';
import { canBeChannelsLast, elementCount, type Layout, stridesOf } from '../../src/tensor/layout.ts';
import { Tensor, wrap } from '../../src/tensor/tensor.ts';
import { Random } from '../kernels/harness.ts';

/** The cases of an op (src/ops/cases.ts). */
export const casesOf = (op: OpDef): readonly OpCase<unknown>[] => opCases[op.name as OpName];

/** Which inputs are given as constants, which a backend may pack ahead. */
export const constantModes = ['none', 'parameters', 'all'] as const;
export type ConstantMode = (typeof constantModes)[number];
export const layouts: readonly Layout[] = ['row', 'channelsLast'];

/** Case i of an op has the values of `seed` + i. */
export const seed = Number(process.env.CONVLET_SEED ?? 20240607);

/** One output; `data` is a copy in row-major order. */
export interface CaseResult {
  readonly shape: readonly number[];
  readonly dtype: Tensor['dtype'];
  readonly data: TypedArray;
}

/**
 * Runs a case on values of `caseValues` and disposes of what it made; throws if memory of the backend is still held. `shared`: all
 * threads of the backend take part.
 */
export function runCase(
  backend: Backend,
  op: OpDef,
  opCase: OpCase<unknown>,
  arrays: readonly (TypedArray | null)[],
  mode: ConstantMode,
  layout: Layout,
  shared = false,
): CaseResult[] {
  const before = backend.memory.liveBytes;
  const inputs = opCase.inputs.map((input, i) => {
    if (input === null) return null;
    const constant = input.constant ?? (mode === 'all' || (mode === 'parameters' && i > 0));
    return caseTensor(input, arrays[i]!, constant, constant ? 'row' : layout);
  });
  const outputs = execute(backend, op, inputs, opCase.attrs, shared);
  const results = outputs.map(({ shape, dtype, data }) => ({ shape, dtype, data }));
  for (const output of outputs) if (!inputs.some((t) => t?.storage === output.storage)) output.dispose();
  const left = backend.memory.liveBytes - before;
  if (left !== 0)
    throw new Error(`${left} bytes of the backend's memory are still held after the outputs are disposed`);
  return results;
}

function caseTensor(input: OpCaseInput, array: TypedArray, constant: boolean, layout: Layout): Tensor {
  const dtype = input.dtype ?? 'float32';
  if (layout === 'row' || !canBeChannelsLast(input.shape.length)) return wrap(array, input.shape, dtype, constant);
  const storage = new HostMemory().allocate(array.byteLength);
  const tensor = new Tensor(dtype, input.shape, layout, storage, constant);
  const strides = stridesOf(input.shape, layout);
  const target = tensor.array;
  array.forEach((value: number, i: number) => {
    let rest = i;
    let at = 0;
    for (let axis = strides.length - 1; axis >= 0; axis--) {
      at += (rest % input.shape[axis]) * strides[axis];
      rest = Math.floor(rest / input.shape[axis]);
    }
    target[at] = value;
  });
  return tensor;
}

/** Seeded values of a case's inputs, in row-major order. */
export function caseValues(inputs: readonly (OpCaseInput | null)[], from: number): (TypedArray | null)[] {
  const random = new Random(from);
  return inputs.map((input) => {
    if (input === null) return null;
    const dtype = input.dtype ?? 'float32';
    const array = allocateArray(dtype, elementCount(input.shape));
    if (input.values !== undefined) {
      array.set(input.values);
      return array;
    }
    const [lo, hi] = input.range ?? (dtype === 'bool' ? [0, 1] : [-1, 1]);
    const round = dtypes[dtype].kind === 'float' ? (v: number) => v : Math.round;
    for (let i = 0; i < array.length; i++) array[i] = round(lo + random.next() * (hi - lo));
    return array;
  });
}
