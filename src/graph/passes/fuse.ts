import { activationHosts } from '../../backend/prim-traits.ts';
import { convInputs } from '../../backend/prims/conv.ts';
import { type Activation, activationKinds, type UnaryKind } from '../../backend/prims/elementwise.ts';
import { activation, type UnaryOpAttrs } from '../../ops/elementwise/unary.ts';
import type { GraphNode, Value } from '../graph.ts';
import type { GraphEditor } from './editor.ts';

/** The activations that kernels apply to what they are about to store. An identity would take the place of another one. */
const fusible = new Set<string>(activationKinds.filter((kind) => kind !== 'identity'));

/** conv → unary becomes conv with an activation. */
export function fuseActivation(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes]) {
    if (!fusible.has(node.op.name)) continue;
    const host = editor.soleProducer(node.inputs[0], node, ...activationHosts);
    if (host === null || node.outputs[0].dtype !== 'float32') continue;
    const attrs = host.attrs as { activation?: Activation | null };
    if (attrs.activation) continue;
    editor.fuse(host, node, host.inputs, {
      ...attrs,
      activation: activation(node.op.name as UnaryKind, node.attrs as UnaryOpAttrs),
    });
  }
}

/** add(conv(x), y) becomes conv with y as its residual input; the convolution moves to where the sum was. */
export function fuseResidual(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes]) {
    if (node.op.name !== 'add' || (node.attrs as { activation?: unknown }).activation) continue;
    const [a, b] = node.inputs as [Value, Value];
    if (!sameShape(a, b) || a === b || a.dtype !== 'float32') continue;
    // The later of two convolutions takes the other as its residual: the sum needs both anyway.
    const order = [b, a].filter((value) => residualHost(editor, value, node) !== null);
    order.sort((p, q) => position(editor, q) - position(editor, p));
    const chosen = order[0];
    if (chosen === undefined) continue;
    const host = residualHost(editor, chosen, node)!;
    const other = chosen === a ? b : a;
    if (other.constant) continue;
    const [x, weight, bias = null] = host.inputs;
    editor.fuse(host, node, [x, weight, bias, other], host.attrs);
  }
}

function residualHost(editor: GraphEditor, value: Value, user: GraphNode): GraphNode | null {
  const host = editor.soleProducer(value, user, 'conv');
  if (host === null || (host.attrs as { activation: unknown }).activation || host.inputs[convInputs.residual])
    return null;
  return host;
}

function position(editor: GraphEditor, value: Value): number {
  const node = editor.producer(value);
  return node === null ? -1 : editor.position(node);
}

const sameShape = (a: Value, b: Value): boolean =>
  a.shape.length === b.shape.length && a.shape.every((d, i) => d === b.shape[i]);

/** A zero pad of spatial axes in front of a convolution becomes the convolution's own padding. */
export function fusePad(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes]) {
    if (node.op.name !== 'conv') continue;
    const pad = editor.producer(node.inputs[0]);
    if (pad === null || pad.op.name !== 'pad') continue;
    const { begin, end, mode, value } = pad.attrs as { begin: number[]; end: number[]; mode: string; value: number };
    const spatial =
      begin.every((p, i) => (i >= 2 ? p >= 0 : p === 0)) && end.every((p, i) => (i >= 2 ? p >= 0 : p === 0));
    if (mode !== 'constant' || value !== 0 || !spatial) continue;
    const attrs = node.attrs as { padBegin: number[]; padEnd: number[] };
    const inputs = [pad.inputs[0], ...node.inputs.slice(1)];
    editor.replace(node, 'conv', inputs, {
      ...attrs,
      padBegin: attrs.padBegin.map((p, i) => p + begin[i + 2]),
      padEnd: attrs.padEnd.map((p, i) => p + end[i + 2]),
    });
    editor.removeDead(pad);
  }
}
