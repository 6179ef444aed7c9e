import { describe, test } from 'vitest';
import { Random, seeds, variants } from '../harness.ts';
import { compare } from '../spec.ts';

const activations = [null, null, { kind: 'relu', alpha: 0, beta: 0 }, { kind: 'silu', alpha: 0, beta: 0 }] as const;

describe.each(variants)('%s', (variant) => {
  test('batchNorm', () => {
    for (const seed of seeds(200)) {
      const random = new Random(seed);
      const channels = random.pick([1, 2, 3, 4, 7, 16, 63, 64, 65, 200]);
      const inner = random.pick([1, 1, 2, 3, 49]);
      const outer = random.pick([1, 2, 5, 100, 5000 / channels]) | 0 || 1;
      const constant = random.int(0, 1) === 1;
      const parameter = (lo: number, hi: number) => ({ data: random.floats(channels, lo, hi), constant });
      const optional = (lo: number, hi: number) => (random.int(0, 3) === 0 ? null : parameter(lo, hi));
      const length = outer * channels * inner;
      const inputs = [
        { data: random.floats(length) },
        optional(0.5, 2),
        optional(-1, 1),
        parameter(-1, 1),
        parameter(0.1, 3),
      ];
      const attrs = { outer, channels, inner, epsilon: 1e-5, activation: random.pick(activations) };
      compare(variant, `seed ${seed}, constant ${constant}`, 'batchNorm', inputs, length, attrs, [2e-6, 2e-6]);
    }
  });

  test('normalize: layer, group, instance and RMS norm', () => {
    for (const seed of seeds(300)) {
      const random = new Random(seed);
      const kind = random.pick(['layer', 'group', 'instance', 'any'] as const);
      const spatial = kind === 'layer' ? 1 : random.pick([1, 2, 9, 35, 150]);
      const groups = kind === 'layer' ? 1 : random.pick([1, 2, 3, 4, 5, 16, 18]);
      const size = kind === 'instance' ? 1 : random.pick([1, 2, 3, 4, 8, 17, 33]);
      const outer = random.int(1, 6);
      const constant = random.int(0, 1) === 1;
      const optional = (lo: number, hi: number) =>
        random.int(0, 3) === 0 ? null : { data: random.floats(groups * size, lo, hi), constant };
      const length = outer * spatial * groups * size;
      // Far from 0, where one-pass formulas lose all digits.
      const offset = random.pick([0, 0, 30]);
      const data = random.floats(length).map((v) => v + offset);
      const attrs = {
        outer,
        spatial,
        groups,
        size,
        epsilon: 1e-3,
        subtractMean: random.int(0, 3) > 0,
        activation: random.pick(activations),
      };
      compare(variant, `seed ${seed}`, 'normalize', [{ data }, optional(0.5, 2), optional(-1, 1)], length, attrs, [
        1e-5,
        offset === 0 ? 2e-5 : 4e-4,
      ]);
    }
  });

  test('lrn', () => {
    for (const seed of seeds(150)) {
      const random = new Random(seed);
      const channels = random.pick([1, 2, 3, 4, 5, 9, 16, 33, 96]);
      const outer = random.pick([1, 2, 7, 60]);
      const data = random.floats(outer * channels, -10, 10);
      if (random.int(0, 4) === 0) data[data.length - 1] = NaN;
      const attrs = {
        outer,
        channels,
        size: random.int(1, 8),
        alpha: random.pick([1e-4, 0.1]),
        beta: random.pick([0.75, 0.5, 1, 0.6]),
        bias: random.pick([1, 2]),
      };
      compare(variant, `seed ${seed}`, 'lrn', [{ data }], data.length, attrs, [2e-6, 1e-6]);
    }
  });
});
