import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/copy/pad.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t, values } from '../run.ts';

opTests('pad', family);

const line = t([1, 2, 3]);

describe('pad', () => {
  const table: readonly [mode: string, begin: number, end: number, y: number[]][] = [
    ['constant', 2, 1, [9, 9, 1, 2, 3, 9]],
    ['constant', -1, 1, [2, 3, 9]],
    ['constant', 4, -3, [9, 9, 9, 9]],
    ['constant', -4, 2, [9]],
    ['edge', 2, 1, [1, 1, 1, 2, 3, 3]],
    ['reflect', 2, 2, [3, 2, 1, 2, 3, 2, 1]],
    ['reflect', 5, 0, [2, 1, 2, 3, 2, 1, 2, 3]],
    ['wrap', 4, 2, [3, 1, 2, 3, 1, 2, 3, 1, 2]],
    ['edge', -1, 2, [2, 3, 3, 3]],
  ];
  it.each(table)('%s by %i and %i', (mode, begin, end, y) => {
    expect(values('pad', { begin: [begin], end: [end], mode, value: 9 }, line)).toEqual(y);
  });

  it('pads several axes', () => {
    const x = t([1, 2, 3, 4], [2, 2]);
    expect(values('pad', { begin: [1, 0], end: [0, 1], mode: 'constant', value: 0 }, x)).toEqual([
      0, 0, 0, 1, 2, 0, 3, 4, 0,
    ]);
    expect(values('pad', { begin: [1, 0], end: [0, 1], mode: 'reflect', value: 0 }, x)).toEqual([
      3, 4, 3, 1, 2, 1, 3, 4, 3,
    ]);
  });

  it('pads an empty axis with the value only', () => {
    const empty = t([], [0, 2]);
    expect(values('pad', { begin: [1, 0], end: [0, 0], mode: 'constant', value: 5 }, empty)).toEqual([5, 5]);
    expectError('argument', ['pad', 'axis 0', '[0,2]', 'edge'], () =>
      run('pad', { begin: [1, 0], end: [0, 0], mode: 'edge', value: 5 }, empty),
    );
  });

  it('names what does not fit', () => {
    expectError('argument', ['pad', 'axis 0', '[3]'], () =>
      run('pad', { begin: [-2], end: [-2], mode: 'constant', value: 0 }, line),
    );
    expectError('argument', ['pad', 'begin', '1 whole numbers'], () =>
      run('pad', { begin: [1, 1], end: [0], mode: 'edge', value: 0 }, line),
    );
    expectError('argument', ['pad', 'mode', 'mirror'], () =>
      run('pad', { begin: [1], end: [0], mode: 'mirror', value: 0 }, line),
    );
  });
});
