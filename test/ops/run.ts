import { expect } from 'vitest';
import type { DType } from '../../src/common/dtype.ts';
import { ConvletError, type ConvletErrorCode } from '../../src/common/error.ts';
import { execute } from '../../src/ops/core/execute.ts';
import { getOp } from '../../src/ops/training.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';
import { jsBackend } from '../support/js-backend.ts';

/** A tensor, or nested/flat values to make a row-major one of. */
export const t = (values: readonly number[], shape?: readonly number[], dtype?: DType): Tensor =>
  tensor(values, shape, dtype);

/** Runs an op on the js backend. */
export function run(name: string, attrs: unknown, ...inputs: (Tensor | null)[]): Tensor[] {
  return execute(jsBackend(), getOp(name), inputs, attrs);
}

/** The first output's elements as numbers. */
export function values(name: string, attrs: unknown, ...inputs: (Tensor | null)[]): number[] {
  return Array.from(run(name, attrs, ...inputs)[0].data);
}

/** Expects equal values up to `digits` decimals (NaN equals NaN). */
export function expectClose(actual: ArrayLike<number>, expected: readonly number[], digits = 6): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((v, i) => {
    if (Number.isFinite(v)) expect(actual[i], `element ${i}`).toBeCloseTo(v, digits);
    else expect(actual[i], `element ${i}`).toBe(v);
  });
}

/** Expects a ConvletError of that code whose message contains every one of `parts`. */
export function expectError(code: ConvletErrorCode, parts: readonly string[], body: () => unknown): void {
  let error: unknown;
  try {
    body();
  } catch (thrown) {
    error = thrown;
  }
  expect(error, 'throws').toBeInstanceOf(ConvletError);
  expect((error as ConvletError).code).toBe(code);
  for (const part of parts) expect((error as ConvletError).message).toContain(part);
}
