import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/copy/select.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t, values } from '../run.ts';

opTests('select', family);

const bools = (v: number[]) => t(v, [v.length], 'bool');

describe('nonZero', () => {
  it('lists positions', () => {
    const [y] = run('nonZero', {}, t([0, 1, 2, 0, 0, 3], [2, 3]));
    expect([y.shape, [...y.data]]).toEqual([
      [2, 3],
      [0, 0, 1, 1, 2, 2],
    ]);
    expect(run('nonZero', {}, t([0, 0]))[0].shape).toEqual([1, 0]);
  });
});

describe('compress', () => {
  it('keeps slices or elements', () => {
    const x = t([1, 2, 3, 4, 5, 6], [3, 2]);
    expect(values('compress', { axis: 0 }, x, bools([0, 1, 1]))).toEqual([3, 4, 5, 6]);
    expect(values('compress', { axis: -1 }, x, bools([0, 1]))).toEqual([2, 4, 6]);
    expect(values('compress', { axis: null }, x, bools([1, 0, 0, 1]))).toEqual([1, 4]);
  });

  it('names a condition that is too long', () => {
    expectError('shape', ['compress', 'condition', '2', '3'], () =>
      run('compress', { axis: 0 }, t([1, 2]), bools([1, 1, 1])),
    );
    expectError('dtype', ['condition', 'bool'], () => run('compress', { axis: 0 }, t([1, 2]), t([1, 1])));
  });
});

describe('unique', () => {
  it('sorted and in order of appearance', () => {
    const all = (sorted: boolean) =>
      run('unique', { axis: null, sorted }, t([2, 1, 1, 3, 4, 3])).map((y) => [...y.data]);
    expect(all(true)).toEqual([
      [1, 2, 3, 4],
      [1, 0, 3, 4],
      [1, 0, 0, 2, 3, 2],
      [2, 1, 2, 1],
    ]);
    expect(all(false)).toEqual([
      [2, 1, 3, 4],
      [0, 1, 3, 4],
      [0, 1, 1, 2, 3, 2],
      [1, 2, 2, 1],
    ]);
  });

  it('of slices', () => {
    const [y] = run('unique', { axis: 1, sorted: true }, t([5, 1, 5, 6, 2, 6], [2, 3]));
    expect([y.shape, [...y.data]]).toEqual([
      [2, 2],
      [1, 5, 2, 6],
    ]);
  });
});
