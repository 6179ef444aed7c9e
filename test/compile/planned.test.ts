import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { compile } from '../../src/compile/plan.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { constantValue, type Graph, newValue, type Value } from '../../src/graph/graph.ts';
import { BorrowedStorage } from '../../src/memory/storage.ts';
import type { OpName, Ops } from '../../src/ops/attrs.ts';
import { execute } from '../../src/ops/core/execute.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { constant, Tensor } from '../../src/tensor/tensor.ts';
import { backendOf, Random, variants } from '../kernels/harness.ts';
import { jsBackend } from '../support/js-backend.ts';

const seed = Number(process.env.CONVLET_SEED ?? 20261201);

/** A node of a random graph: `a`, `b` choose any earlier values, also the same one twice, `c` extents. */
interface Row {
  readonly kind: keyof typeof nodes;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

interface Making {
  readonly x: Value;
  readonly y: Value;
  readonly c: number;
  /** All that is there already. */
  readonly values: readonly Value[];
  readonly random: Random;
  add<N extends OpName>(op: N, inputs: (Value | null)[], attrs: Ops[N]): Value;
}

const window = { stride: [1, 1], dilation: [1, 1], groups: 1, activation: null };
const wide = { ...window, padBegin: [1, 1], padEnd: [1, 1] };
const point = { ...window, padBegin: [0, 0], padEnd: [0, 0] };
const channelsOf = (value: Value): number => value.shape[1];

const weight = (random: Random, ...shape: number[]): Value =>
  constantValue('w', constant(random.floats(elementCount(shape), -1, 1), shape));

/** The first channels of the wider value, so that both have the same shape. */
function alike({ add, x, y }: Making): [Value, Value] {
  const channels = Math.min(channelsOf(x), channelsOf(y));
  const cut = (value: Value): Value => (channelsOf(value) === channels ? value : slice(add, value, 0, channels));
  return [cut(x), cut(y)];
}

function slice(add: Making['add'], x: Value, first: number, channels: number): Value {
  const sizes = x.shape.map((d, axis) => (axis === 1 ? channels : d));
  return add('slice', [x], { starts: [0, first, 0, 0], steps: [1, 1, 1, 1], sizes });
}

const nodes = {
  conv: ({ add, x, c, random }: Making) => add('conv', [x, weight(random, 1 + (c % 9), channelsOf(x), 3, 3)], wide),
  /** y is added by the convolution itself; it may be x. */
  residual: ({ add, x, y, random }: Making) =>
    add('conv', [x, weight(random, channelsOf(y), channelsOf(x), 3, 3), null, y], wide),
  pointResidual: ({ add, x, y, random }: Making) =>
    add('conv', [x, weight(random, channelsOf(y), channelsOf(x), 1, 1), null, y], point),
  depthwise: ({ add, x, random }: Making) =>
    add('conv', [x, weight(random, channelsOf(x), 1, 3, 3)], { ...wide, groups: channelsOf(x) }),
  unary: ({ add, x, c }: Making) => add((['neg', 'tanh', 'abs'] as const)[c % 3], [x], {}),
  binary: (making: Making) =>
    making.add((['add', 'sub', 'max'] as const)[making.c % 3], alike(making), { activation: null }),
  concat: ({ add, x, y, c }: Making) => add('concat', c % 3 === 0 ? [x, y, x] : [x, y], { axis: 1 }),
  /** As dense blocks list what came before. */
  concatAll: ({ add, values, c }: Making) => add('concat', values.slice(-2 - (c % 4)), { axis: 1 }),
  slice: ({ add, x, c }: Making) => {
    const first = c % channelsOf(x);
    return slice(add, x, first, 1 + ((c >> 4) % (channelsOf(x) - first)));
  },
  /** Some channels go on as they are, the others through a convolution (ShuffleNet v2). */
  unit: ({ add, x, c, random }: Making) => {
    const [count, first] = [channelsOf(x), c % channelsOf(x)];
    if (first === 0) return add('neg', [x], {});
    const rest = count - first;
    const branch = add('conv', [slice(add, x, first, rest), weight(random, rest, rest, 3, 3)], wide);
    return add('concat', [slice(add, x, 0, first), branch], { axis: 1 });
  },
  /** The first channels of x with all of y, which may be older, in as many channels as x has. */
  joined: ({ add, x, y }: Making) => {
    const first = channelsOf(x) - channelsOf(y);
    return first <= 0 ? add('neg', [x], {}) : add('concat', [slice(add, x, 0, first), y], { axis: 1 });
  },
  batchNorm: ({ add, x, random }: Making) => {
    const parameters = [-1, -1, -1, 0.5].map((low) =>
      constantValue('p', constant(random.floats(channelsOf(x), low, 1), [channelsOf(x)])),
    );
    return add('batchNorm', [x, ...parameters], { epsilon: 1e-5, activation: null });
  },
} as const;

/** No pass looks at the graph: what is tried is what the rows say. All that nobody reads is an output. */
function build(rows: readonly Row[], shape: readonly number[]): Graph {
  const b = new GraphBuilder();
  const x = newValue('x', 'float32', shape);
  const values = [x];
  const read = new Set<Value | null>();
  const add: Making['add'] = (op, inputs, attrs) => {
    for (const input of inputs) read.add(input);
    return b.add(op, inputs, attrs, op)[0];
  };
  rows.forEach(({ kind, a, b: second, c }, i) => {
    // Any earlier value, mostly a late one: structures grow, and do not all hang on the input.
    const chosen = (of: number): Value =>
      values[Math.max(0, values.length - 1 - (of % 3 === 0 ? of % values.length : of % 2))];
    const making = { x: chosen(a), y: chosen(second), c, values, random: new Random(i), add };
    const value = nodes[kind](making);
    if (channelsOf(value) <= 40) values.push(value);
  });
  const unread = values.filter((value) => !read.has(value) && value !== x);
  const outputs = unread.length > 0 ? unread : values.slice(-1);
  return b.finish(
    [x],
    outputs.map((value, i) => ({ name: `y${i}`, value })),
  );
}

/** The elements in row order. */
function rowOrder(tensor: Tensor): Float32Array {
  const { shape, strides, array } = tensor;
  const [n, c, h, w] = shape;
  const out = new Float32Array(tensor.size);
  for (let i = 0; i < out.length; i++) {
    const index = [Math.floor(i / (c * h * w)) % n, Math.floor(i / (h * w)) % c, Math.floor(i / w) % h, i % w];
    out[i] = array[index.reduce((at, k, axis) => at + k * strides[axis], 0)];
  }
  return out;
}

/** One op after the other, each result in memory of its own. */
function unplanned(graph: Graph, backend: Backend, x: Float32Array): Float32Array[] {
  const results = new Map<Value, Tensor>();
  const held = (data: Float32Array, shape: readonly number[]): Tensor =>
    new Tensor('float32', shape, 'row', new BorrowedStorage(data));
  results.set(graph.inputs[0], held(x, graph.inputs[0].shape));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((value) => value && (value.constant ?? results.get(value)!));
    const [y] = execute(backend, node.op, inputs, node.attrs);
    results.set(node.outputs[0], held(rowOrder(y), y.shape));
    y.storage?.free();
  }
  return graph.outputs.map(({ value }) => results.get(value)!.array as Float32Array);
}

function planned(graph: Graph, backend: Backend, x: Float32Array, batchBytes?: number): Float32Array[] {
  const plan = compile(graph, backend, undefined, { views: true, batchBytes });
  try {
    // The first run's leftovers must not matter to the second one.
    for (let run = 0; run < 2; run++) {
      plan.inputs.get('x')!.array.set(x);
      plan.run();
    }
    return graph.outputs.map(({ name }) => Float32Array.from(plan.outputs.get(name)!.array));
  } finally {
    plan.dispose();
  }
}

const programs = fc.array(
  fc.record({
    kind: fc.constantFrom(...(Object.keys(nodes) as (keyof typeof nodes)[])),
    a: fc.nat(1000),
    b: fc.nat(1000),
    c: fc.nat(1000),
  }),
  { minLength: 1, maxLength: 12 },
);
const shapes = fc.constantFrom([1, 4, 3, 5], [2, 3, 4, 3], [3, 6, 1, 1], [1, 1, 6, 6]);

const backends: [string, () => Backend][] = [
  ['js', jsBackend],
  ...variants.map((variant): [string, () => Backend] => [`wasm ${variant}`, () => backendOf(variant)]),
];

// Close, as another algorithm may be chosen for pixels that lie apart or for fewer images.
test.each(backends)('random graphs give the same planned as unplanned, %s (CONVLET_SEED=' + seed + ')', (_, make) => {
  const backend = make();
  fc.assert(
    fc.property(programs, shapes, fc.constantFrom(undefined, undefined, 1, 300), (rows, shape, batchBytes) => {
      const graph = build(rows, shape);
      const x = new Random(99).floats(elementCount(shape), -1, 1);
      const expected = unplanned(graph, backend, x);
      const got = planned(graph, backend, x, batchBytes);
      expected.forEach((values, k) => {
        const tolerance = 1e-5 * values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        const wrong = values.findIndex((v, i) => !(Math.abs(got[k][i] - v) <= tolerance));
        expect(wrong, `element of output ${k}`).toBe(-1);
      });
    }),
    { seed, numRuns: 800 },
  );
});
