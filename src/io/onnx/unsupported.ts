import type { OnnxFunction, OnnxModel, OnnxNode } from './model.ts';
import { whyUnsupported } from './ops/index.ts';
import { subgraphsOf } from './structure.ts';
import { functionKey } from './walk.ts';

export interface UnsupportedNode {
  /** The node's name, or that of its first output. */
  readonly node: string;
  readonly opType: string;
  readonly domain: string;
  readonly opset: number;
  readonly reason: string;
}

/** The depth to which calls inside calls are followed; it is that of the import. */
const maxDepth = 100;

/** Nodes without a handler, in the graph, its subgraphs and the functions that they call. */
export function findUnsupported(model: OnnxModel, functions: ReadonlyMap<string, OnnxFunction>): UnsupportedNode[] {
  const found: UnsupportedNode[] = [];
  const visited = new Set<OnnxFunction>();
  const visit = (nodes: readonly OnnxNode[], opsets: ReadonlyMap<string, number>, calls: readonly OnnxFunction[]) => {
    for (const node of nodes) {
      for (const graph of subgraphsOf(node)) visit(graph.nodes, opsets, calls);
      const definition = functions.get(functionKey(node.domain, node.opType, node.overload));
      if (definition === undefined) {
        const opset = opsets.get(node.domain) ?? 0;
        const reason = whyUnsupported(node, opset);
        if (reason !== null) found.push(entry(node, opset, reason));
      } else if (calls.includes(definition)) {
        found.push(entry(node, opsets.get(node.domain) ?? 0, 'the function calls itself'));
      } else if (calls.length >= maxDepth) {
        found.push(entry(node, opsets.get(node.domain) ?? 0, `functions call functions more than ${maxDepth} deep`));
      } else if (!visited.has(definition)) {
        visited.add(definition);
        visit(definition.nodes, definition.opsetImports, [...calls, definition]);
      }
    }
  };
  visit(model.graph.nodes, model.opsetImports, []);
  return found;
}

function entry(node: OnnxNode, opset: number, reason: string): UnsupportedNode {
  const name = node.name || (node.outputs.find((output) => output !== '') ?? '');
  return { node: name, opType: node.opType, domain: node.domain, opset, reason };
}
