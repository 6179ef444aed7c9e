import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { JsBackend } from '../../src/backend/js/backend.ts';
import { allocateArray, dtypes, type TypedArray } from '../../src/common/dtype.ts';
import { HostMemory } from '../../src/memory/storage.ts';
import { execute } from '../../src/ops/core/execute.ts';
import '../../src/ops/training-prims.ts';
import type { OpCase, OpCaseInput, OpDef } from '../../src/ops/core/op.ts';
import { canBeChannelsLast, elementCount, type Layout, stridesOf } from '../../src/tensor/layout.ts';
import { Tensor, wrap } from '../../src/tensor/tensor.ts';
import { backendOf, Random, variants } from '../kernels/harness.ts';
import { teamOf } from '../support/teams.ts';

/** Which inputs are given as constants, which a backend may pack ahead. */
const constantModes = ['none', 'parameters', 'all'] as const;
type ConstantMode = (typeof constantModes)[number];
const layouts: readonly Layout[] = ['row', 'channelsLast'];

export interface OpTestOptions {
  /** Allowed error per op, in units of the largest expected value; default: from the reduction length. */
  readonly tolerance?: { readonly [op: string]: number };
}

const js = new JsBackend();
const seed = Number(process.env.CONVLET_SEED ?? 20240607);

/**
 * Runs every case of every op of a family (a module of src/ops, or a list of ops) on plain JS and on every kernel build
 * that this engine can run, with inputs constant and not, in row and channels-last order, and compares all of them with
 * plain JS on row-ordered inputs; then with two threads, which must give the bits of one. CONVLET_SEED=n picks other values.
 */
export function opTests(
  family: string,
  ops: readonly OpDef[] | { readonly [name: string]: unknown },
  options: OpTestOptions = {},
): void {
  const definitions = (Array.isArray(ops) ? ops : Object.values(ops)).filter(isOp);
  if (definitions.length === 0) throw new Error(`no ops in family ${family}`);
  for (const op of definitions) {
    describe(`${family}: ${op.name} (seed ${seed})`, () => {
      test('has cases', () => expect(op.cases().length).toBeGreaterThanOrEqual(1));
      for (const backend of [js, ...variants.map(backendOf)]) {
        const title = backend.name === 'js' ? 'js, every layout' : `wasm ${backend.variant}`;
        op.cases().forEach((opCase, i) => {
          test(`${title}, case ${i + 1}`, () => checkCase(op, opCase, i, backend, options));
        });
      }
      for (const variant of variants) {
        test(`wasm ${variant}, two threads: every case bit for bit as one`, async () => {
          const team = await teamOf(variant);
          for (const [i, opCase] of op.cases().entries()) checkThreads(op, opCase, i, variant, team);
        });
      }
    });
  }
}

function checkThreads(op: OpDef, opCase: OpCase<unknown>, number: number, variant: 'simd' | 'relaxed', team: Backend) {
  const arrays = caseValues(opCase.inputs, seed + number);
  for (const layout of layouts) {
    const what = `${op.name} case ${number + 1} (wasm ${variant}, two threads, layout: ${layout}, seed ${seed})\n${caseText(opCase)}\n`;
    const expected = attempt(what, () => run(backendOf(variant), op, opCase, arrays, 'none', layout));
    const got = attempt(what, () => run(team, op, opCase, arrays, 'none', layout, true));
    got.forEach(({ data }, k) => {
      const [a, b] = [data, expected[k].data].map((array) =>
        Buffer.from(array.buffer, array.byteOffset, array.byteLength),
      );
      if (!a.equals(b)) throw new Error(`${what}output ${k} differs from one thread's`);
    });
  }
}

function isOp(value: unknown): value is OpDef {
  const op = value as OpDef | null;
  return typeof op === 'object' && op !== null && typeof op.infer === 'function' && typeof op.cases === 'function';
}

function checkCase(op: OpDef, opCase: OpCase<unknown>, number: number, backend: Backend, options: OpTestOptions): void {
  const arrays = caseValues(opCase.inputs, seed + number);
  const expected = run(js, op, opCase, arrays, 'none', 'row');
  for (const mode of constantModes) {
    for (const layout of layouts) {
      const setting = `${backend.name} ${backend.variant}, constant inputs: ${mode}, layout: ${layout}`;
      const what = `${op.name} case ${number + 1} (${setting}, seed ${seed})\n${caseText(opCase)}\n`;
      const got = attempt(what, () => run(backend, op, opCase, arrays, mode, layout));
      if (got.length !== expected.length) throw new Error(`${what}${got.length} outputs, expected ${expected.length}`);
      got.forEach((y, k) => {
        compare(`${what}output ${k}`, y, expected[k], toleranceOf(op, opCase, expected, options));
      });
    }
  }
}

interface Result {
  readonly shape: readonly number[];
  readonly dtype: Tensor['dtype'];
  readonly data: TypedArray;
}

function run(
  backend: Backend,
  op: OpDef,
  opCase: OpCase<unknown>,
  arrays: readonly (TypedArray | null)[],
  mode: ConstantMode,
  layout: Layout,
  shared = false,
): Result[] {
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

/**
 * Error allowed relative to the largest value: rounding of a sum of n terms grows about as √n; 4e-7 is three times the
 * rounding of one float32 operation, and an element takes a few besides its sum.
 */
function toleranceOf(op: OpDef, opCase: OpCase<unknown>, outputs: readonly Result[], options: OpTestOptions): number {
  const given = options.tolerance?.[op.name];
  if (given !== undefined) return given;
  const infos = opCase.inputs.map((input) => input && { dtype: input.dtype ?? 'float32', shape: input.shape });
  const size = Math.max(1, outputs[0]?.data.length ?? 1);
  const work =
    op.macs?.(infos, outputs, opCase.attrs) ?? Math.max(...infos.map((t) => (t ? elementCount(t.shape) : 0)));
  return 4e-7 * (8 + Math.sqrt(Math.max(1, work / size)));
}

function compare(what: string, got: Result, expected: Result, tolerance: number): void {
  expect(got.shape, what).toEqual(expected.shape);
  expect(got.dtype, what).toBe(expected.dtype);
  let most = 1;
  for (const value of expected.data) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  const allowed = dtypes[expected.dtype].kind === 'float' ? tolerance * most : 0;
  for (let i = 0; i < expected.data.length; i++) {
    const [a, e] = [got.data[i], expected.data[i]];
    if (a === e || Object.is(a, e) || Math.abs(a - e) <= allowed) continue;
    throw new Error(`${what}: element ${i} is ${a}, expected ${e} (allowed error ${allowed})`);
  }
}

function attempt<T>(what: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    throw new Error(`${what}${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Every parameter of a case, to be pasted into a new one. */
function caseText({ attrs, inputs }: OpCase<unknown>): string {
  const list = inputs.map((input) =>
    input === null
      ? 'null'
      : `${input.dtype ?? 'float32'}[${input.shape}]${input.range ? ` in ${input.range.join('…')}` : ''}`,
  );
  return `  attrs: ${JSON.stringify(attrs)}\n  inputs: ${list.join(', ')}`;
}

/** The code and message that op.infer throws for these shapes. */
export function inferError(op: OpDef, shapes: readonly (readonly number[] | null)[], attrs: unknown): string {
  const infos = shapes.map((shape) => shape && { dtype: 'float32' as const, shape });
  try {
    op.infer(infos, attrs);
  } catch (error) {
    const { name, code, message } = error as Error & { code: string };
    return `${name} ${code}: ${message}`;
  }
  throw new Error(`${op.name}.infer accepts ${JSON.stringify(shapes)} with ${JSON.stringify(attrs)}`);
}
