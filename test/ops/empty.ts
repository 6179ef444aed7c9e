// Cases of ops with nothing in one axis: what becomes of them on a backend.
import type { Backend } from '../../src/backend/backend.ts';
import { ConvletError } from '../../src/common/error.ts';
import type { OpCase } from '../../src/ops/case.ts';
import type { OpDef } from '../../src/ops/core/op.ts';
import type { Layout } from '../../src/tensor/layout.ts';
import { type CaseResult, casesOf, caseValues, layouts, runCase } from './cases.ts';

/** A case of which one axis is empty, in the one input or in all that are as long there. */
interface EmptyCase {
  readonly what: string;
  readonly opCase: OpCase<unknown>;
}

/** Every case with an empty axis in the place of each axis of each input. */
function* emptyCases(cases: readonly OpCase<unknown>[]): Generator<EmptyCase> {
  for (const [n, { attrs, inputs }] of cases.entries()) {
    for (const [i, input] of inputs.entries()) {
      for (const [axis, length] of (input?.shape ?? []).entries()) {
        for (const together of [false, true]) {
          const changed = inputs.map((other, k) => {
            const matches = k === i || (together && other?.shape[axis] === length);
            if (other === null || !matches || axis >= other.shape.length) return other;
            // Given values have the shape of the case.
            return { ...other, values: undefined, shape: other.shape.map((d, a) => (a === axis ? 0 : d)) };
          });
          const where = together ? `axis ${axis} of all inputs like` : `axis ${axis} of`;
          yield { what: `case ${n + 1}, ${where} input ${i}`, opCase: { attrs, inputs: changed } };
        }
      }
    }
  }
}

/** The outputs, or the code of the ConvletError that the case is refused with. */
function outcome(
  backend: Backend,
  op: OpDef,
  { attrs, inputs }: OpCase<unknown>,
  layout: Layout,
): CaseResult[] | string {
  try {
    return runCase(backend, op, { attrs, inputs }, caseValues(inputs, 1), 'none', layout);
  } catch (error) {
    if (error instanceof ConvletError && error.code !== 'internal') return error.code;
    throw error;
  }
}

/** Values of the same shape and type; floats may differ by rounding. */
function same(a: CaseResult[] | string, b: CaseResult[] | string): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.every(({ shape, dtype, data }, k) => {
    const other = b[k];
    const close = (x: number, y: number) => Object.is(x, y) || Math.abs(x - y) <= 1e-5 * Math.max(1, Math.abs(y));
    const values = Array.from(data as ArrayLike<number>);
    return (
      dtype === other.dtype && shape.join() === other.shape.join() && values.every((x, i) => close(x, other.data[i]))
    );
  });
}

/**
 * What differs between backends and layouts, or fails otherwise than by a ConvletError, where some axis of a case is empty: one
 * line each.
 */
export function emptyDifferences(op: OpDef, backends: readonly Backend[]): string[] {
  const [reference] = backends;
  const found: string[] = [];
  for (const { what, opCase } of emptyCases(casesOf(op))) {
    let expected: CaseResult[] | string | null = null;
    for (const backend of backends) {
      for (const layout of layouts) {
        const where = `${what} (${backend.name} ${backend.variant}, ${layout})`;
        try {
          const got = outcome(backend, op, opCase, layout);
          if (backend === reference && layout === 'row') expected = got;
          else if (expected !== null && !same(got, expected)) found.push(`${where}: other than in plain JS`);
        } catch (error) {
          found.push(`${where}: ${String(error)}`);
        }
      }
    }
  }
  return found;
}
