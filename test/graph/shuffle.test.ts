import { expect, test } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { newValue } from '../../src/graph/graph.ts';
import { optimize } from '../../src/graph/passes/index.ts';
import type { OpName, Ops } from '../../src/ops/attrs.ts';

function opsLeft(perm: number[]): string[] {
  const b = new GraphBuilder();
  const x = newValue('x', 'float32', [2, 6, 3, 5]);
  const one = <N extends OpName>(op: N, input: typeof x, attrs: Ops[N]) => b.add(op, [input], attrs, op)[0];
  const swapped = one('transpose', one('reshape', x, { shape: [2, 2, 3, 3, 5] }), { perm });
  const y = one('reshape', swapped, { shape: [2, 6, 3, 5] });
  return optimize(b.finish([x], [{ name: 'y', value: y }])).nodes.map((node) => node.op.name);
}

test('reshape, transpose, reshape of channels is a channel shuffle', () => {
  expect(opsLeft([0, 2, 1, 3, 4])).toEqual(['channelShuffle']);
});

test('other transposes between reshapes are kept', () => {
  expect(opsLeft([0, 1, 3, 2, 4])).toEqual(['reshape', 'transpose', 'reshape']);
});
