import { expect, test } from 'vitest';
import { describeLayers } from '../../src/runtime/inspect.ts';
import { draw } from '../graph/compare.ts';

test('a row for each node: shape, parameters where they are first used, multiply–accumulates', () => {
  const graph = draw((s) => {
    const [weight, whole] = [s.weight([3, 3]), s.scalar(2, [1], 'int32')];
    const x = s.conv(s.input([2, 4, 5, 6]), 3);
    const mean = s.op('reduceMean', [x], { axes: [2, 3], keepDims: false });
    const y = s.matmul(s.matmul(mean, weight), weight);
    return [y, s.op('mul', [s.op('cast', [y], { to: 'int32' }), whole])];
  });
  expect(describeLayers(graph)).toMatchObject([
    {
      name: 'conv',
      op: 'conv',
      dtype: 'float32',
      shape: [2, 3, 5, 6],
      parameters: 3 * 4 * 9 + 3,
      macs: 2 * 3 * 30 * 4 * 9,
    },
    { name: 'reduceMean', op: 'reduceMean', shape: [2, 3], parameters: 0, macs: 0 },
    { name: 'matmul', op: 'matmul', shape: [2, 3], parameters: 9, macs: 18 },
    { name: 'matmul', op: 'matmul', shape: [2, 3], parameters: 0, macs: 18 },
    { name: 'cast', op: 'cast', dtype: 'int32', shape: [2, 3], parameters: 0, macs: 0 },
    { name: 'mul', op: 'mul', dtype: 'int32', shape: [2, 3], parameters: 0, macs: 0 },
  ]);
});
