import { describe, expect, test } from 'vitest';
import { unaryFunctions } from '../../../src/backend/js/elementwise/unary.ts';
import { activationKinds } from '../../../src/backend/prims/elementwise.ts';
import { unary } from '../../../src/backend/wasm/elementwise/unary.ts';
import { unaryDefaults } from '../../../src/ops/elementwise/unary.ts';
import { expectClose, Random, runPrim, variants } from '../harness.ts';

const positive = new Set(['log', 'sqrt', 'rsqrt']);

describe.each(variants)('%s', (variant) => {
  test.each(activationKinds)('%s', (kind) => {
    const random = new Random(17);
    for (const length of [0, 1, 2, 3, 4, 5, 7, 64, 4095, 4096, 4099, 9001]) {
      const special = [0, -0, Number.NaN, 0.5, 1.5, -2.5, 30, -30];
      const data = Float32Array.from(random.floats(length, positive.has(kind) ? 0 : -6, 6), (v, i) =>
        i % 9 === 4 ? special[(i / 9) & 7] : v,
      );
      for (const given of [{}, { alpha: 0.75, beta: 1.25 }]) {
        const { alpha, beta } = { alpha: 0, beta: 0, ...unaryDefaults[kind], ...given };
        const [a32, b32] = [Math.fround(alpha), Math.fround(beta)];
        const expected = data.map((v) => unaryFunctions[kind](v, a32, b32));
        for (const inPlace of [false, true]) {
          const attrs = { kind, alpha, beta, length };
          const got = runPrim(variant, 'unary', [{ data }], [{ length }], attrs, unary, { inPlace })!;
          expectClose(`${kind}(${alpha}, ${beta}) of ${length}`, got.arrays[0], expected, 6e-7, 6e-7);
        }
      }
    }
  });

  test.each(['silu', 'geluTanh', 'gelu', 'mish', 'hardSwish'] as const)(
    '%s at the ends is what PyTorch gives',
    (kind) => {
      const data = Float32Array.of(-Infinity, Infinity, -3e38, -1e30, -200, -105.4, Number.NaN, 3e38);
      const attrs = { kind, alpha: 0, beta: 0, length: data.length };
      const got = runPrim(variant, 'unary', [{ data }], [{ length: data.length }], attrs, unary)!.arrays[0];
      const expected = [Number.NaN, Infinity, 0, 0, 0, 0, Number.NaN, Math.fround(3e38)];
      expected.forEach((v, i) => {
        for (const y of [got[i], Math.fround(unaryFunctions[kind](data[i], 0, 0))]) {
          if (v === 0) expect(Math.abs(Number(y)), `${kind}(${data[i]})`).toBeLessThan(1e-40);
          else expect(Math.abs(Number(y) / v - 1) <= 1e-6 || Object.is(y, v), `${kind}(${data[i]}) = ${y}`).toBe(true);
        }
      });
    },
  );

  test('other element types and functions have no kernel', () => {
    const attrs = { kind: 'relu', alpha: 0, beta: 0, length: 4 } as const;
    expect(
      runPrim(variant, 'unary', [{ data: new Int32Array(4) }], [{ length: 4, dtype: 'int32' }], attrs, unary),
    ).toBeNull();
    const half = { data: new Float32Array(4), dtype: 'float16' } as const;
    expect(runPrim(variant, 'unary', [half], [{ length: 4, dtype: 'float16' }], attrs, unary)).toBeNull();
    const sin = { ...attrs, kind: 'sin' } as const;
    expect(runPrim(variant, 'unary', [{ data: new Float32Array(4) }], [{ length: 4 }], sin, unary)).toBeNull();
  });
});
