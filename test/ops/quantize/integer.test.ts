import { describe, expect, test } from 'vitest';
import { execute } from '../../../src/ops/core/execute.ts';
import type { OpDef } from '../../../src/ops/core/op.ts';
import * as ops from '../../../src/ops/quantize/integer.ts';
import { type Tensor, tensor, wrap } from '../../../src/tensor/tensor.ts';
import { jsBackend } from '../../support/js-backend.ts';
import { opTests } from '../harness.ts';

opTests('integer', ops);

const js = jsBackend();
const { convInteger, matmulInteger } = ops;
const window = { stride: [1], padBegin: [1], padEnd: [0], dilation: [1], groups: 1 };
const bytes = (values: number[], shape: number[]) => wrap(Uint8Array.from(values), shape, 'uint8');

describe('by hand', () => {
  test('the padding is as the zero point of x', () => {
    const inputs = [bytes([10, 12, 9], [1, 1, 3]), bytes([2, 3], [1, 1, 2]), bytes([10], []), bytes([1], [1]), null];
    // (0, 0, 2, -1) · (1, 2)
    expect([...execute(js, convInteger, inputs, window)[0].data]).toEqual([0, 4, 0]);
  });

  test('sums beyond int32 are cut off', () => {
    const big = wrap(Int32Array.of(2 ** 30, 2 ** 30), [1, 2], 'int32');
    const ones = wrap(Int32Array.of(1, 1), [2, 1], 'int32');
    expect([...execute(js, matmulInteger, [big, ones, null, null], {})[0].data]).toEqual([2 ** 31 - 1]);
  });
});

const inferOf = (op: OpDef, inputs: readonly (Tensor | null)[], attrs: unknown): string => {
  try {
    return `infers ${JSON.stringify(op.infer(inputs, attrs))}`;
  } catch (error) {
    return String(error);
  }
};

test('what does not fit is refused', () => {
  const x = bytes([1, 2, 3], [1, 1, 3]);
  const weight = bytes([1, 1], [1, 1, 2]);
  expect(inferOf(convInteger, [tensor([1, 2, 3], [1, 1, 3]), weight], window)).toMatch(
    /convInteger: x and its zero point expect whole numbers, got float32/,
  );
  expect(inferOf(convInteger, [x, weight, bytes([1, 2], [2])], window)).toMatch(/convInteger: .*\[1,1,3\].*\[2\]/);
  expect(inferOf(matmulInteger, [bytes([1, 2], [1, 2]), bytes([1, 2], [2, 1]), bytes([1, 2], [2, 1])], {})).toMatch(
    /matmulInteger: the zero point of a expects a shape that broadcasts to \[1,2\], got \[2,1\]/,
  );
});
