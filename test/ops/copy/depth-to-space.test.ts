import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/copy/depth-to-space.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t, values } from '../run.ts';

opTests('depth-to-space', family);

const count = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('channels and space', () => {
  it('depthToSpace in both orders, and back', () => {
    const deep = t(count(8), [1, 8, 1, 1]);
    expect(values('depthToSpace', { blockSize: 2, mode: 'DCR' }, deep)).toEqual([0, 2, 4, 6, 1, 3, 5, 7]);
    expect(values('depthToSpace', { blockSize: 2, mode: 'CRD' }, deep)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const [wide] = run('depthToSpace', { blockSize: 2, mode: 'DCR' }, t(count(48), [1, 8, 2, 3]));
    expect(values('spaceToDepth', { blockSize: 2, mode: 'DCR' }, wide)).toEqual(count(48));
  });

  it('channelShuffle interleaves groups', () => {
    expect(values('channelShuffle', { groups: 2 }, t(count(6), [1, 6, 1]))).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('name what does not divide', () => {
    const four = t(count(6), [1, 6, 1, 1]);
    expectError('shape', ['depthToSpace', 'multiple of 4', '6', '[1,6,1,1]'], () =>
      run('depthToSpace', { blockSize: 2, mode: 'DCR' }, four),
    );
    expectError('shape', ['spaceToDepth', 'multiples of 2'], () =>
      run('spaceToDepth', { blockSize: 2, mode: 'DCR' }, four),
    );
    expectError('shape', ['channelShuffle', '4', '6 channels'], () => run('channelShuffle', { groups: 4 }, four));
    expectError('argument', ['depthToSpace', 'mode', 'XYZ'], () =>
      run('depthToSpace', { blockSize: 1, mode: 'XYZ' }, four),
    );
    expectError('argument', ['depthToSpace', 'blockSize', '0'], () =>
      run('depthToSpace', { blockSize: 0, mode: 'DCR' }, four),
    );
  });
});
