import type { GraphNode, NodeOf, Value } from '../graph.ts';
import { type GraphEditor, sameShape, scalarOf, scalarOperand } from './editor.ts';

/**
 * Recognises layer normalisation written out in elementary ops, as exporters before opset 17 do:
 * centred = x − mean(x); y = centred / sqrt(mean(centred²) + ε) · weight + bias.
 */
export function recogniseLayerNorm(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes]) {
    if (node.op.name !== 'div' || !editor.has(node)) continue;
    const match = matchStandardisation(editor, node);
    if (match === null) continue;
    const scaled = parameterUser(editor, node.outputs[0], 'mul', match.size);
    const shifted = scaled === null ? null : parameterUser(editor, scaled.node.outputs[0], 'add', match.size);
    const last = shifted?.node ?? scaled?.node ?? node;
    const inputs = [match.x, scaled?.parameter ?? null, shifted?.parameter ?? null];
    const attrs = { axis: match.x.shape.length - 1, epsilon: match.epsilon, statistics: false };
    const feeders = last.inputs.map((value) => editor.producer(value));
    editor.replace(last, 'layerNorm', inputs, attrs);
    for (const feeder of feeders) if (feeder !== null) editor.removeDead(feeder);
  }
}

interface Match {
  readonly x: Value;
  readonly epsilon: number;
  /** Length of the normalised (last) axis. */
  readonly size: number;
}

function matchStandardisation(editor: GraphEditor, div: GraphNode): Match | null {
  const centred = editor.producer(div.inputs[0]);
  const root = editor.soleProducer(div.inputs[1], div, 'sqrt');
  if (centred?.op.name !== 'sub' || root === null) return null;
  const x = centred.inputs[0]!;
  // If epsilon has more axes than x, so has the result.
  if (!sameShape(x, div.outputs[0])) return null;
  const size = x.shape[x.shape.length - 1];
  const mean = editor.soleProducer(centred.inputs[1], centred, 'reduceMean');
  if (mean?.inputs[0] !== x || !overLastAxis(mean, x)) return null;
  const sum = editor.soleProducer(root.inputs[0], root, 'add');
  const epsilon = sum === null ? null : scalarOperand(sum);
  const variance = epsilon === null ? null : editor.soleProducer(epsilon.other, sum!, 'reduceMean');
  if (epsilon === null || variance === null || !overLastAxis(variance, x)) return null;
  const squares = editor.soleProducer(variance.inputs[0], variance, 'pow', 'mul', 'square');
  if (squares === null || squares.inputs[0] !== centred.outputs[0]) return null;
  const squared: Record<string, boolean> = {
    pow: scalarOf(squares.inputs[1]) === 2,
    mul: squares.inputs[1] === squares.inputs[0],
    square: true,
  };
  return squared[squares.op.name] ? { x, epsilon: epsilon.scalar, size } : null;
}

function overLastAxis(node: NodeOf<'reduceMean'>, x: Value): boolean {
  const { axes, keepDims } = node.attrs;
  return keepDims && axes.length === 1 && axes[0] === x.shape.length - 1;
}

/** The only user of `value` if it is `op` with a constant vector of that size. */
function parameterUser(
  editor: GraphEditor,
  value: Value,
  op: string,
  size: number,
): { node: GraphNode; parameter: Value } | null {
  const node = editor.onlyUser(value);
  if (node?.op.name !== op) return null;
  const parameter = node.inputs[0] === value ? node.inputs[1] : node.inputs[0];
  const fits = parameter?.constant && parameter.shape.length === 1 && parameter.shape[0] === size;
  return fits && parameter.dtype === 'float32' ? { node, parameter } : null;
}
