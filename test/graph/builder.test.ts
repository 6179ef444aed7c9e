import { describe, expect, test } from 'vitest';
import type { ConvletError } from '../../src/common/error.ts';
import { GraphBuilder, NeedsData } from '../../src/graph/builder.ts';
import { FoldCache } from '../../src/graph/fold-cache.ts';
import { constantValue, type GraphNode, liveNodes, newValue, type Value } from '../../src/graph/graph.ts';
import { constant } from '../../src/tensor/tensor.ts';

const numbers = (...data: number[]): Value => constantValue('c', constant(Float32Array.from(data), [data.length]));
const filled = (size: number, value = 1): Value =>
  constantValue('c', constant(new Float32Array(size).fill(value), [size]));

describe('what depends on constants alone', () => {
  test('is computed at once, and everything else becomes a node', () => {
    const b = new GraphBuilder();
    const x = newValue('x', 'float32', [2]);
    const [sum] = b.add('add', [numbers(1, 2), numbers(10, 20)], {}, 'sum');
    expect([...sum.constant!.array]).toEqual([11, 22]);
    const [copy] = b.add('reshape', [sum], { shape: [2, 1] }, 'copy');
    expect([copy.shape, [...copy.constant!.array]]).toEqual([
      [2, 1],
      [11, 22],
    ]);
    expect(b.nodes).toHaveLength(0);
    const [y] = b.add('add', [x, sum], {}, 'node');
    expect([y.constant, y.shape, b.nodes.map(({ name }) => name)]).toEqual([null, [2], ['node']]);
    expect(b.nodes[0].inputs).toEqual([x, sum]);
    expect(b.add('neg', [y], {}, 'next')[0].constant).toBe(null);
  });

  test('a shape that depends on data needs the data', () => {
    const b = new GraphBuilder();
    expect(() => b.add('nonZero', [newValue('x', 'float32', [3])], {}, 'n')).toThrow(NeedsData);
    expect(b.add('nonZero', [numbers(0, 5, 0)], {}, 'n')[0].shape).toEqual([1, 1]);
  });

  test('what grows beyond the limit is left to the run; what is small never is', () => {
    const grow = (b: GraphBuilder, size: number): boolean =>
      b.add('expand', [filled(1)], { shape: [size] }, 'grow')[0].constant !== null;
    const limited = new GraphBuilder(undefined, { limit: 40_000 });
    // 4,096 bytes are small. Each of the others grows by all but four bytes.
    expect([grow(limited, 1025), grow(limited, 8000), grow(limited, 1025), grow(limited, 1024)]).toEqual([
      ...[true, true, false, true],
    ]);
    const exact = new GraphBuilder(undefined, { limit: 8000 });
    expect([grow(exact, 2000), grow(exact, 1025)]).toEqual([true, false]);
    // What does not grow costs nothing.
    const large = new GraphBuilder(undefined, { limit: 8000 });
    for (let i = 0; i < 5; i++) expect(large.add('neg', [filled(2000)], {}, 'n')[0].constant).not.toBe(null);
  });

  test('tensors that no memory can hold are refused by name', () => {
    const expand = (b: GraphBuilder, shape: number[]): unknown => {
      try {
        return b.add('expand', [newValue('x', 'float32', [1])], { shape }, 'grow')[0].shape;
      } catch (error) {
        return (error as ConvletError).code;
      }
    };
    const b = new GraphBuilder();
    expect(expand(b, [2 ** 29 - 1])).toEqual([2 ** 29 - 1]);
    expect(expand(b, [2 ** 29])).toEqual([2 ** 29]);
    expect(expand(b, [2 ** 29 + 1])).toBe('memory');
    // An empty axis counts as one cell: its strides are those of the whole.
    expect(expand(b, [0, 2 ** 29 + 1])).toBe('memory');
    expect(expand(b, [0, 8])).toEqual([0, 8]);
    const limited = new GraphBuilder(undefined, { limit: 400 });
    expect([expand(limited, [100]), expand(limited, [101])]).toEqual([[100], 'memory']);
    expect(expand(b, Array<number>(64).fill(1))).toHaveLength(64);
    expect(expand(b, Array<number>(65).fill(1))).toBe('shape');
  });
});

describe('the nodes that outputs need', () => {
  const node = (name: string, inputs: (Value | null)[], outputs: Value[]): GraphNode =>
    ({ name, inputs, outputs, attrs: {}, op: { name } }) as unknown as GraphNode;

  test('one output of several is enough, and absent inputs need nothing', () => {
    const [x, a, b, c, d] = ['x', 'a', 'b', 'c', 'd'].map((name) => newValue(name, 'float32', [1]));
    const nodes = [node('split', [x, null], [a, b]), node('unused', [a], [d]), node('last', [b], [c])];
    expect(liveNodes(nodes, [c]).map(({ name }) => name)).toEqual(['split', 'last']);
    expect(liveNodes(nodes, [a]).map(({ name }) => name)).toEqual(['split']);
    expect(liveNodes(nodes, [x])).toEqual([]);
  });
});

describe('constants that are kept from one build to the next', () => {
  const build = (cache: FoldCache, make: (b: GraphBuilder) => Value): Value =>
    make(new GraphBuilder(undefined, { cache }));
  const weights = filled(100);

  test('are the same objects for the same op, inputs and attributes', () => {
    const cache = new FoldCache();
    const scaled = (by: number) => (b: GraphBuilder) => b.add('mul', [weights, numbers(by)], {}, 'scaled')[0];
    const first = build(cache, scaled(2)).constant;
    expect(build(cache, scaled(2)).constant).toBe(first);
    // In one build, so that nothing is dropped between them.
    const b = new GraphBuilder(undefined, { cache });
    const others = [
      scaled(3)(b),
      b.add('add', [weights, numbers(2)], {}, 'sum')[0],
      b.add('mul', [filled(100, 2), numbers(2)], {}, 'scaled')[0],
      b.add('mul', [weights, constantValue('c', constant(Float32Array.of(2), []))], {}, 's')[0],
    ];
    expect(scaled(2)(b).constant).toBe(first);
    for (const other of others) expect(other.constant).not.toBe(first);
    expect([...others[0].constant!.array.slice(0, 2)]).toEqual([3, 3]);
    expect([...others[1].constant!.array.slice(0, 2)]).toEqual([3, 3]);
    expect([...others[2].constant!.array.slice(0, 2)]).toEqual([4, 4]);
  });

  test('numbers that JSON does not know are told apart', () => {
    const cache = new FoldCache();
    const bounds = [Number.NEGATIVE_INFINITY, -0, 0, 5].map((alpha) =>
      build(cache, (b) => b.add('clip', [weights, null], { alpha, beta: Number.POSITIVE_INFINITY }, 'clip')[0]),
    );
    const tops = [Number.POSITIVE_INFINITY, 0.5].map((beta) =>
      build(cache, (b) => b.add('clip', [weights, null], { alpha: 0, beta }, 'clip')[0]),
    );
    expect(bounds.map(({ constant: c }) => c!.array[0])).toEqual([1, 1, 1, 5]);
    expect(tops.map(({ constant: c }) => c!.array[0])).toEqual([1, 0.5]);
    const signs = [0, -0, Number.NaN].map((value) =>
      build(cache, (b) => b.add('mul', [weights, numbers(value)], {}, 'm')[0]),
    );
    expect(signs.map(({ constant: c }) => c!.array[0])).toEqual([0, -0, Number.NaN]);
  });

  test('are dropped when two builds have not asked for them', () => {
    const cache = new FoldCache();
    const ask = (b: GraphBuilder): Value => b.add('neg', [weights], {}, 'n')[0];
    const nothing = (b: GraphBuilder): Value => b.add('abs', [numbers(1)], {}, 'a')[0];
    const first = build(cache, ask).constant;
    build(cache, nothing);
    for (let i = 0; i < 5; i++) expect(build(cache, ask).constant).toBe(first);
    build(cache, nothing);
    build(cache, nothing);
    expect(build(cache, ask).constant).not.toBe(first);
  });

  test('small ones are computed again: they are told apart by their values', () => {
    const cache = new FoldCache();
    const of = (size: number) => (b: GraphBuilder) => b.add('neg', [filled(size)], {}, 'n')[0];
    expect(build(cache, of(64)).constant).not.toBe(build(cache, of(64)).constant);
    const weight = filled(65);
    const large = (b: GraphBuilder): Value => b.add('neg', [weight], {}, 'n')[0];
    expect(build(cache, large).constant).toBe(build(cache, large).constant);
  });
});
