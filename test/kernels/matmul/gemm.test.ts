import { describe, expect, test } from 'vitest';
import type { Activation } from '../../../src/backend/prims/elementwise.ts';
import type { MatmulAttrs } from '../../../src/backend/prims/matmul.ts';
import { matmul } from '../../../src/backend/wasm/matmul/matmul.ts';
import { Random, runPrim, seeds, variants } from '../harness.ts';
import { expectAccurate, referenceMatmul } from '../reference.ts';

const activations: readonly (Activation | null)[] = [
  null,
  null,
  { kind: 'relu', alpha: 0, beta: 0 },
  { kind: 'clip', alpha: -1, beta: 1 },
  { kind: 'gelu', alpha: 0, beta: 0 },
  { kind: 'sigmoid', alpha: 0, beta: 0 },
];

/** Row-major or transposed, with `gap` unused elements after each row. */
function strides(random: Random, rows: number, columns: number): { row: number; column: number; size: number } {
  const gap = random.pick([0, 0, 1, 5]);
  if (random.int(0, 1) === 0) return { row: columns + gap, column: 1, size: rows * (columns + gap) };
  return { row: 1, column: rows + gap, size: columns * (rows + gap) };
}

function check(variant: 'simd' | 'relaxed', random: Random, m: number, n: number, k: number, alpha: number): void {
  const batch = random.pick([1, 1, 2, 3]);
  const [a, b] = [strides(random, m, k), strides(random, k, n)];
  const sharedB = random.int(0, 1) === 0;
  const attrs: MatmulAttrs = {
    aOffsets: Array.from({ length: batch }, (_, i) => i * a.size),
    bOffsets: Array.from({ length: batch }, (_, i) => (sharedB ? 0 : i * b.size)),
    m,
    n,
    k,
    aRow: a.row,
    aColumn: a.column,
    bRow: b.row,
    bColumn: b.column,
    alpha,
    activation: random.pick(activations),
  };
  const left = random.floats(batch * a.size);
  const right = random.floats((sharedB ? 1 : batch) * b.size);
  const bias = random.int(0, 1) === 0 ? random.floats(n) : null;
  const residual = random.int(0, 2) === 0 ? random.floats(batch * m * n) : null;
  const constant = random.int(0, 1) === 0;
  const expected = referenceMatmul(left, right, bias, residual, attrs);
  const inputs = [
    { data: left },
    { data: right, constant },
    bias === null ? null : { data: bias, constant: random.int(0, 1) === 0 },
    residual === null ? null : { data: residual },
  ];
  const what = `${JSON.stringify(attrs)} constant B ${constant} bias ${bias !== null} residual ${residual !== null}`;
  const result = runPrim(variant, 'matmul', inputs, [{ length: batch * m * n }], attrs, matmul);
  expect(result, what).not.toBeNull();
  expectAccurate(what, result!.arrays[0] as Float32Array, expected, k);
}

describe.each(variants)('%s', (variant) => {
  test('random sizes: the error stays within k · ε of the magnitudes', () => {
    for (const seed of seeds(400)) {
      const random = new Random(seed);
      const size = (most: number): number => (random.int(0, 3) === 0 ? random.int(1, 3) : random.int(1, most));
      check(variant, random, size(40), size(50), size(90), random.pick([1, 1, 0.5, -2]));
    }
  });

  test.each([
    [1, 1, 1],
    [1, 1000, 300],
    [6, 8, 1],
    [257, 33, 17],
    [500, 12, 700],
    [13, 130, 2600],
  ])('%i × %i, k = %i', (m, n, k) => {
    for (const seed of seeds(4)) check(variant, new Random(seed), m, n, k, 1);
  });

  test('no rows need no steps, k = 0 no kernel', () => {
    const attrs = {
      aOffsets: [0],
      bOffsets: [0],
      m: 0,
      n: 4,
      k: 3,
      aRow: 3,
      aColumn: 1,
      bRow: 4,
      bColumn: 1,
      alpha: 1,
    };
    const run = (changes: Partial<MatmulAttrs>, length: number) =>
      runPrim(
        variant,
        'matmul',
        [{ data: new Float32Array(0) }, { data: new Float32Array(12) }, null, null],
        [{ length }],
        { ...attrs, activation: null, ...changes },
        matmul,
      );
    expect(run({}, 0)!.arrays[0]).toHaveLength(0);
    expect(run({ m: 2, k: 0 }, 8)).toBeNull();
  });
});
