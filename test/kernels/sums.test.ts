// Sums over as many elements as large pictures have: the error must not grow with their number.
import { describe, expect, test } from 'vitest';
import type { PrimName, Prims } from '../../src/backend/prims/index.ts';
import type { PoolAttrs } from '../../src/backend/prims/pool.ts';
import { reduceKinds } from '../../src/backend/prims/reduce.ts';
import { allPrims } from '../../src/backend/wasm/training-prims.ts';
import { Random, runPrim, variants } from './harness.ts';
import { specification } from './spec.ts';

const side = 4200;

/** Values at which rounding errors of many additions have one sign, or at which terms cancel. */
const patterns: { readonly [name: string]: (i: number) => number } = {
  ones: () => 1,
  constant: () => 0.1,
  alternating: (i) => (i % 2 === 0 ? 1.1 : -1.1),
  'of two values': (i) => (i % 3 === 0 ? 0.7 : 0.1),
};

const filled = (length: number, value: (i: number) => number): Float32Array =>
  Float32Array.from({ length }, (_, i) => value(i));

const poolOf = (kind: 'average' | 'lp', p: number, height: number, width: number, channels: number): PoolAttrs => ({
  ...{ kind, p, batch: 1, channels, input: [1, height, width], output: [1, 1, 1], kernel: [1, height, width] },
  ...{ stride: [1, 1, 1], dilation: [1, 1, 1], padBegin: [0, 0, 0], padEnd: [0, 0, 0], countPad: false, divisor: 0 },
});

function kernel<P extends PrimName>(
  variant: 'simd' | 'relaxed',
  prim: P,
  data: (Float32Array | null)[],
  lengths: number[],
  attrs: Prims[P],
) {
  const outputs = lengths.map((length) => ({ length }));
  const inputs = data.map((values) => (values === null ? null : { data: values }));
  const got = runPrim(variant, prim, inputs, outputs, attrs, allPrims.wasm[prim] as never);
  if (got === null) throw new Error(`no kernel for ${prim}`);
  return got.arrays as Float32Array[];
}

/** Sums of one column in doubles: of the values, their magnitudes and their squares. */
function sumsOf(x: Float32Array, column = 0, channels = 1) {
  let [sum, size, squares] = [0, 0, 0];
  for (let i = column; i < x.length; i += channels) {
    sum += x[i];
    size += Math.abs(x[i]);
    squares += x[i] * x[i];
  }
  return { sum, size, squares };
}

describe.each(variants)('%s', (variant) => {
  describe.each(Object.keys(patterns))(`${side}² values, %s`, (name) => {
    const x = filled(side * side, patterns[name]);
    const { sum, size, squares } = sumsOf(x);

    test('average and Lp pooling', () => {
      const [[mean], [adaptive], [l1], [l2]] = [
        kernel(variant, 'pool', [x], [1], poolOf('average', 2, side, side, 1))[0],
        kernel(variant, 'adaptivePool', [x], [1], {
          ...{ kind: 'average', batch: 1, channels: 1, input: [1, side, side], output: [1, 1, 1] },
        })[0],
        kernel(variant, 'pool', [x], [1], poolOf('lp', 1, side, side, 1))[0],
        kernel(variant, 'pool', [x], [1], poolOf('lp', 2, side, side, 1))[0],
      ];
      expect(Math.abs(mean * x.length - sum)).toBeLessThan(1e-6 * size);
      expect(adaptive).toBe(mean);
      const [plain] = specification('pool', [{ data: x }], 1, poolOf('average', 2, side, side, 1));
      expect(Math.abs(plain * x.length - sum)).toBeLessThan(1e-6 * size);
      expect(Math.abs(l1 - size)).toBeLessThan(1e-6 * size);
      expect(Math.abs(l2 - Math.sqrt(squares))).toBeLessThan(1e-6 * Math.sqrt(squares));
    });

    test.each(reduceKinds.filter((kind) => /^(sum|mean|l1|l2|sumSquare|logSumExp)$/.test(kind)))(
      'reduce %s',
      (kind) => {
        let total = 0;
        for (let i = 0; i < x.length; i++) total += Math.exp(x[i]);
        const expected = {
          ...{ sum, mean: sum / x.length, l1: size, l2: Math.sqrt(squares), sumSquare: squares },
          logSumExp: Math.log(total),
        }[kind as 'sum'];
        const scale = { sum: size, mean: size / x.length }[kind as 'sum'] ?? expected;
        for (const inner of kind === 'l1' || kind === 'sumSquare' ? [1, 4] : [1]) {
          // Each column has the pattern.
          const length = inner === 1 ? x.length : Math.floor(x.length / inner);
          const data = inner === 1 ? x : filled(length * inner, (i) => x[Math.floor(i / inner)]);
          const of = sumsOf(data, 0, inner);
          const [y] = kernel(variant, 'reduce', [data], [inner], { kind, outer: 1, length, inner });
          if (inner === 1) expect(Math.abs(y[0] - expected)).toBeLessThan(1e-6 * scale);
          else if (kind === 'l1') expect(Math.abs(y[0] - of.size)).toBeLessThan(1e-6 * of.size);
          else if (kind === 'sumSquare') expect(Math.abs(y[0] - of.squares)).toBeLessThan(1e-6 * of.squares);
        }
      },
    );

    test('instance norm', () => {
      const attrs = {
        outer: 1,
        spatial: x.length,
        groups: 1,
        size: 1,
        epsilon: 1e-5,
        subtractMean: true,
        activation: null,
      };
      const [y] = kernel(variant, 'normalize', [x, null, null], [x.length], attrs);
      const mean = sum / x.length;
      let variance = 0;
      for (let i = 0; i < x.length; i++) variance += (x[i] - mean) ** 2;
      const inverse = 1 / Math.sqrt(variance / x.length + 1e-5);
      let worst = 0;
      for (let i = 0; i < x.length; i++) worst = Math.max(worst, Math.abs(y[i] - (x[i] - mean) * inverse));
      expect(worst).toBeLessThan(5e-6);
    });
  });

  test('a constant channel is normalized to the bias, whatever the grouping', () => {
    const random = new Random(3);
    for (const [spatial, groups, size] of [
      ...[
        [40000, 3, 1],
        [3136, 20, 1],
        [49, 64, 1],
        [10000, 2, 4],
        [1000, 2, 40],
        [1, 1, 1000],
        [900, 1, 3],
      ],
    ]) {
      const channels = groups * size;
      // All values of a group are equal, and groups differ.
      const data = filled(spatial * channels, (i) => 1234.567 * (1 + Math.floor((i % channels) / size)));
      const [weight, bias] = [random.floats(channels), random.floats(channels)];
      const attrs = { outer: 1, spatial, groups, size, epsilon: 1e-5, subtractMean: true, activation: null };
      const [y] = kernel(variant, 'normalize', [data, weight, bias], [data.length], attrs);
      const wrong = y.findIndex((v, i) => v !== bias[i % channels]);
      expect(wrong, `${[spatial, groups, size]}: ${y[wrong]}`).toBe(-1);
      const gy = random.floats(data.length);
      const [gx] = kernel(variant, 'normalizeGrad', [data, weight, gy], [data.length, channels, channels], attrs);
      expect(gx.every(Number.isFinite)).toBe(true);
    }
  });

  test('batch norm of constant channels in training: the bias, a variance of 0', () => {
    for (const [rows, channels] of [
      [side * side, 1],
      [50000, 3],
      [3136, 64],
    ]) {
      const data = filled(rows * channels, (i) => 1234.567 * (1 + (i % channels)));
      const [weight, bias] = [new Float32Array(channels).fill(2), new Float32Array(channels).fill(0.5)];
      const zeros = new Float32Array(channels);
      const attrs = { rows, channels, epsilon: 1e-5, momentum: 0, correction: 1 };
      const inputs = [data, weight, bias, zeros, zeros];
      const [y, mean, variance] = kernel(
        variant,
        'batchNormTraining',
        inputs,
        [data.length, channels, channels],
        attrs,
      );
      expect(y.every((v) => v === 0.5)).toBe(true);
      for (let c = 0; c < channels; c++) {
        expect(mean[c]).toBe(data[c]);
        expect(variance[c]).toBeLessThan(1e-9);
      }
    }
  });

  test('gradients of normalisation by its parameters', () => {
    const [spatial, channels] = [1_000_000, 4];
    const random = new Random(5);
    const data = random.floats(spatial * channels, 0, 1);
    const gy = filled(spatial * channels, () => 0.1);
    const weight = new Float32Array(channels).fill(1);
    const attrs = { outer: 1, spatial, groups: channels, size: 1, epsilon: 1e-5, subtractMean: true };
    const [, , gbias] = kernel(variant, 'normalizeGrad', [data, weight, gy], [data.length, channels, channels], attrs);
    for (const v of gbias) expect(Math.abs(v - gy[0] * spatial)).toBeLessThan(1e-6 * gy[0] * spatial);
  });

  test('windows of any shape across the bound of few cells', () => {
    const random = new Random(9);
    for (const [height, width] of [
      [1, 64],
      [1, 65],
      [65, 1],
      [8, 8],
      [9, 8],
      [3, 100],
      [100, 3],
      [33, 33],
    ]) {
      for (const channels of [1, 3, 16, 21]) {
        const data = random.floats(height * width * channels);
        const [y] = kernel(variant, 'pool', [data], [channels], poolOf('average', 2, height, width, channels));
        for (let c = 0; c < channels; c++) {
          const { sum, size } = sumsOf(data, c, channels);
          expect(Math.abs(y[c] * height * width - sum)).toBeLessThan(1e-6 * size);
        }
      }
    }
  });

  test('softmax of a million equal values', () => {
    const length = 1 << 20;
    const [y] = kernel(variant, 'softmax', [new Float32Array(length).fill(3)], [length], {
      outer: 1,
      length,
      inner: 1,
      log: false,
    });
    expect(Math.abs(y[0] * length - 1)).toBeLessThan(2e-6);
  });
});
