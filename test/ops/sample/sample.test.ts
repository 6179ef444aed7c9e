import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/sample/sample.ts';
import { opTests } from '../harness.ts';
import { expectClose, expectError, run, t, values } from '../run.ts';

opTests('sample', family);

const square = t([1, 2, 3, 4], [1, 1, 2, 2]);
const grid = (...points: number[]) => t(points, [1, 1, points.length / 2, 2]);
const linear = { mode: 'linear', paddingMode: 'zeros', alignCorners: false };

describe('gridSample', () => {
  it('interpolates between pixels and fades to zero', () => {
    expectClose(values('gridSample', linear, square, grid(0, 0, -0.5, -0.5, -1, -1, 0, 3)), [2.5, 1, 0.25, 0]);
    expectClose(values('gridSample', { ...linear, alignCorners: true }, square, grid(-1, 1, 0, -1)), [3, 1.5]);
  });

  it('repeats or mirrors the border', () => {
    expectClose(values('gridSample', { ...linear, paddingMode: 'border' }, square, grid(-9, -9, 9, 0)), [1, 3]);
    const mirrored = { ...linear, paddingMode: 'reflection', alignCorners: true };
    // Pixel coordinate −1 mirrors to 1, 3 mirrors to 1 back over 1 to −1, to 1.
    expectClose(values('gridSample', mirrored, square, grid(-3, -1, 5, -1, 2, -1)), [2, 2, 1.5]);
  });

  it('rounds to the nearest even pixel', () => {
    expectClose(values('gridSample', { ...linear, mode: 'nearest' }, square, grid(0, 0, 0.1, 0.1)), [1, 4]);
  });

  it('cubic passes through the pixels', () => {
    const row = t([1, 4, 2, 8, 5, 7, 3, 6], [1, 1, 1, 8]);
    const cubic = { mode: 'cubic', paddingMode: 'border', alignCorners: true };
    expectClose(values('gridSample', cubic, row, grid(-1, 0, -3 / 7, 0, 1, 0)), [1, 2, 6], 5);
  });

  it('takes NaN and infinities as outside', () => {
    expect(values('gridSample', linear, square, grid(Number.NaN, 0, Infinity, 0)).every(Number.isFinite)).toBe(true);
  });

  it('names what does not fit', () => {
    expectError('shape', ['gridSample', 'grid', '[1,2]'], () => run('gridSample', linear, square, t([1, 2], [1, 2])));
    expectError('argument', ['mode', 'bilinear'], () =>
      run('gridSample', { ...linear, mode: 'bilinear' }, square, grid(0, 0)),
    );
    const cube = t([1], [1, 1, 1, 1, 1]);
    expectError('unsupported', ['cubic', 'rank 4'], () =>
      run('gridSample', { ...linear, mode: 'cubic' }, cube, t([0, 0, 0], [1, 1, 1, 1, 3])),
    );
  });
});

describe('affineGrid', () => {
  const identity = t([1, 0, 0, 0, 1, 0], [1, 2, 3]);

  it('gives pixel centres or corners', () => {
    expectClose(values('affineGrid', { size: [1, 1, 1, 2], alignCorners: false }, identity), [-0.5, 0, 0.5, 0]);
    expectClose(values('affineGrid', { size: [1, 1, 1, 2], alignCorners: true }, identity), [-1, 0, 1, 0]);
  });

  it('applies the matrix', () => {
    const theta = t([2, 0, 1, 0, 3, -1], [1, 2, 3]);
    expectClose(values('affineGrid', { size: [1, 1, 2, 1], alignCorners: true }, theta), [1, -4, 1, 2]);
  });

  it('sampled with the identity gives the image', () => {
    const [points] = run('affineGrid', { size: [1, 1, 2, 2], alignCorners: false }, identity);
    expectClose(values('gridSample', linear, square, points), [1, 2, 3, 4]);
  });

  it('names what does not fit', () => {
    expectError('shape', ['theta', '[2,2,3]', '[1,2,3]'], () =>
      run('affineGrid', { size: [2, 1, 2, 2], alignCorners: true }, identity),
    );
  });
});
