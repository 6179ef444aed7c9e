// Graphs of many nodes: the work of the passes grows with the number of nodes, not with its square.
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { type Graph, newValue } from '../../src/graph/graph.ts';
import { optimize } from '../../src/graph/passes/index.ts';

/** relu(x + input) again and again: sums and activations are fused; beside each, a node that nothing uses is removed. */
function chain(length: number): Graph {
  const builder = new GraphBuilder();
  const input = newValue('input', 'float32', [1, 4]);
  let value = input;
  for (let i = 0; i < length; i++) {
    builder.add('neg', [value], {}, `unused${i}`);
    value = builder.add('add', [value, input], {}, `sum${i}`)[0];
    value = builder.add('relu', [value], {}, `relu${i}`)[0];
  }
  return { inputs: [input], outputs: [{ name: 'output', value }], nodes: builder.nodes };
}

/** Elements of `graph.nodes` that were searched, copied or moved: what is quadratic where edits scan the list. */
function touched(length: number): number {
  const graph = chain(length);
  let count = 0;
  const counted = new Proxy(graph.nodes, {
    get(target, key, receiver) {
      if (typeof key === 'string' && /^\d+$/.test(key)) count++;
      return Reflect.get(target, key, receiver);
    },
  });
  optimize({ ...graph, nodes: counted });
  expect(graph.nodes.map(({ op }) => op.name)).toEqual(Array(length).fill('add'));
  return count;
}

test('passes over 10,000 nodes look at twice as many as over 5,000', () => {
  expect(touched(10_000) / touched(5_000)).toBeLessThan(2.1);
});
