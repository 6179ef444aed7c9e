import { describe, expect, it } from 'vitest';
import { cumulativeOps, topK } from '../../../src/ops/reduce/sort.ts';
import { Random } from '../../kernels/harness.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t, values } from '../run.ts';

opTests('sort', [topK, ...cumulativeOps]);

const top = { k: 2, axis: 0, largest: true, sorted: true };

describe('topK', () => {
  it('gives values and positions, the earlier of equals first', () => {
    const [y, at] = run('topK', { ...top, k: 3 }, t([1, 7, 3, 7, 2]));
    expect([[...y.data], [...at.data], at.dtype]).toEqual([[7, 7, 3], [1, 3, 2], 'int64']);
    const [low, lowAt] = run('topK', { ...top, largest: false }, t([4, 1, 3, 1]));
    expect([[...low.data], [...lowAt.data]]).toEqual([
      [1, 1],
      [1, 3],
    ]);
  });

  it('few of many agree with sorting all', () => {
    const x = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 101);
    const order = [...x.keys()].sort((p, q) => x[q] - x[p] || p - q);
    for (const k of [1, 20, 124, 126, 1000]) {
      const [y, at] = run('topK', { ...top, k }, t(x));
      expect([...at.data], `k ${k}`).toEqual(order.slice(0, k));
      expect([...y.data]).toEqual(order.slice(0, k).map((i) => x[i]));
    }
  });

  it('ties along an inner axis, the smallest as well as the largest', () => {
    const random = new Random(29);
    for (let round = 0; round < 200; round++) {
      const [length, inner] = [random.int(1, 30), random.int(1, 3)];
      const x = Array.from({ length: length * inner }, () => random.int(0, 3));
      const [k, largest] = [random.int(0, length), random.next() < 0.5];
      const [y, at] = run('topK', { ...top, k, largest }, t(x, [length, inner]));
      for (let i = 0; i < inner; i++) {
        const of = (p: number): number => x[p * inner + i];
        const rows = Array.from({ length }, (_, p) => p);
        const order = rows.sort((p, q) => (largest ? of(q) - of(p) : of(p) - of(q)) || p - q).slice(0, k);
        const column = (from: ArrayLike<number>): number[] => order.map((_, p) => from[p * inner + i]);
        expect([column(at.data), column(y.data)], `${x} k ${k} ${largest}`).toEqual([order, order.map(of)]);
      }
    }
  });

  it('counts NaN as the largest', () => {
    expect([...run('topK', top, t([1, Number.NaN, 5]))[1].data]).toEqual([1, 2]);
  });

  it('names a k that is too large', () => {
    expectError('argument', ['topK', 'k', '0…3', '4'], () => run('topK', { ...top, k: 4 }, t([1, 2, 3])));
  });
});

describe('cumulative', () => {
  it.each([
    [false, false, [1, 3, 6]],
    [true, false, [0, 1, 3]],
    [false, true, [6, 5, 3]],
    [true, true, [5, 3, 0]],
  ])('sum, exclusive %s, reverse %s', (exclusive, reverse, y) => {
    expect(values('cumSum', { axis: 0, exclusive, reverse }, t([1, 2, 3]))).toEqual(y);
  });

  it('product along an inner axis', () => {
    const attrs = { axis: 0, exclusive: false, reverse: false };
    expect(values('cumProd', attrs, t([1, 2, 3, 4], [2, 2]))).toEqual([1, 2, 3, 8]);
  });

  it('rejects an axis that x does not have', () => {
    expectError('argument', ['cumSum', 'axis', '3'], () =>
      run('cumSum', { axis: 3, exclusive: false, reverse: false }, t([1])),
    );
  });
});
