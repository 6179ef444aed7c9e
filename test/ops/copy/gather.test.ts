import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/copy/gather.ts';
import { constant } from '../../../src/tensor/tensor.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t, values } from '../run.ts';

opTests('gather', family);

const x = t([1, 2, 3, 4, 5, 6], [2, 3]);
const ints = (v: number[], shape = [v.length]) => t(v, shape, 'int64');

describe('gather', () => {
  it('takes slices, negative indices from the end', () => {
    expect(values('gather', { axis: 1 }, x, ints([2, -3]))).toEqual([3, 1, 6, 4]);
    const [y] = run('gather', { axis: 0 }, x, ints([1, 0], [2, 1]));
    expect([y.shape, ...y.data]).toEqual([[2, 1, 3], 4, 5, 6, 1, 2, 3]);
    expect(run('gather', { axis: 1 }, x, ints([1], []))[0].shape).toEqual([2]);
  });

  it('names an index outside, constant or not', () => {
    expectError('index-range', ['gather', '3', '-3…2'], () => run('gather', { axis: 1 }, x, ints([0, 3])));
    const fixed = constant(Int32Array.of(0, -4), [2], 'int64');
    expectError('index-range', ['gather', '-4', 'axis 1', '-3…2'], () => run('gather', { axis: 1 }, x, fixed));
    expectError('dtype', ['gather', 'indices', 'int64', 'float32'], () => run('gather', { axis: 1 }, x, t([0])));
    expectError('argument', ['gather', 'axis', '5'], () => run('gather', { axis: 5 }, x, ints([0])));
  });
});

describe('gatherElements', () => {
  it('takes element by element', () => {
    expect(values('gatherElements', { axis: 1 }, x, ints([0, 0, -1, 1], [2, 2]))).toEqual([1, 1, 6, 5]);
    expect(values('gatherElements', { axis: 0 }, x, ints([1, 0, 1], [1, 3]))).toEqual([4, 2, 6]);
  });

  it('names what does not fit', () => {
    expectError('index-range', ['gatherElements', '2', 'axis 0'], () =>
      run('gatherElements', { axis: 0 }, x, ints([2], [1, 1])),
    );
    expectError('shape', ['gatherElements', '[2,3]', '[3,1]'], () =>
      run('gatherElements', { axis: 1 }, x, ints([0, 0, 0], [3, 1])),
    );
  });
});

describe('gatherND', () => {
  it('takes by tuples, in batches', () => {
    expect(values('gatherND', { batchDims: 0 }, x, ints([1, 2, 0, -1], [2, 2]))).toEqual([6, 3]);
    expect(values('gatherND', { batchDims: 0 }, x, ints([1], [1, 1]))).toEqual([4, 5, 6]);
    expect(values('gatherND', { batchDims: 1 }, x, ints([2, 0], [2, 1]))).toEqual([3, 4]);
  });

  it('names what does not fit', () => {
    expectError('index-range', ['gatherND', '3', 'axis 1'], () =>
      run('gatherND', { batchDims: 0 }, x, ints([0, 3], [1, 2])),
    );
    expectError('shape', ['gatherND', '[1,3]', '[2,3]'], () =>
      run('gatherND', { batchDims: 0 }, x, ints([0, 0, 0], [1, 3])),
    );
  });
});
