import { expect, test } from 'vitest';
import type { DrawAttrs } from '../../../src/ops/random/attrs.ts';
import * as family from '../../../src/ops/random/draw.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t } from '../run.ts';

opTests('draw', family);

const n = 40_000;
const drawn = (key: number[], given: Partial<DrawAttrs>): number[] => {
  const attrs = { shape: [n], dtype: 'float32', distribution: 'uniform', low: 0, high: 1, ...given } as DrawAttrs;
  return Array.from(run('draw', attrs, t(key, [2], 'int32'))[0].data);
};
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const moment = (values: readonly number[], k: number): number => mean(values.map((v) => v ** k));

/** Correlation of each value with the one `lag` behind it. */
function correlation(values: readonly number[], lag: number): number {
  const m = mean(values);
  const variance = mean(values.map((v) => (v - m) ** 2));
  return mean(values.slice(lag).map((v, i) => (v - m) * (values[i] - m))) / variance;
}

test('uniform: in [0, 1), with its moments, neighbours independent', () => {
  const values = drawn([1, 2], {});
  expect(values.every((v) => v >= 0 && v < 1)).toBe(true);
  // Standard errors of the mean (√(1/12n)) and of the mean square (√(4/45n)).
  expect(Math.abs(mean(values) - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
  expect(Math.abs(moment(values, 2) - 1 / 3)).toBeLessThan(4 * Math.sqrt(4 / 45 / n));
  for (const lag of [1, 2, 3, 4, 5]) expect(Math.abs(correlation(values, lag))).toBeLessThan(4 / Math.sqrt(n));
});

test('normal: mean 0, variance 1, no skew, tails as thick as they should be', () => {
  const values = drawn([3, 4], { distribution: 'normal' });
  expect(Math.abs(mean(values))).toBeLessThan(4 / Math.sqrt(n));
  expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  expect(Math.abs(moment(values, 3))).toBeLessThan(4 * Math.sqrt(15 / n));
  expect(Math.abs(moment(values, 4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
  // P(|z| > 2.5) = 0.0124193.
  const beyond = values.filter((v) => Math.abs(v) > 2.5).length / n;
  expect(Math.abs(beyond - 0.0124193)).toBeLessThan(4 * Math.sqrt(0.0124193 / n));
  for (const lag of [1, 2, 3, 4]) expect(Math.abs(correlation(values, lag))).toBeLessThan(4 / Math.sqrt(n));
});

test('integers: low … high − 1, all equally likely', () => {
  const values = drawn([5, 6], { distribution: 'integers', dtype: 'int64', low: -2, high: 5 });
  const counts = [-2, -1, 0, 1, 2, 3, 4].map((k) => values.filter((v) => v === k).length);
  expect(counts.reduce((a, b) => a + b)).toBe(n);
  for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(4 * Math.sqrt((n / 7) * (6 / 7)));
});

test('a key gives one sequence, another key another one', () => {
  expect(drawn([1, 2], {})).toEqual(drawn([1, 2], {}));
  expect(drawn([1, 2], {})).not.toEqual(drawn([2, 1], {}));
});

test('what makes no sense is refused', () => {
  expectError('argument', ['high'], () => drawn([1, 2], { distribution: 'integers', low: 3, high: 3 }));
  expectError('argument', ['distribution'], () => drawn([1, 2], { distribution: 'cauchy' as 'normal' }));
});
