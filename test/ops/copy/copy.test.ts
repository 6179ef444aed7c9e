import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/copy/copy.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t, values } from '../run.ts';

opTests('copy', family);

const x = t([1, 2, 3, 4, 5, 6], [2, 3]);
const count = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('transpose', () => {
  it('permutes', () => {
    expect(values('transpose', { perm: [1, 0] }, x)).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it('is a view where the bytes lie right already', () => {
    const nhwc = t(count(24), [1, 2, 3, 4]);
    const [nchw] = run('transpose', { perm: [0, 3, 1, 2] }, nhwc);
    expect([nchw.layout, nchw.storage]).toEqual(['channelsLast', nhwc.storage]);
    const [back] = run('transpose', { perm: [0, 2, 3, 1] }, nchw);
    expect([back.layout, back.storage]).toEqual(['row', nhwc.storage]);
    const column = t(count(6), [6, 1]);
    expect(run('transpose', { perm: [1, 0] }, column)[0].storage).toBe(column.storage);
  });

  it('rejects what is no permutation', () => {
    expectError('argument', ['transpose', 'perm', '0,0'], () => run('transpose', { perm: [0, 0] }, x));
    expectError('argument', ['transpose', 'perm', '2 whole numbers'], () => run('transpose', { perm: [0] }, x));
  });
});

describe('concat', () => {
  it('joins', () => {
    expect(values('concat', { axis: 1 }, x, t([7, 8], [2, 1]))).toEqual([1, 2, 3, 7, 4, 5, 6, 8]);
    expect(values('concat', { axis: -2 }, x, t([7, 8, 9], [1, 3]))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('names the input that does not fit', () => {
    expectError('shape', ['concat', 'x1', '[2,3]', '[2,2]', 'axis 0'], () =>
      run('concat', { axis: 0 }, x, t([1, 2, 3, 4], [2, 2])),
    );
    expectError('dtype', ['concat', 'x1', 'int64'], () => run('concat', { axis: 0 }, t([1]), t([1], [1], 'int64')));
  });
});

describe('slice', () => {
  it('steps forwards and backwards', () => {
    expect(values('slice', { starts: [0, 0], steps: [1, 2], sizes: [2, 2] }, x)).toEqual([1, 3, 4, 6]);
    expect(values('slice', { starts: [1, 2], steps: [-1, -1], sizes: [2, 3] }, x)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(run('slice', { starts: [2, 0], steps: [1, 1], sizes: [0, 3] }, x)[0].shape).toEqual([0, 3]);
  });

  it('never reads outside', () => {
    const beyond = { starts: [0, 1], steps: [1, 1], sizes: [2, 3] };
    expectError('index-range', ['slice', '1…3', 'axis 1', '0…2'], () => run('slice', beyond, x));
    const before = { starts: [0, 1], steps: [1, -1], sizes: [2, 3] };
    expectError('index-range', ['slice', '1…-1', 'axis 1'], () => run('slice', before, x));
  });
});

describe('expand and tile', () => {
  it('repeat', () => {
    expect(values('expand', { shape: [2, 2, 3] }, t([1, 2, 3], [1, 3]))).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(values('tile', { repeats: [2, 1] }, x)).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
    expect(values('tile', { repeats: [1, 2] }, x)).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
  });

  it('name what does not fit', () => {
    expectError('shape', ['expand', '[2,3]', '[3,3]'], () => run('expand', { shape: [3, 3] }, x));
    expectError('shape', ['expand', '[2,3]', '[2,1]'], () => run('expand', { shape: [2, 1] }, x));
    expectError('argument', ['tile', 'repeats', '-1'], () => run('tile', { repeats: [1, -1] }, x));
  });
});
