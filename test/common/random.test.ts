import { expect, test } from 'vitest';
import { Generator, inverseNormal, philox, portableLog } from '../../src/common/random.ts';
import { expectError } from '../ops/run.ts';

test('Philox4x32-10 gives the known answers of Random123', () => {
  const out = new Uint32Array(4);
  const hex = (): string[] => Array.from(out, (word) => word.toString(16).padStart(8, '0'));
  philox([0, 0, 0, 0], [0, 0], out);
  expect(hex()).toEqual(['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']);
  const most = 0xffffffff;
  philox([most, most, most, most], [most, most], out);
  expect(hex()).toEqual(['408f276d', '41c83b0e', 'a20bc7c6', '6d5451fd']);
  philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], out);
  expect(hex()).toEqual(['d16cfe09', '94fdcceb', '5001e420', '24126ea1']);
});

test('the logarithm is exact to a rounding', () => {
  const random = new Generator(1);
  for (let i = 0; i < 2000; i++) {
    const x = random.uniform() ** 9 + 1e-300;
    expect(Math.abs(portableLog(x) - Math.log(x))).toBeLessThanOrEqual(4e-16 * Math.abs(Math.log(x)) + 1e-18);
  }
});

test('quantiles of the normal distribution', () => {
  expect(inverseNormal(0.5)).toBe(0);
  expect(inverseNormal(0.975)).toBeCloseTo(1.959963984540054, 14);
  expect(inverseNormal(0.025)).toBeCloseTo(-1.959963984540054, 14);
  expect(inverseNormal(1e-10)).toBeCloseTo(-6.361340902404056, 13);
});

test('moments of the distributions', () => {
  const random = new Generator(4);
  const n = 40_000;
  const mean = (next: () => number): number => Array.from({ length: n }, next).reduce((a, b) => a + b, 0) / n;
  expect(Math.abs(mean(() => random.normal()))).toBeLessThan(4 / Math.sqrt(n));
  expect(Math.abs(mean(() => random.normal() ** 2) - 1)).toBeLessThan((4 * Math.SQRT2) / Math.sqrt(n));
  expect(Math.abs(mean(() => random.uniform()) - 0.5)).toBeLessThan(4 / Math.sqrt(12 * n));
  const counts = new Array(7).fill(0);
  for (let i = 0; i < n; i++) counts[random.below(7)]++;
  for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(4 * Math.sqrt(n / 7));
});

test('a state continues the sequence; seeds differ; a permutation has every number once', () => {
  const random = new Generator(9);
  for (let draws = 0; draws < 6; draws++) {
    const { state } = random;
    const first = Array.from({ length: 9 }, () => random.uint32());
    random.state = state;
    expect(Array.from({ length: 9 }, () => random.uint32())).toEqual(first);
  }
  expect(new Generator(1).uint32()).not.toBe(new Generator(2).uint32());
  expect(new Generator(2 ** 40).uint32()).not.toBe(new Generator(0).uint32());
  expect([...random.permutation(50)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test('seeds that are none', () => {
  for (const seed of [-1, 0.5, Number.NaN, 2 ** 60]) expectError('argument', ['seed'], () => new Generator(seed));
});
