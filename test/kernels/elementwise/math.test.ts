import { describe, expect, test } from 'vitest';
import { unaryFunctions } from '../../../src/backend/js/elementwise/unary.ts';
import type { UnaryKind } from '../../../src/backend/prims/elementwise.ts';
import { unary } from '../../../src/backend/wasm/elementwise/unary.ts';
import { runPrim, variants } from '../harness.ts';

/** A float out of every 2^12, of both signs, special values, and many values of the range that networks have. */
function sweep(): Float32Array {
  const bits = Uint32Array.from({ length: 1 << 20 }, (_, i) => (i << 12) | ((i * 2654435761) & 0xfff));
  const wide = new Float32Array(bits.buffer);
  const dense = Float32Array.from({ length: 1 << 18 }, (_, i) => -20 + (i * 40) / (1 << 18));
  const specials = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 88.72283, 88.72284, -87.33654, -103.97, -104, 1e-45];
  return Float32Array.from([...wide, ...dense, ...specials]);
}

const smallestNormal = 2 ** -126;
const largest = 3.4028234663852886e38;

/** Relative errors allowed if both values are normal. */
const bounds: { readonly [K in UnaryKind]?: number } = {
  exp: 2e-7,
  log: 2e-7,
  sigmoid: 2.2e-7,
  tanh: 2.2e-7,
  erf: 2e-7,
};

describe.each(variants)('%s', (variant) => {
  const x = sweep();
  test.each(Object.entries(bounds) as [UnaryKind, number][])('%s', (kind, bound) => {
    const attrs = { kind, alpha: 0, beta: 0, length: x.length };
    const y = runPrim(variant, 'unary', [{ data: x }], [{ length: x.length }], attrs, unary)!.arrays[0];
    const f = unaryFunctions[kind];
    let worst = 0;
    let at = 0;
    const wrong: string[] = [];
    for (let i = 0; i < x.length; i++) {
      const expected = f(x[i], 0, 0);
      const magnitude = Math.abs(expected);
      if (magnitude >= smallestNormal && magnitude <= largest) {
        const error = Math.abs(y[i] - expected) / magnitude;
        if (!(error <= worst)) {
          worst = error;
          at = x[i];
        }
        continue;
      }
      // Limits: NaN, overflow to infinity, and results too small to be normal (sigmoid flushes those to 0).
      const limit = Math.fround(expected);
      const right =
        magnitude < smallestNormal ? Math.abs(y[i] - expected) < smallestNormal : Object.is(y[i] + 0, limit);
      if (!right && magnitude !== largest) wrong.push(`${kind}(${x[i]}) = ${y[i]}, expected ${limit}`);
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(worst, `${kind}: largest relative error, at ${at}`).toBeLessThan(bound);
    if (process.env.CONVLET_VERBOSE) console.log(variant, kind, worst.toExponential(2), at);
  });
});
