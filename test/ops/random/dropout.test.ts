import { expect, test } from 'vitest';
import * as family from '../../../src/ops/random/dropout.ts';
import { opTests } from '../harness.ts';
import { run, t } from '../run.ts';

opTests('dropout', family);

const mask = (key: number[], p: number, length = 20_000): number[] => {
  const attrs = { shape: [length], p, kept: 1, dropped: 0 };
  return Array.from(run('dropoutMask', attrs, t(key, [2], 'int32'))[0].data);
};

test.each([0.1, 0.5, 0.9])('drops a share of %f', (p) => {
  const n = 20_000;
  const dropped = mask([1, 2], p).filter((v) => v === 0).length;
  expect(Math.abs(dropped / n - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n));
});

test('a key gives one mask, another key another one', () => {
  expect(mask([1, 2], 0.5, 100)).toEqual(mask([1, 2], 0.5, 100));
  expect(mask([1, 2], 0.5, 100)).not.toEqual(mask([2, 1], 0.5, 100));
});
