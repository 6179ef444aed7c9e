import { describe, expect, it } from 'vitest';
import { softmaxOps } from '../../../src/ops/reduce/softmax.ts';
import { opTests } from '../harness.ts';
import { expectClose, expectError, run, t, values } from '../run.ts';

opTests('softmax', softmaxOps);

describe('softmax', () => {
  it('normalises along its axis, without overflow', () => {
    expectClose(values('softmax', { axis: 0 }, t([1000, 1001])), [0.2689414, 0.7310586]);
    expectClose(values('logSoftmax', { axis: 0 }, t([-1000, 1000])), [-2000, 0]);
    expectClose(values('softmax', { axis: 0 }, t([0, 1, Math.log(3), 1], [2, 2])), [0.25, 0.5, 0.75, 0.5]);
  });

  it('one-element axes give one', () => {
    expect(values('softmax', { axis: 1 }, t([5, -3], [2, 1]))).toEqual([1, 1]);
  });

  it('rejects an axis that x does not have', () => {
    expectError('argument', ['softmax', 'axis', '-2…1', '2'], () => run('softmax', { axis: 2 }, t([1, 2], [1, 2])));
    expectError('dtype', ['softmax', 'int32'], () => run('softmax', { axis: 0 }, t([1], [1], 'int32')));
  });
});
