import { ConvletError } from '../../common/error.ts';
import type { OnnxGraph, OnnxNode } from './model.ts';

/** The name of a node in errors: its name, or that of its first output if it has none. */
export function nodeLabel(node: OnnxNode): string {
  const name = node.name || (node.outputs.find((output) => output !== '') ?? '');
  return `node '${name}' (${node.domain === '' ? '' : `${node.domain}.`}${node.opType})`;
}

/** Graphs in a node's attributes: branches and loop bodies. */
export function subgraphsOf(node: OnnxNode): OnnxGraph[] {
  const graphs: OnnxGraph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.type === 'GRAPH') graphs.push(attribute.g);
    else if (attribute.type === 'GRAPHS') graphs.push(...attribute.graphs);
  }
  return graphs;
}

const captured = new WeakMap<OnnxNode, readonly string[]>();

/** Names of outer values that a node's subgraphs read. */
export function capturesOf(node: OnnxNode): readonly string[] {
  let names = captured.get(node);
  if (names === undefined) {
    const found = new Set<string>();
    for (const graph of subgraphsOf(node)) for (const name of freeNames(graph)) found.add(name);
    names = [...found];
    captured.set(node, names);
  }
  return names;
}

/** Names of outer values that a graph reads. */
export function freeNames(graph: OnnxGraph): Set<string> {
  const own = new Set<string>([...graph.inputs.map((input) => input.name), ...graph.initializers.keys()]);
  for (const node of graph.nodes) for (const name of node.outputs) own.add(name);
  const free = new Set<string>();
  const use = (name: string) => {
    if (name !== '' && !own.has(name)) free.add(name);
  };
  for (const node of graph.nodes) {
    node.inputs.forEach(use);
    capturesOf(node).forEach(use);
  }
  for (const output of graph.outputs) use(output.name);
  return free;
}

/**
 * The nodes in topological order: unchanged if they already are, as ONNX requires. `own` are the names of the graph's inputs and
 * initializers; `outer` says which outer names are visible, and a node may redefine those.
 * Throws `malformed` for names that nothing defines, second definitions and cycles.
 */
export function orderNodes(
  nodes: readonly OnnxNode[],
  own: ReadonlySet<string>,
  outputs: readonly string[],
  where: string,
  outer: ReadonlySet<string> = new Set(),
): readonly OnnxNode[] {
  const producer = new Map<string, number>();
  const known = (name: string) => own.has(name) || outer.has(name);
  nodes.forEach((node, i) => {
    for (const name of node.outputs) {
      if (name === '') continue;
      if (producer.has(name) || own.has(name)) {
        throw malformed(`${where}: ${nodeLabel(node)} defines '${name}', which is already defined`);
      }
      producer.set(name, i);
    }
  });
  for (const name of outputs) {
    if (!producer.has(name) && !known(name)) throw malformed(`${where}: nothing defines the output '${name}'`);
  }
  const reads = nodes.map((node) => {
    const names = [...node.inputs.filter((name) => name !== ''), ...capturesOf(node)];
    const before: number[] = [];
    for (const name of names) {
      const from = producer.get(name);
      if (from !== undefined) before.push(from);
      else if (!known(name)) throw malformed(`${where}: ${nodeLabel(node)} reads '${name}', which nothing defines`);
    }
    return before;
  });
  if (reads.every((before, i) => before.every((from) => from < i))) return nodes;
  return sorted(nodes, reads, where);
}

/** Kahn's algorithm; `reads`: for each node the numbers of the nodes whose outputs it reads. */
function sorted(nodes: readonly OnnxNode[], reads: readonly number[][], where: string): OnnxNode[] {
  const missing = reads.map((before) => before.length);
  const readers = nodes.map((): number[] => []);
  reads.forEach((before, i) => {
    for (const from of before) readers[from].push(i);
  });
  const order = missing.flatMap((count, i) => (count === 0 ? [i] : []));
  for (let at = 0; at < order.length; at++) {
    for (const reader of readers[order[at]]) if (--missing[reader] === 0) order.push(reader);
  }
  if (order.length < nodes.length) {
    const stuck = nodes[missing.findIndex((count) => count > 0)];
    throw malformed(`${where}: ${nodeLabel(stuck)} depends on its own output (the graph has a cycle)`);
  }
  return order.map((i) => nodes[i]);
}

function malformed(message: string): ConvletError {
  return new ConvletError('malformed', message);
}
