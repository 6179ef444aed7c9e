import { expect, test } from 'vitest';
import { JsBackend } from '../../src/backend/js/backend.ts';
import * as ops from '../../src/ops/dropout.ts';
import { execute } from '../../src/ops/execute.ts';
import { wrap } from '../../src/tensor/tensor.ts';
import { opTests } from './harness.ts';

opTests('dropout', ops);

test.each([0.1, 0.5, 0.9])('p = %f drops that fraction, within four standard deviations', (p) => {
  const length = 40_000;
  const attrs = { shape: [length], p, kept: 1 / (1 - p), dropped: 0 };
  const [mask] = execute(new JsBackend(), ops.dropoutMask, [wrap(Int32Array.of(5, 9), [2])], attrs);
  const dropped = mask.array.filter((v) => v === 0).length / length;
  expect(Math.abs(dropped - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / length));
});

test('another key is another mask, the same key the same', () => {
  const attrs = { shape: [64], p: 0.5, kept: 2, dropped: 0 };
  const [a, b, c] = [1, 1, 2].map((key) => {
    const [mask] = execute(new JsBackend(), ops.dropoutMask, [wrap(Int32Array.of(key, 0), [2])], attrs);
    return [...mask.array];
  });
  expect(b).toEqual(a);
  expect(c).not.toEqual(a);
});
