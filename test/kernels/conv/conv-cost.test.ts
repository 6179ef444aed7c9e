// The cost model is linear in its constants, so that they can be fitted by least squares; and it predicts recorded times.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { estimate, factors, fitCosts, leastSquares, type Measurement, quality } from '../../../bench/conv-fit.ts';
import { type ConvCosts, convCosts } from '../../../src/backend/wasm/conv/conv-cost.ts';
import { backendOf, Random, variants } from '../harness.ts';

const file = new URL('../../../bench/results/conv-costs.json', import.meta.url);
const { rows } = JSON.parse(readFileSync(file, 'utf8')) as Measurement;

describe.each(variants.slice(0, 1))('%s', (variant) => {
  const session = backendOf(variant).session();

  test('estimates are linear in the constants', () => {
    for (const row of rows) {
      for (const name of Object.keys(row.ns)) {
        const sum = factors(row, name, session).reduce(
          (total, factor, i) => total + factor * Object.values(convCosts)[i],
          0,
        );
        const cost = estimate(row, name, session, convCosts);
        expect(Math.abs(sum - cost), `${name} ${row.layer}`).toBeLessThanOrEqual(1e-9 * cost);
      }
    }
  });

  test('a fit finds the constants that made the times, and leaves alone those that made none', () => {
    const made: ConvCosts = { ...convCosts, step: 0.5, pixel: 30, there4: 40, back4: 20 };
    const forward = rows.filter(({ work }) => work !== 'convWeightGrad');
    const times = forward.map((row) => ({
      ...row,
      ns: Object.fromEntries(Object.keys(row.ns).map((name) => [name, estimate(row, name, session, made)])),
    }));
    const fitted = fitCosts(times, session);
    for (const name of ['step', 'pixel'] as const)
      expect(Math.abs(fitted[name] / made[name] - 1), name).toBeLessThan(0.05);
    expect(fitted.partialByte).toBe(convCosts.partialByte);
    expect(quality(times, session, fitted).error).toBeLessThan(0.01);
    expect(quality(times, session, convCosts).error).toBeGreaterThan(0.1);
  });

  test('rows of weight gradients fit the constants that only these have', () => {
    const made: ConvCosts = { ...convCosts, gradQuad: 40, partialByte: 0.5 };
    const layers = [
      [16, 16, 32],
      [64, 64, 28],
      [128, 128, 14],
      [8, 256, 14],
      [256, 8, 14],
      [32, 64, 56, 3, 1, 1, 4],
    ] as const;
    const times = layers.map((layer) => {
      const row = { layer, work: 'convWeightGrad' as const };
      const ns = ['direct', 'winograd'].map((name) => [name, estimate(row, name, session, made)]);
      return { ...row, ns: Object.fromEntries(ns) as Record<string, number> };
    });
    const fitted = fitCosts(times, session);
    for (const name of ['gradQuad', 'partialByte'] as const)
      expect(Math.abs(fitted[name] / made[name] - 1), name).toBeLessThan(0.1);
    expect([fitted.back4, fitted.rowTile]).toEqual([convCosts.back4, convCosts.rowTile]);
  });

  test('on the recorded times the choice costs little', () => {
    expect(rows.length).toBeGreaterThan(40);
    const { error, choice } = quality(rows, session, convCosts);
    expect(error).toBeLessThan(0.5);
    expect(choice).toBeLessThan(1.1);
  });
});

test('least squares: never negative', () => {
  const random = new Random(5);
  const exact = [0.5, 2, 0];
  const a = Array.from({ length: 30 }, () => {
    const row = [...random.floats(3, 0.1, 1)];
    const sum = row.reduce((total, factor, i) => total + factor * exact[i], 0);
    return row.map((factor) => factor / sum);
  });
  leastSquares(a, [1, 1, 1]).forEach((value, i) => {
    expect(Math.abs(value - exact[i])).toBeLessThan(1e-3);
    expect(value).toBeGreaterThanOrEqual(0);
  });
  // The best x of x = −1 and x = 1 · 0.5 would be negative without the bound.
  expect(leastSquares([[-1]], [1])).toEqual([0]);
});
