import { describe, expect, it } from 'vitest';
import { product } from '../../../src/common/numbers.ts';
import * as family from '../../../src/ops/copy/scatter.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t, values } from '../run.ts';

opTests('scatter', family);

const zeros = (shape: number[]) => t(new Array(product(shape)).fill(0), shape);
const ints = (v: number[], shape: number[]) => t(v, shape, 'int64');

describe('scatterElements', () => {
  it('writes, and leaves its input alone', () => {
    const x = zeros([2, 3]);
    expect(
      values('scatterElements', { axis: 1, reduction: 'none' }, x, ints([2, -3], [2, 1]), t([5, 6], [2, 1])),
    ).toEqual([0, 0, 5, 6, 0, 0]);
    expect([...x.data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('joins updates of one place in order', () => {
    const once = (reduction: string) =>
      values('scatterElements', { axis: 0, reduction }, t([2]), ints([0, 0], [2]), t([3, 4]))[0];
    expect(['none', 'add', 'mul', 'max', 'min'].map(once)).toEqual([4, 9, 24, 4, 2]);
  });

  it('names what does not fit', () => {
    const x = zeros([2, 3]);
    const attrs = { axis: 1, reduction: 'none' };
    expectError('index-range', ['scatterElements', '3', 'axis 1', '-3…2'], () =>
      run('scatterElements', attrs, x, ints([3], [1, 1]), t([1], [1, 1])),
    );
    expectError('shape', ['updates', '[1,2]', '[1,1]'], () =>
      run('scatterElements', attrs, x, ints([0, 1], [1, 2]), t([1], [1, 1])),
    );
    expectError('argument', ['reduction', 'median'], () =>
      run('scatterElements', { ...attrs, reduction: 'median' }, x, ints([0], [1, 1]), t([1], [1, 1])),
    );
    expectError('dtype', ['updates', 'float32', 'int64'], () =>
      run('scatterElements', attrs, x, ints([0], [1, 1]), ints([1], [1, 1])),
    );
  });
});

describe('scatterND', () => {
  it('writes slices and elements', () => {
    expect(
      values('scatterND', { reduction: 'none' }, zeros([3, 2]), ints([2, 0], [2, 1]), t([1, 2, 3, 4], [2, 2])),
    ).toEqual([3, 4, 0, 0, 1, 2]);
    expect(values('scatterND', { reduction: 'add' }, t([1, 1, 1]), ints([1, 1], [2, 1]), t([5, 7]))).toEqual([
      1, 13, 1,
    ]);
    expect(values('scatterND', { reduction: 'none' }, zeros([2, 2]), ints([1, -1], [1, 2]), t([9]))).toEqual([
      0, 0, 0, 9,
    ]);
  });

  it('names what does not fit', () => {
    const attrs = { reduction: 'none' };
    expectError('index-range', ['scatterND', '3', 'axis 0'], () =>
      run('scatterND', attrs, zeros([3]), ints([3], [1, 1]), t([1])),
    );
    expectError('shape', ['scatterND', 'updates', '[1,2]', '[1]'], () =>
      run('scatterND', attrs, zeros([3, 2]), ints([1], [1, 1]), t([1])),
    );
    expectError('shape', ['scatterND', '1…1', '[1,2]'], () =>
      run('scatterND', attrs, zeros([3]), ints([1, 1], [1, 2]), t([1])),
    );
  });
});
