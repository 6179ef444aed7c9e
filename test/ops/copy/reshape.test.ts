import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/copy/reshape.ts';
import { reshapedLayout } from '../../../src/ops/copy/reshape.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t } from '../run.ts';

opTests('reshape', family);

const last = (shape: number[]) => ({ dtype: 'float32', shape, layout: 'channelsLast' }) as const;

describe('reshape', () => {
  it('shares memory with its input', () => {
    const x = t([1, 2, 3, 4]);
    expect(run('reshape', { shape: [2, 2] }, x)[0].storage).toBe(x.storage);
  });

  it('keeps channels-last bytes where they fit the new shape', () => {
    expect(reshapedLayout(last([2, 3, 1, 1]), [2, 3])).toBe('row');
    expect(reshapedLayout(last([2, 3, 1, 5]), [2, 3, 5])).toBe('channelsLast');
    expect(reshapedLayout(last([2, 3, 4, 5]), [2, 3, 20])).toBe('channelsLast');
    expect(reshapedLayout(last([2, 3, 20]), [2, 3, 4, 5])).toBe('channelsLast');
    expect(reshapedLayout(last([1, 1, 4, 5]), [4, 5])).toBe('row');
    expect(reshapedLayout(last([2, 3, 4, 5]), [1, 2, 3, 4, 5])).toBe(null);
    expect(reshapedLayout(last([2, 3, 4, 5]), [2, 60])).toBe(null);
    expect(reshapedLayout(last([2, 6, 4, 5]), [2, 2, 3, 4, 5])).toBe(null);
    expect(reshapedLayout({ ...last([2, 3]), layout: 'row' }, [6])).toBe('row');
  });

  it('converts where they do not', () => {
    const x = run('transpose', { perm: [0, 3, 1, 2] }, t([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]))[0];
    expect(x.layout).toBe('channelsLast');
    expect([...run('reshape', { shape: [8] }, x)[0].data]).toEqual([1, 3, 5, 7, 2, 4, 6, 8]);
    expect([...run('reshape', { shape: [1, 2, 4] }, x)[0].data]).toEqual([1, 3, 5, 7, 2, 4, 6, 8]);
  });

  it('names counts that differ', () => {
    expectError('shape', ['reshape', '[3]', 'expects 3', 'has 4', '[4]'], () =>
      run('reshape', { shape: [3] }, t([1, 2, 3, 4])),
    );
    expectError('shape', ['reshape', '[-1]'], () => run('reshape', { shape: [-1] }, t([1])));
  });
});
