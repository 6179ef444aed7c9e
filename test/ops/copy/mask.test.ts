import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/copy/mask.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t, values } from '../run.ts';

opTests('mask', family);

const ints = (v: number[]) => t(v, [v.length], 'int64');

describe('masks and codes', () => {
  it('oneHot', () => {
    const [y] = run('oneHot', { depth: 3, axis: -1 }, ints([0, -1, 7]), t([0.5, 2]));
    expect([y.shape, [...y.data]]).toEqual([
      [3, 3],
      [2, 0.5, 0.5, 0.5, 0.5, 2, 0.5, 0.5, 0.5],
    ]);
    expect(run('oneHot', { depth: 3, axis: 0 }, t([1, 0], [1, 2]), t([0, 1]))[0].shape).toEqual([3, 1, 2]);
    expectError('argument', ['oneHot', 'depth', '0'], () => run('oneHot', { depth: 0, axis: 0 }, ints([1]), t([0, 1])));
    expectError('shape', ['oneHot', 'values', '[3]'], () =>
      run('oneHot', { depth: 2, axis: 0 }, ints([1]), t([0, 1, 2])),
    );
  });

  it('trilu and eyeLike', () => {
    const x = t([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]);
    expect(values('trilu', { k: 0, upper: true }, x)).toEqual([1, 2, 3, 0, 5, 6, 0, 0, 9]);
    expect(values('trilu', { k: -1, upper: false }, x)).toEqual([0, 0, 0, 4, 0, 0, 7, 8, 0]);
    expect(values('eyeLike', { dtype: 'int32', k: 1 }, t([0, 0, 0, 0, 0, 0], [2, 3]))).toEqual([0, 1, 0, 0, 0, 1]);
    expectError('shape', ['trilu', 'rank 2', '[3]'], () => run('trilu', { k: 0, upper: true }, t([1, 2, 3])));
  });

  it('hardmax marks the first maximum', () => {
    expect(values('hardmax', { axis: 1 }, t([1, 3, 3, 9, 0, 0], [2, 3]))).toEqual([0, 1, 0, 1, 0, 0]);
  });

  it('reverseSequence', () => {
    const attrs = { batchAxis: 0, timeAxis: 1 };
    const x = t([1, 2, 3, 4, 5, 6], [2, 3]);
    expect(values('reverseSequence', attrs, x, ints([2, 3]))).toEqual([2, 1, 3, 6, 5, 4]);
    expectError('index-range', ['reverseSequence', 'sequenceLengths[1]', '0…3', '4'], () =>
      run('reverseSequence', attrs, x, ints([2, 4])),
    );
    expectError('shape', ['sequenceLengths', '[2]', '[1]'], () => run('reverseSequence', attrs, x, ints([2])));
  });
});
