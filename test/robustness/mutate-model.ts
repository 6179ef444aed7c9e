// Random changes of a parsed ONNX model: names, attributes, operators, declared inputs. The result may make no sense.
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxValueInfo } from '../../src/io/onnx/model.ts';

/** Numbers in 0…1. */
type Next = () => number;

const pick = <T>(list: readonly T[], next: Next): T => list[Math.floor(next() * list.length)];

const wholes = [-(2 ** 40), -7, -2, -1, 0, 1, 2, 3, 5, 16, 1000, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1];
const reals = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0, 1e-30, 0.5, 1, 3e38];
const texts = [
  '',
  'constant',
  'linear',
  'SAME_UPPER',
  'max',
  'i,j->ij',
  '...ii',
  'half_pixel',
  '->',
  '\u0000',
  'a'.repeat(300),
];
const dtypes = ['float32', 'int64', 'bool', 'uint8', 'float16', 'float64', 'int32', 'int8'] as const;

/** A list with an element changed, removed, repeated, or nothing in it. */
function changedList<T>(list: readonly T[], values: readonly T[], next: Next): T[] {
  const copy = [...list];
  const at = Math.floor(next() * (copy.length + 1));
  const change = next();
  if (change < 0.1) return [];
  if (change < 0.3) copy.splice(at, 1);
  else if (change < 0.5) copy.splice(at, 0, pick(values, next));
  else copy[Math.min(at, Math.max(copy.length - 1, 0))] = pick(values, next);
  return copy;
}

/** How an attribute of a type is changed; others stay. */
const attributeChanges: { readonly [type: string]: (attribute: never, next: Next) => OnnxAttribute } = {
  INT: (_, next) => ({ type: 'INT', i: pick(wholes, next) }),
  FLOAT: (_, next) => ({ type: 'FLOAT', f: pick(reals, next) }),
  STRING: (_, next) => ({ type: 'STRING', s: pick(texts, next) }),
  INTS: ({ ints }: { ints: readonly number[] }, next) => ({ type: 'INTS', ints: changedList(ints, wholes, next) }),
  FLOATS: ({ floats }: { floats: readonly number[] }, next) => ({
    type: 'FLOATS',
    floats: changedList(floats, reals, next),
  }),
  STRINGS: ({ strings }: { strings: readonly string[] }, next) => ({
    type: 'STRINGS',
    strings: changedList(strings, texts, next),
  }),
  GRAPH: ({ g }: { g: OnnxGraph }, next) => ({ type: 'GRAPH', g: mutateGraph(g, [], next) }),
};

function mutateAttributes(node: OnnxNode, next: Next): OnnxNode {
  const attributes = new Map(node.attributes);
  if (attributes.size === 0)
    return { ...node, attributes: new Map([['axis', { type: 'INT', i: pick(wholes, next) }]]) };
  const name = pick([...attributes.keys()], next);
  const attribute = attributes.get(name)!;
  const change = next();
  if (change < 0.2) attributes.delete(name);
  else if (change < 0.3) attributes.set(name, pick([...attributes.values()], next));
  else if (change < 0.4) attributes.set(name, { type: 'INT', i: pick(wholes, next) });
  else attributes.set(name, attributeChanges[attribute.type]?.(attribute as never, next) ?? attribute);
  return { ...node, attributes };
}

function mutateNode(node: OnnxNode, names: readonly string[], ops: readonly string[], next: Next): OnnxNode {
  const change = next();
  if (change < 0.45) return mutateAttributes(node, next);
  if (change < 0.7) return { ...node, inputs: changedList(node.inputs, ['', ...names], next) };
  if (change < 0.8) return { ...node, outputs: changedList(node.outputs, ['', 'another', ...names], next) };
  if (change < 0.9 && ops.length > 0) return { ...node, opType: pick(ops, next) };
  return { ...node, inputs: [...node.inputs].reverse() };
}

function mutateInfo(info: OnnxValueInfo, next: Next): OnnxValueInfo {
  const change = next();
  if (change < 0.3) return { ...info, dtype: pick(dtypes, next) };
  if (change < 0.4) return { ...info, shape: null };
  return {
    ...info,
    shape: changedList<number | string | null>(info.shape ?? [], [null, 'n', 0, 1, 2, 3, 5, 2 ** 31], next),
  };
}

function mutateGraph(graph: OnnxGraph, ops: readonly string[], next: Next): OnnxGraph {
  const { nodes, inputs, outputs } = graph;
  const names = [
    ...nodes.flatMap((node) => node.outputs),
    ...inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
  ];
  const at = Math.floor(next() * nodes.length);
  const change = next();
  const one = <T>(list: readonly T[], make: (item: T) => T): T[] => {
    const which = Math.floor(next() * list.length);
    return list.map((item, i) => (i === which ? make(item) : item));
  };
  if (change < 0.15) return { ...graph, inputs: one(inputs, (info) => mutateInfo(info, next)) };
  if (change < 0.2)
    return { ...graph, outputs: one(outputs, (info) => ({ ...info, name: pick(names, next) ?? 'none' })) };
  if (change < 0.25 && graph.initializers.size > 0) {
    const initializers = new Map(graph.initializers);
    const keys = [...initializers.keys()];
    initializers.set(pick(keys, next), initializers.get(pick(keys, next))!);
    return { ...graph, initializers };
  }
  return { ...graph, nodes: nodes.map((node, i) => (i === at ? mutateNode(node, names, ops, next) : node)) };
}

/** The model with one to three changes. `ops`: operators that a node may become. */
export function mutateModel(model: OnnxModel, ops: readonly string[], next: Next): OnnxModel {
  let { graph, opsetImports } = model;
  for (let n = 1 + Math.floor(next() * 3); n > 0; n--) graph = mutateGraph(graph, ops, next);
  if (next() < 0.1) opsetImports = new Map([...opsetImports].map(([domain]) => [domain, 1 + Math.floor(next() * 27)]));
  return { ...model, graph, opsetImports };
}
