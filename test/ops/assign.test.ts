import { describe, expect, test } from 'vitest';
import { ConvletError } from '../../src/common/error.ts';
import { assign } from '../../src/ops/assign.ts';
import { backends, state, update } from './in-place.ts';

describe.each(backends)('assign on %s', (_, make) => {
  test('writes the target where it is', () => {
    const backend = make();
    const target = state(backend, new Float32Array(37).fill(1));
    const before = target.storage;
    update(backend, assign, [target, Float32Array.from({ length: 37 }, (_v, i) => i)]);
    expect(target.storage).toBe(before);
    expect([...target.data]).toEqual(Array.from({ length: 37 }, (_v, i) => i));
  });

  test('another shape is refused and leaves the target alone', () => {
    const backend = make();
    const target = state(backend, Float32Array.of(1, 2, 3));
    expect(() => update(backend, assign, [target, Float32Array.of(4)])).toThrow(ConvletError);
    expect([...target.data]).toEqual([1, 2, 3]);
  });
});
