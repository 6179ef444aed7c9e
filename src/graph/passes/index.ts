import type { Graph } from '../graph.ts';
import { GraphEditor } from './editor.ts';
import { foldAffine } from './fold-affine.ts';
import { fuseActivation, fusePad, fuseResidual } from './fuse.ts';
import { recogniseLayerNorm } from './layer-norm.ts';
import { recognisePatterns } from './patterns.ts';
import { recogniseShuffle } from './shuffle.ts';

/** The passes between import and compilation, in order. Each rewrites the graph in place. */
const passes: readonly ((editor: GraphEditor) => void)[] = [
  removeUnused,
  recogniseLayerNorm,
  recogniseShuffle,
  recognisePatterns,
  fusePad,
  foldAffine,
  fuseResidual,
  fuseActivation,
];

/** Simplifies a graph: same results, fewer nodes. */
export function optimize(graph: Graph): Graph {
  const editor = new GraphEditor(graph);
  for (const pass of passes) {
    pass(editor);
    editor.compact();
  }
  return graph;
}

function removeUnused(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes].reverse()) editor.removeDead(node);
}
