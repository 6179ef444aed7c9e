import { describe, expect, test } from 'vitest';
import { optimizerHyper, optimizerOps, optimizerStates, type UpdateKind } from '../../src/ops/optimizer.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { backends, state, update } from './in-place.ts';

/** Formulas are compared with PyTorch's by the golden set; here: every backend does as plain JS, tails included. */
const kinds = Object.keys(optimizerStates) as UpdateKind[];
const length = 61;

function numbers(seed: number, low: number, high: number, count = length): Float32Array {
  let s = seed;
  return Float32Array.from({ length: count }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * s) / 2 ** 32;
  });
}

/** Parameter and states after five updates; with or without the states that may be absent. */
function trajectory(kind: UpdateKind, optional: boolean, [, make]: (typeof backends)[number]): Float32Array[] {
  const backend = make();
  const op = optimizerOps.find(({ name }) => name === `${kind}Step`)!;
  const { names, needed } = optimizerStates[kind];
  const parameter = state(backend, numbers(1, -1, 1));
  const states: (Tensor | null)[] = names.map((_, i) =>
    i < needed || optional ? state(backend, numbers(2 + i, 0.001, 0.01)) : null,
  );
  const flags: readonly string[] = ['nesterov', 'maximize', 'first', 'adaptive'];
  const hyper = numbers(9, 0.1, 0.9, optimizerHyper[kind].length);
  optimizerHyper[kind].forEach((name, i) => {
    if (flags.includes(name)) hyper[i] = Number(optional);
  });
  for (let step = 0; step < 5; step++) update(backend, op, [parameter, numbers(20 + step, -1, 1), ...states, hyper]);
  return [parameter, ...states].flatMap((t) => (t === null ? [] : [t.data as Float32Array]));
}

describe.each(kinds)('%s', (kind) => {
  for (const optional of [false, true]) {
    const expected = trajectory(kind, optional, backends[0]);
    test.each(backends.slice(1))(`${optional ? 'all states' : 'needed states'}: %s as plain JS`, (name, make) => {
      trajectory(kind, optional, [name, make]).forEach((values, i) => {
        values.forEach((v, at) => {
          const allowed = 2e-5 * (1 + Math.abs(expected[i][at]));
          expect(Math.abs(v - expected[i][at]), `tensor ${i}, element ${at}: ${v}`).toBeLessThanOrEqual(allowed);
        });
      });
    });
    test(`${optional ? 'all states' : 'needed states'}: the parameter moves and stays finite`, () => {
      expect(expected[0]).not.toEqual(numbers(1, -1, 1));
      expect(expected[0].every(Number.isFinite)).toBe(true);
    });
  }
});
