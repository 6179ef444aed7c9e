import { expect, test } from 'vitest';
import { assign } from '../../../src/ops/elementwise/assign.ts';
import { inferError } from '../harness.ts';
import { run, t } from '../run.ts';

test('writes over the target, whatever the layout of the value', () => {
  const target = t(new Array(24).fill(0), [1, 2, 3, 4]);
  const value = t(
    Array.from({ length: 24 }, (_, i) => i),
    [1, 2, 3, 4],
  );
  const [out] = run('assign', {}, target, value);
  expect(out).toBe(target);
  expect(Array.from(target.data)).toEqual(Array.from(value.data));
});

test('shapes and types must be equal', () => {
  expect(inferError(assign, [[2], [3]], {})).toContain('[2]');
  expect(inferError(assign, [[2], null], {})).toContain("'value'");
});
