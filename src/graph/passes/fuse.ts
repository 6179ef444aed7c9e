import { activationHosts } from '../../backend/prim-traits.ts';
import { convInputs } from '../../backend/prims/conv.ts';
import { activationKinds } from '../../backend/prims/elementwise.ts';
import { activation } from '../../ops/elementwise/unary.ts';
import { type GraphNode, isOp, type NodeOf, type Value } from '../graph.ts';
import { type GraphEditor, sameShape } from './editor.ts';

/** The activations that kernels apply to their results. Not identity, which would keep another activation from being fused. */
const fusible = activationKinds.filter((kind) => kind !== 'identity');

/** conv → unary becomes conv with an activation. */
export function fuseActivation(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes]) {
    if (!isOp(node, ...fusible)) continue;
    const host = editor.soleProducer(node.inputs[0], node, ...activationHosts);
    if (host === null || node.outputs[0].dtype !== 'float32') continue;
    if (host.attrs.activation) continue;
    const fused = activation(node.op.name as (typeof fusible)[number], node.attrs);
    editor.fuse(host, node, host.inputs, { ...host.attrs, activation: fused });
  }
}

/** add(conv(x), y) becomes conv with y as its residual input, at the position of the sum. */
export function fuseResidual(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes]) {
    if (!isOp(node, 'add') || node.attrs.activation) continue;
    const [a, b] = node.inputs as [Value, Value];
    if (!sameShape(a, b) || a === b || a.dtype !== 'float32') continue;
    // Of two convolutions the later one takes the result of the other as its residual.
    const hosts = [b, a].flatMap((value) => residualHost(editor, value, node) ?? []);
    const [host] = hosts.sort((p, q) => editor.position(q) - editor.position(p));
    if (host === undefined) continue;
    const other = host.outputs[0] === a ? b : a;
    if (other.constant) continue;
    const [x, weight, bias = null] = host.inputs;
    editor.fuse(host, node, [x, weight, bias, other], host.attrs);
  }
}

function residualHost(editor: GraphEditor, value: Value, user: GraphNode): NodeOf<'conv'> | null {
  const host = editor.soleProducer(value, user, 'conv');
  if (host === null || host.attrs.activation || host.inputs[convInputs.residual]) return null;
  return host;
}

/** A zero padding of spatial axes before a convolution becomes padding of the convolution. */
export function fusePad(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes]) {
    if (!isOp(node, 'conv')) continue;
    const pad = editor.producer(node.inputs[0]);
    if (pad === null || !isOp(pad, 'pad')) continue;
    const { begin, end, mode, value } = pad.attrs;
    const spatial =
      begin.every((p, i) => (i >= 2 ? p >= 0 : p === 0)) && end.every((p, i) => (i >= 2 ? p >= 0 : p === 0));
    if (mode !== 'constant' || value !== 0 || !spatial) continue;
    const inputs = [pad.inputs[0], ...node.inputs.slice(1)];
    editor.replace(node, 'conv', inputs, {
      ...node.attrs,
      padBegin: node.attrs.padBegin.map((p, i) => p + begin[i + 2]),
      padEnd: node.attrs.padEnd.map((p, i) => p + end[i + 2]),
    });
    editor.removeDead(pad);
  }
}
