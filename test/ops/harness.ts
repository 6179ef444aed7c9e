import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { dtypes } from '../../src/common/dtype.ts';
import type { OpCase } from '../../src/ops/case.ts';
import type { OpDef } from '../../src/ops/core/op.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { backendOf, variants } from '../kernels/harness.ts';
import { jsBackend } from '../support/js-backend.ts';
import { teamOf } from '../support/teams.ts';
import { type CaseResult, casesOf, caseValues, constantModes, layouts, runCase, seed } from './cases.ts';
import { emptyDifferences } from './empty.ts';

export interface OpTestOptions {
  /** Allowed error per op, in units of the largest expected value; default: from the reduction length. */
  readonly tolerance?: { readonly [op: string]: number };
}

const js = jsBackend();

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
      test('has cases', () => expect(casesOf(op).length).toBeGreaterThanOrEqual(1));
      for (const backend of [js, ...variants.map(backendOf)]) {
        const title = backend.name === 'js' ? 'js, every layout' : `wasm ${backend.variant}`;
        casesOf(op).forEach((opCase, i) => {
          test(`${title}, case ${i + 1}`, () => checkCase(op, opCase, i, backend, options));
        });
      }
      test('an empty axis: the same results, or the same refusal', () => {
        expect(emptyDifferences(op, [js, ...variants.map(backendOf)])).toEqual([]);
      });
      for (const variant of variants) {
        test(`wasm ${variant}, two threads: every case bit for bit as one`, async () => {
          const team = await teamOf(variant);
          for (const [i, opCase] of casesOf(op).entries()) checkThreads(op, opCase, i, variant, team);
        });
      }
    });
  }
}

function checkThreads(op: OpDef, opCase: OpCase<unknown>, number: number, variant: 'simd' | 'relaxed', team: Backend) {
  const arrays = caseValues(opCase.inputs, seed + number);
  for (const layout of layouts) {
    const what = `${op.name} case ${number + 1} (wasm ${variant}, two threads, layout: ${layout}, seed ${seed})\n${caseText(opCase)}\n`;
    const expected = attempt(what, () => runCase(backendOf(variant), op, opCase, arrays, 'none', layout));
    const got = attempt(what, () => runCase(team, op, opCase, arrays, 'none', layout, true));
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
  return typeof op === 'object' && op !== null && typeof op.infer === 'function' && typeof op.forward === 'function';
}

function checkCase(op: OpDef, opCase: OpCase<unknown>, number: number, backend: Backend, options: OpTestOptions): void {
  const arrays = caseValues(opCase.inputs, seed + number);
  const expected = runCase(js, op, opCase, arrays, 'none', 'row');
  for (const mode of constantModes) {
    for (const layout of layouts) {
      const setting = `${backend.name} ${backend.variant}, constant inputs: ${mode}, layout: ${layout}`;
      const what = `${op.name} case ${number + 1} (${setting}, seed ${seed})\n${caseText(opCase)}\n`;
      const got = attempt(what, () => runCase(backend, op, opCase, arrays, mode, layout));
      if (got.length !== expected.length) throw new Error(`${what}${got.length} outputs, expected ${expected.length}`);
      got.forEach((y, k) => {
        compare(`${what}output ${k}`, y, expected[k], toleranceOf(op, opCase, expected, options));
      });
    }
  }
}

/**
 * Error allowed relative to the largest value: rounding of a sum of n terms grows about as √n; 4e-7 is three times the
 * rounding of one float32 operation, and an element takes a few besides its sum.
 */
function toleranceOf(
  op: OpDef,
  opCase: OpCase<unknown>,
  outputs: readonly CaseResult[],
  options: OpTestOptions,
): number {
  const given = options.tolerance?.[op.name];
  if (given !== undefined) return given;
  const infos = opCase.inputs.map((input) => input && { dtype: input.dtype ?? 'float32', shape: input.shape });
  const size = Math.max(1, outputs[0]?.data.length ?? 1);
  const work =
    op.macs?.(infos, outputs, opCase.attrs) ?? Math.max(...infos.map((t) => (t ? elementCount(t.shape) : 0)));
  return 4e-7 * (8 + Math.sqrt(Math.max(1, work / size)));
}

function compare(what: string, got: CaseResult, expected: CaseResult, tolerance: number): void {
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
