// The cost model: linear in its constants, so that a fit is least squares; and what it says of recorded times.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  estimate,
  factors,
  fitCosts,
  type Layer,
  leastSquares,
  type Measurement,
  quality,
} from '../../../bench/conv-fit.ts';
import { type ConvCosts, convCosts } from '../../../src/backend/wasm/conv/conv-cost.ts';
import { backendOf, Random, variants } from '../harness.ts';

const file = new URL('../../../bench/results/conv-costs.json', import.meta.url);
const { rows } = JSON.parse(readFileSync(file, 'utf8')) as Measurement;

describe.each(variants.slice(0, 1))('%s', (variant) => {
  const session = backendOf(variant).session();

  test('estimates are linear in the constants', () => {
    for (const { layer, ns } of rows) {
      for (const name of Object.keys(ns)) {
        const sum = factors(layer, name, session).reduce(
          (total, factor, i) => total + factor * Object.values(convCosts)[i],
          0,
        );
        const cost = estimate(layer, name, session, convCosts);
        expect(Math.abs(sum - cost), `${name} ${layer}`).toBeLessThanOrEqual(1e-9 * cost);
      }
    }
  });

  test('a fit finds the constants that made the times, and leaves alone those that made none', () => {
    const made: ConvCosts = { ...convCosts, step: 0.5, pixel: 30, there4: 40, back4: 20 };
    const times = rows.map(({ layer, ns }) => ({
      layer: layer as Layer,
      ns: Object.fromEntries(Object.keys(ns).map((name) => [name, estimate(layer, name, session, made)])),
    }));
    const fitted = fitCosts(times, session);
    for (const name of ['step', 'pixel'] as const)
      expect(Math.abs(fitted[name] / made[name] - 1), name).toBeLessThan(0.05);
    expect(fitted.partialByte).toBe(convCosts.partialByte);
    expect(quality(times, session, fitted).error).toBeLessThan(0.01);
    expect(quality(times, session, convCosts).error).toBeGreaterThan(0.1);
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
