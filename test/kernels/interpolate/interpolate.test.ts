import { describe, test } from 'vitest';
import { Random, seeds, variants } from '../harness.ts';
import { compare } from '../spec.ts';

describe.each(variants)('%s', (variant) => {
  test('random tables', () => {
    for (const seed of seeds(400)) {
      const random = new Random(seed);
      const [outer, input, output] = [random.int(1, 4), random.int(1, 9), random.int(0, 12)];
      const inner = random.pick([1, 1, 2, 3, 4, 5, 16, 31, 300]);
      const taps = random.pick([1, 1, 2, 2, 3, 4, 4, 7]);
      const outside = random.int(0, 3) === 0;
      const index = Int32Array.from({ length: output * taps }, () =>
        outside && random.int(0, 3) === 0 ? -1 : random.int(0, input - 1),
      );
      const weight = random.floats(output * taps, -1, 1).map((w) => random.pick([w, w, w, 0, 1]));
      const data = random.floats(outer * input * inner);
      const inputs = [{ data }, { data: index, constant: true }, { data: weight, constant: true }];
      const attrs = { outer, input, output, inner, taps, extrapolation: 2.5 };
      compare(variant, `seed ${seed}`, 'resample', inputs, outer * output * inner, attrs, [1e-6, 1e-6]);
    }
  });
});
