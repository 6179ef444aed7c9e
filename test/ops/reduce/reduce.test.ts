import { describe, expect, it } from 'vitest';
import { argReduceOps, reduceOps } from '../../../src/ops/reduce/reduce.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { opTests } from '../harness.ts';
import { expectClose, expectError, run, t, values } from '../run.ts';

opTests('reduce', [...reduceOps, ...argReduceOps]);

const x = t([1, 2, 3, 4, 5, 6], [2, 3]);
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe('reduce', () => {
  const table: readonly [string, number[], number[]][] = [
    ['reduceSum', [6, 15], [5, 7, 9]],
    ['reduceMean', [2, 5], [2.5, 3.5, 4.5]],
    ['reduceMax', [3, 6], [4, 5, 6]],
    ['reduceMin', [1, 4], [1, 2, 3]],
    ['reduceProd', [6, 120], [4, 10, 18]],
    ['reduceL1', [6, 15], [5, 7, 9]],
    ['reduceL2', [3.7416574, 8.774964], [4.1231056, 5.3851648, 6.7082039]],
    ['reduceSumSquare', [14, 77], [17, 29, 45]],
    ['reduceLogSum', [1.7917595, 2.7080502], [1.6094379, 1.9459101, 2.1972246]],
    ['reduceLogSumExp', [3.407606, 6.407606], [4.0485873, 5.0485873, 6.0485873]],
  ];
  it.each(table)('%s over each axis', (name, last, first) => {
    expectClose(values(name, { axes: [1], keepDims: false }, x), last);
    expectClose(values(name, { axes: [0], keepDims: true }, x), first);
  });

  it('over axes that lie apart', () => {
    const [y] = run('reduceSum', { axes: [0, 2], keepDims: false }, t([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]));
    expect([...y.data]).toEqual([14, 22]);
  });

  it('keeps channels-last where it can', () => {
    const rows = Array.from({ length: 24 }, (_, i) => i);
    const row = t(rows, [1, 2, 3, 4]);
    const last = run('transpose', { perm: [0, 3, 1, 2] }, run('transpose', { perm: [0, 2, 3, 1] }, row)[0])[0];
    expect(last).toBeInstanceOf(Tensor);
    expect(last.layout).toBe('channelsLast');
    const [mean] = run('reduceMean', { axes: [2, 3], keepDims: true }, last);
    expect([mean.layout, ...mean.data]).toEqual(['channelsLast', 5.5, 17.5]);
    const [overW] = run('reduceSum', { axes: [3], keepDims: false }, last);
    expect(overW.layout).toBe('channelsLast');
    expect([...overW.data]).toEqual([6, 22, 38, 54, 70, 86]);
    const [overN] = run('reduceMax', { axes: [0], keepDims: false }, last);
    expect([...overN.data]).toEqual(rows);
  });

  it('empty sets give the neutral element', () => {
    const empty = t([], [2, 0]);
    const none = { axes: [1], keepDims: false };
    expect(values('reduceSum', none, empty)).toEqual([0, 0]);
    expect(values('reduceProd', none, empty)).toEqual([1, 1]);
    expect(values('reduceMean', none, empty)).toEqual([nan, nan]);
    expect(values('reduceMax', none, empty)).toEqual([-inf, -inf]);
    expect(values('reduceMin', none, empty)).toEqual([inf, inf]);
    expect(values('reduceLogSumExp', none, empty)).toEqual([-inf, -inf]);
    expect(values('reduceMax', none, t([], [1, 0], 'int32'))).toEqual([-2147483648]);
    expect(values('reduceMin', none, t([], [1, 0], 'uint8'))).toEqual([255]);
  });

  it('logSumExp stays finite', () => {
    expectClose(values('reduceLogSumExp', { axes: [0], keepDims: false }, t([1000, 1000])), [1000.69314718], 3);
    expect(values('reduceLogSumExp', { axes: [0], keepDims: false }, t([inf, 0]))).toEqual([inf]);
  });

  it('arg reductions choose the first or last of equals, and a NaN', () => {
    const v = t([1, 5, 5, 0, 0]);
    const first = { axis: 0, keepDims: false, selectLast: false };
    const last = { ...first, selectLast: true };
    expect([values('argMax', first, v)[0], values('argMax', last, v)[0]]).toEqual([1, 2]);
    expect([values('argMin', first, v)[0], values('argMin', last, v)[0]]).toEqual([3, 4]);
    expect(values('argMax', first, t([1, nan, 9, nan]))).toEqual([1]);
    expect(values('argMin', last, t([1, nan, -9, nan]))).toEqual([3]);
    expect(run('argMax', { ...first, axis: 1, keepDims: true }, x)[0]).toMatchObject({ dtype: 'int64', shape: [2, 1] });
  });

  it('names what does not fit', () => {
    expectError('argument', ['reduceSum', 'axis', '2'], () => run('reduceSum', { axes: [2], keepDims: true }, x));
    expectError('argument', ['reduceSum', 'axes', '1,1'], () => run('reduceSum', { axes: [1, 1], keepDims: true }, x));
    expectError('dtype', ['reduceSum', 'bool'], () =>
      run('reduceSum', { axes: [0], keepDims: true }, t([1], [1], 'bool')),
    );
    expectError('shape', ['argMax', 'axis 1', 'empty'], () =>
      run('argMax', { axis: 1, keepDims: true, selectLast: false }, t([], [2, 0])),
    );
  });
});
