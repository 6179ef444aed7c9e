import type { UnaryKind } from '../../backend/prims/elementwise.ts';
import { dtypes } from '../../common/dtype.ts';
import type { UnaryOpAttrs } from '../../ops/elementwise/attrs.ts';
import { activation } from '../../ops/elementwise/unary.ts';
import type { GraphNode, NodeOf, Value } from '../graph.ts';
import { type GraphEditor, sameShape, scalarOf, scalarOperand } from './editor.ts';

const near = (a: number | null, b: number): boolean => a !== null && Math.abs(a - b) <= 1e-4 * Math.abs(b);

/** A rule looks at one node and may rewrite the graph around it. */
type Rule = (editor: GraphEditor, node: GraphNode) => void;

/** Replaces compositions that exporters write for named activations by those activations. */
export function recognisePatterns(editor: GraphEditor): void {
  for (const rule of [
    clipFromBounds,
    hardSigmoidFromClip,
    gatedActivation,
    hardSwishFromClip,
    geluFromErf,
    scaleAndShift,
  ]) {
    for (const node of [...editor.graph.nodes]) {
      if (editor.has(node)) rule(editor, node);
    }
    editor.compact();
  }
}

function rewrite(editor: GraphEditor, node: GraphNode, op: UnaryKind, input: Value, attrs: UnaryOpAttrs): void {
  const [y] = node.outputs;
  // If constants have more axes than x, so has the result; quotients of integers are rounded.
  if (!sameShape(input, y) || (op !== 'clip' && dtypes[y.dtype].kind !== 'float')) return;
  const feeders = node.inputs.map((value) => editor.producer(value));
  editor.replace(node, op, [input], attrs);
  for (const feeder of feeders) if (feeder !== null) editor.removeDead(feeder);
}

/** min(relu(x), 6) → clip(x, 0, 6). */
const clipFromBounds: Rule = (editor, node) => {
  if (node.op.name !== 'min') return;
  const bound = scalarOperand(node);
  const relu = bound === null ? null : editor.soleProducer(bound.other, node, 'relu');
  if (bound === null || relu === null || bound.scalar < 0) return;
  return rewrite(editor, node, 'clip', relu.inputs[0]!, { alpha: 0, beta: bound.scalar });
};

/** clip(x + 3, 0, 6) / 6 → hardSigmoid(x, 1/6, 1/2). */
const hardSigmoidFromClip: Rule = (editor, node) => {
  const inner = dividedBySix(node);
  const clip = inner === null ? null : editor.soleProducer(inner, node, 'clip');
  const x = clip === null ? null : clippedPlusThree(editor, clip);
  if (x !== null) rewrite(editor, node, 'hardSigmoid', x, { alpha: 1 / 6, beta: 0.5 });
};

/** x · gate(x) → the activation of that name, such as silu. */
const gatedActivation: Rule = (editor, node) => {
  if (node.op.name !== 'mul') return;
  for (const [x, gated] of pairs(node)) {
    const gate = editor.soleProducer(gated, node, 'sigmoid', 'hardSigmoid', 'tanh');
    if (gate === null) continue;
    if (gate.op.name === 'tanh') {
      const softplus = editor.soleProducer(gate.inputs[0], gate, 'softplus');
      if (softplus === null || softplus.inputs[0] !== x || !isPlainSoftplus(softplus)) continue;
      return rewrite(editor, node, 'mish', x, {});
    }
    if (gate.inputs[0] !== x) continue;
    if (gate.op.name === 'sigmoid') return rewrite(editor, node, 'silu', x, {});
    const { alpha = 0.2, beta = 0.5 } = gate.attrs;
    if (near(alpha, 1 / 6) && beta === 0.5) return rewrite(editor, node, 'hardSwish', x, {});
  }
};

/** x · clip(x + 3, 0, 6) / 6 → hardSwish(x) (Howard et al. 2019), divided before or after the product. */
const hardSwishFromClip: Rule = (editor, node) => {
  const product = dividedBySix(node);
  const mul = product === null ? null : editor.soleProducer(product, node, 'mul');
  if (mul === null) return;
  for (const [x, gated] of pairs(mul)) {
    const clip = editor.soleProducer(gated, mul, 'clip');
    if (clip !== null && clippedPlusThree(editor, clip) === x) return rewrite(editor, node, 'hardSwish', x, {});
  }
};

/** x · ½ · (1 + erf(x / √2)) in any order of the products → gelu(x) (Hendrycks & Gimpel 2016). */
const geluFromErf: Rule = (editor, node) => {
  if (node.op.name !== 'mul') return;
  const factors = productFactors(editor, node);
  const scalar = factors.reduce((p, f) => p * (scalarOf(f) ?? 1), 1);
  const others = factors.filter((f) => scalarOf(f) === null);
  if (!near(scalar, 0.5) || others.length !== 2) return;
  for (const [x, sum] of [others, [...others].reverse()]) {
    const add = editor.producer(sum);
    const one = add?.op.name === 'add' ? scalarOperand(add) : null;
    const erf = one !== null && near(one.scalar, 1) ? editor.producer(one.other) : null;
    const scaled = erf?.op.name === 'erf' ? editor.producer(erf.inputs[0]) : null;
    if (scaled === null || scaled.inputs[0] !== x) continue;
    const by = scalarOf(scaled.inputs[1]);
    const root = scaled.op.name === 'div' ? near(by, Math.SQRT2) : scaled.op.name === 'mul' && near(by, Math.SQRT1_2);
    if (root && editor.onlyUser(add!.outputs[0]) !== null) return rewrite(editor, node, 'gelu', x, {});
  }
};

/** x · s + t with scalars → linear(x, s, t): one pass instead of two. */
const scaleAndShift: Rule = (editor, node) => {
  if (node.op.name !== 'add' || node.outputs[0].dtype !== 'float32') return;
  const shift = scalarOperand(node);
  const mul = shift === null ? null : editor.soleProducer(shift.other, node, 'mul');
  const scale = mul === null ? null : scalarOperand(mul);
  if (shift === null || scale === null) return;
  return rewrite(editor, node, 'linear', scale.other, { alpha: scale.scalar, beta: shift.scalar });
};

/** Whether a softplus is ln(1 + exp(x)). A threshold of 20 or more makes no difference: above 20 softplus is x in single precision. */
function isPlainSoftplus({ attrs }: NodeOf<'softplus'>): boolean {
  const { alpha, beta } = activation('softplus', attrs);
  return alpha === 1 && beta >= 20;
}

function dividedBySix(node: GraphNode): Value | null {
  if (node.op.name === 'div') return near(scalarOf(node.inputs[1]), 6) ? node.inputs[0] : null;
  const operand = node.op.name === 'mul' ? scalarOperand(node) : null;
  return operand !== null && near(operand.scalar, 1 / 6) ? operand.other : null;
}

/** x of clip(x + 3, 0, 6). */
function clippedPlusThree(editor: GraphEditor, clip: NodeOf<'clip'>): Value | null {
  const { alpha, beta } = clip.attrs;
  if (alpha !== 0 || beta !== 6) return null;
  const add = editor.soleProducer(clip.inputs[0], clip, 'add');
  const operand = add === null ? null : scalarOperand(add);
  return operand !== null && operand.scalar === 3 ? operand.other : null;
}

function pairs(node: GraphNode): [Value, Value][] {
  const [a, b] = node.inputs as [Value, Value];
  return [
    [a, b],
    [b, a],
  ];
}

/** The factors of a chain of products, at most three levels deep, whose intermediate results have no other users. */
function productFactors(editor: GraphEditor, node: GraphNode, depth = 0): Value[] {
  return node.inputs.flatMap((value) => {
    const inner = depth < 2 ? editor.soleProducer(value, node, 'mul') : null;
    return inner === null ? [value!] : productFactors(editor, inner, depth + 1);
  });
}
