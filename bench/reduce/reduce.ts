import type { ReduceName } from '../../src/ops/reduce/attrs.ts';
import { type BenchCase, type BenchSuite, data } from '../op-suite.ts';

function reduce(op: ReduceName, axes: number[], name: string): BenchCase {
  return { name: `${op} ${name}`, op, attrs: { axes, keepDims: true }, inputs: [data(1, 64, 112, 112)] };
}

export default {
  name: 'reduce',
  cases: [
    reduce('reduceMean', [2, 3], 'of maps 64 @112'),
    reduce('reduceSum', [1], 'of channels 64 @112'),
    reduce('reduceMax', [3], 'of rows 64 @112'),
    reduce('reduceL2', [1, 2, 3], 'of all 64 @112'),
    {
      name: 'argMax of channels 21 @112',
      op: 'argMax',
      attrs: { axis: 1, keepDims: true, selectLast: false },
      inputs: [data(1, 21, 112, 112)],
    },
  ],
} satisfies BenchSuite;
