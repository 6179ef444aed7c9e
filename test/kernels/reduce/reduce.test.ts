import { describe, expect, test } from 'vitest';
import { jsPrims } from '../../../src/backend/js/prims.ts';
import { reduceKinds } from '../../../src/backend/prims/reduce.ts';
import { argReduce, reduce } from '../../../src/backend/wasm/reduce/reduce.ts';
import { wrap } from '../../../src/tensor/tensor.ts';
import { Random, runPrim, seeds, variants } from '../harness.ts';
import { compare } from '../spec.ts';

describe.each(variants)('%s', (variant) => {
  test.each(reduceKinds)('reduce %s', (kind) => {
    for (const seed of seeds(60)) {
      const random = new Random(seed);
      const outer = random.int(1, 5);
      const length = random.pick([1, 2, 3, 4, 7, 15, 16, 17, 49, 64, 65, 130, 1100]);
      const inner = random.pick([1, 1, 2, 3, 5, 16, 17, 19, 33, 64]);
      const data = random.floats(outer * length * inner, kind === 'logSum' ? 0.1 : -2, kind === 'prod' ? 1.5 : 2);
      if (random.int(0, 2) === 0) data[random.int(0, data.length - 1)] = random.pick([NaN, Infinity, -Infinity]);
      compare(
        variant,
        `seed ${seed}`,
        'reduce',
        [{ data }],
        outer * inner,
        { kind, outer, length, inner },
        [1e-5, 2e-5],
      );
    }
  });

  test('large numbers and all −∞ in logSumExp', () => {
    for (const inner of [1, 4]) {
      for (const value of [1000, -1000, -Infinity]) {
        const attrs = { kind: 'logSumExp', outer: 1, length: 9, inner } as const;
        compare(variant, `${value}`, 'reduce', [{ data: new Float32Array(9 * inner).fill(value) }], inner, attrs);
      }
    }
  });

  test('the sum of many elements keeps its precision', () => {
    for (const inner of [1, 16, 3]) {
      const length = 300_000;
      const data = new Random(7).floats(length * inner, 0, 1);
      compare(variant, 'sum', 'reduce', [{ data }], inner, { kind: 'sum', outer: 1, length, inner }, [3e-6, 0]);
    }
  });

  test.each(['max', 'min'] as const)('arg %s', (kind) => {
    for (const seed of seeds(200)) {
      const random = new Random(seed);
      const outer = random.int(1, 5);
      const length = random.pick([1, 2, 3, 4, 5, 7, 8, 9, 21, 1000, 5000]);
      const inner = random.pick([1, 1, 1, 2, 3, 4, 7, 19]);
      const values = [-2, -0, 0, 1, 1, random.pick([2, NaN, Infinity, -Infinity])];
      const data = Float32Array.from({ length: outer * length * inner }, () => random.pick(values));
      const attrs = { kind, outer, length, inner, selectLast: random.int(0, 1) === 1 };
      const out = wrap(new Int32Array(outer * inner), [outer * inner], 'int64');
      jsPrims.argReduce([wrap(data, [data.length])], [out], attrs);
      const outputs = [{ length: outer * inner, dtype: 'int64' as const }];
      const got = runPrim(variant, 'argReduce', [{ data }], outputs, attrs, argReduce)!;
      expect([...got.arrays[0]], `seed ${seed}: ${JSON.stringify(attrs)}`).toEqual([...out.array]);
    }
  });

  test('an empty axis is left to JavaScript', () => {
    const attrs = { kind: 'sum', outer: 2, length: 0, inner: 3 } as const;
    expect(runPrim(variant, 'reduce', [{ data: new Float32Array(0) }], [{ length: 6 }], attrs, reduce)).toBeNull();
  });

  test.each([false, true])('softmax, log: %s', (log) => {
    for (const seed of seeds(120)) {
      const random = new Random(seed);
      const outer = random.int(1, 9);
      const length = random.pick([1, 2, 3, 4, 5, 16, 17, 67, 1000]);
      const inner = random.pick([1, 1, 1, 2, 3, 4, 7, 19]);
      const data = random.floats(outer * length * inner, -20, 20);
      const special = random.int(0, 5);
      if (special === 0) data[0] = NaN;
      if (special === 1) data[0] = -Infinity;
      if (special === 2) data.fill(3e38, 0, data.length >> 1);
      compare(variant, `seed ${seed}`, 'softmax', [{ data }], data.length, { outer, length, inner, log }, [2e-6, 2e-6]);
    }
  });
});
