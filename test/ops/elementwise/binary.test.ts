import { describe, expect, it } from 'vitest';
import { binaryOps, where } from '../../../src/ops/elementwise/binary.ts';
import { opTests } from '../harness.ts';
import { expectClose, expectError, run, t, values } from '../run.ts';

opTests('binary', [...binaryOps, where]);

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const ints = (v: number[]) => t(v, [v.length], 'int64');

describe('binary', () => {
  it('broadcasts', () => {
    const [y] = run('add', {}, t([1, 2, 3], [3, 1]), t([10, 20], [2]));
    expect(y.shape).toEqual([3, 2]);
    expect([...y.data]).toEqual([11, 21, 12, 22, 13, 23]);
  });

  it('applies its activation', () => {
    expect(values('sub', { activation: { kind: 'relu', alpha: 0, beta: 0 } }, t([1, 5]), t([2, 2]))).toEqual([0, 3]);
  });

  const floats: readonly [string, number[], number[], number[]][] = [
    ['div', [1, -1, 0], [0, 0, 0], [inf, -inf, nan]],
    ['max', [1, nan, 1], [2, 1, nan], [2, nan, nan]],
    ['min', [1, nan, 1], [2, 1, nan], [1, nan, nan]],
    ['mod', [5.5, -5.5, 5.5], [2, 2, -2], [1.5, 0.5, -0.5]],
    ['fmod', [5.5, -5.5, 5.5], [2, 2, -2], [1.5, -1.5, 1.5]],
    ['pow', [2, 1, -1, 4], [3, nan, inf, 0.5], [8, 1, 1, 2]],
    ['prelu', [-2, 2], [0.5, 0.5], [-1, 2]],
    ['atan2', [1, -1], [-1, 0], [2.3561945, -1.5707964]],
    ['equal', [1, nan], [1, nan], [1, 0]],
    ['lessOrEqual', [1, 2, nan], [1, 1, 1], [1, 0, 0]],
  ];
  it.each(floats)('%s of %o and %o', (kind, a, b, y) => expectClose(values(kind, {}, t(a), t(b)), y));

  const whole: readonly [string, number[], number[], number[]][] = [
    ['div', [7, -7, 7, 5], [2, 2, -2, 0], [3, -3, -3, 0]],
    ['mod', [7, -7, 7, -7, 5], [3, 3, -3, -3, 0], [1, 2, -2, -1, 0]],
    ['fmod', [7, -7, 7, -7], [3, 3, -3, -3], [1, -1, 1, -1]],
    ['mul', [65537, 3], [65537, -4], [131073, -12]],
    ['pow', [2, 3, 2], [10, 3, -1], [1024, 27, 0]],
  ];
  it.each(whole)('%s of whole numbers %o and %o', (kind, a, b, y) => {
    expect(values(kind, {}, ints(a), ints(b)).map((v) => v + 0)).toEqual(y);
  });

  it('shifts and logic', () => {
    const bytes = (v: number[]) => t(v, [v.length], 'uint8');
    expect(values('shiftLeft', {}, bytes([16, 129, 1]), bytes([1, 1, 40]))).toEqual([32, 2, 0]);
    expect(values('shiftRight', {}, bytes([16, 129]), bytes([1, 7]))).toEqual([8, 1]);
    const bools = (v: number[]) => t(v, [v.length], 'bool');
    expect(values('xor', {}, bools([0, 1, 1]), bools([1, 1, 0]))).toEqual([1, 0, 1]);
  });

  it('pow takes an exponent of another type', () => {
    const [y] = run('pow', {}, t([2, 3], [2], 'int32'), t([2, 0.5]));
    expect(y.dtype).toBe('int32');
    expect([...y.data]).toEqual([4, 1]);
  });

  it('where chooses', () => {
    expect(values('where', {}, t([1, 0], [2, 1], 'bool'), t([1, 2]), t([-1, -2], [1, 2]))).toEqual([1, 2, -1, -2]);
    expectError('dtype', ['where', 'condition', 'bool', 'float32'], () => run('where', {}, t([1]), t([1]), t([1])));
  });

  it('names what does not fit', () => {
    expectError('shape', ['add', '[2]', '[3]'], () => run('add', {}, t([1, 2]), t([1, 2, 3])));
    expectError('dtype', ['add', 'b', 'float32', 'int64'], () => run('add', {}, t([1]), ints([1])));
    expectError('dtype', ['and', 'bool', 'float32'], () => run('and', {}, t([1]), t([1])));
    expectError('missing-input', ['mul', "'b'"], () => run('mul', {}, t([1]), null));
  });
});
