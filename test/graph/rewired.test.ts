// Random graphs near those that the recognisers take: one of them, in which inputs, numbers and ops were exchanged and
// inner values made outputs. Passes must not change what it gives.
import { expect, test } from 'vitest';
import type { Graph, GraphNode, Value } from '../../src/graph/graph.ts';
import { getOp } from '../../src/ops/index.ts';
import { Random } from '../kernels/harness.ts';
import { comparePasses, type Drawing, draw, Sketch } from './compare.ts';
import { activationPatterns } from './near-misses.ts';
import { norms } from './near-misses-norms.ts';
import { activation, structures } from './near-misses-structures.ts';

const seed = Number(process.env.CONVLET_SEED ?? 20261201);
const count = 1500;

const drawings: Drawing[] = Object.values({ ...activationPatterns, ...norms, ...structures, activation }).flatMap(
  ({ takes }) => Object.values(takes).map(([drawing]) => drawing),
);

const numbers = [0, 0.5, 1, Math.SQRT1_2, Math.SQRT2, 2, 3, 1 / 6, 6, -1];
const families = [
  ['add', 'sub', 'mul', 'div', 'max', 'min'],
  ['relu', 'sigmoid', 'tanh', 'hardSigmoid', 'softplus', 'erf', 'square', 'clip', 'neg'],
];

type Edit = (graph: Graph, node: GraphNode, at: number, random: Random) => GraphNode | null;

const edits: readonly Edit[] = [
  /** Another value that is there already, of the same shape or any that broadcasts. */
  (graph, node, at, random) => {
    const earlier = [...graph.inputs, ...graph.nodes.slice(0, at).flatMap((n) => [...n.outputs, ...n.inputs])];
    const candidates = earlier.filter((value): value is Value => value !== null);
    const i = random.int(0, node.inputs.length - 1);
    return { ...node, inputs: node.inputs.map((value, j) => (i === j ? random.pick(candidates) : value)) };
  },
  /** Another number, of any number of axes. */
  (_, node, __, random) => {
    const places = node.inputs.flatMap((value, i) => (value?.constant?.size === 1 ? [i] : []));
    if (places.length === 0) return null;
    const i = random.pick(places);
    const axes = random.pick([[], [], [1], [1, 1, 1]]);
    const number = new Sketch(0).scalar(random.pick(numbers), axes, node.inputs[i]!.dtype);
    return { ...node, inputs: node.inputs.map((value, j) => (i === j ? number : value)) };
  },
  (_, node) => (node.inputs.length === 2 ? { ...node, inputs: [...node.inputs].reverse() } : null),
  (_, node, __, random) => {
    const family = families.find((names) => names.includes(node.op.name));
    return family === undefined ? null : { ...node, op: getOp(random.pick(family)) };
  },
];

/** Whether every node still gives what those behind it expect. */
function isSound({ nodes }: Graph): boolean {
  return nodes.every((node) => {
    try {
      const infos = node.op.infer(node.inputs, node.attrs);
      return infos.every(({ dtype, shape }, i) => {
        const { dtype: expected, shape: of } = node.outputs[i];
        return dtype === expected && shape.join() === of.join();
      });
    } catch {
      return false;
    }
  });
}

/** The graph of this number; null where the edits do not fit together. */
function rewired(number: number): Graph | null {
  const random = new Random(seed + number);
  const graph = draw(random.pick(drawings), number);
  const edited = random.int(0, 2);
  for (let i = 0; i < edited; i++) {
    const at = random.int(0, graph.nodes.length - 1);
    const node = random.pick(edits)(graph, graph.nodes[at], at, random);
    if (node !== null) graph.nodes[at] = node;
  }
  if (random.next() < 0.3) {
    const inner = random.pick(graph.nodes).outputs[0];
    graph.outputs.push({ name: 'inner', value: inner });
  }
  return isSound(graph) ? graph : null;
}

test(`passes keep what ${count} rewired graphs give (CONVLET_SEED=${seed})`, () => {
  let [tried, changed] = [0, 0];
  for (let number = 0; number < count; number++) {
    const nodes = rewired(number)?.nodes.length;
    if (nodes === undefined) continue;
    tried++;
    // Numbers near each other may be divided by their difference; a wrong pass is wrong by more.
    const graph = comparePasses(() => rewired(number)!, 1e-3, `graph ${number}`);
    if (graph.nodes.length !== nodes) changed++;
  }
  // The test sees what it is for: graphs that the passes take as well as graphs that they leave.
  expect(tried).toBeGreaterThan(count / 2);
  expect(changed).toBeGreaterThan(count / 4);
  expect(tried - changed).toBeGreaterThan(count / 10);
});
