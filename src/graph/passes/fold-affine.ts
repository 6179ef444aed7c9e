import { constant, type Tensor } from '../../tensor/tensor.ts';
import { type GraphNode, isOp, type NodeOf, type Value } from '../graph.ts';
import { type GraphEditor, sameShape, scalarOf } from './editor.ts';

/** scale and shift per output channel: y = x·scale[c] + shift[c]. */
interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

const foldable = ['conv', 'convTranspose', 'matmul'] as const;
type Foldable = NodeOf<(typeof foldable)[number]>;

/**
 * Folds a scale and shift of each output channel (batch norm, or multiplications and additions of constants, as some
 * exporters write it) into the weights and bias of the convolution or matmul before it. Jacob et al. 2018, section
 * 3.2 has the formula for batch norm.
 */
export function foldAffine(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes]) {
    const data = dataInput(node);
    const producer = data === null ? null : editor.soleProducer(data, node, ...foldable);
    if (producer === null) continue;
    const [, weight, bias, residual] = producer.inputs;
    const ready =
      weight?.constant && (bias == null || bias.constant) && residual == null && producer.attrs.activation === null;
    if (!ready || weight.dtype !== 'float32' || (isOp(producer, 'matmul') && producer.attrs.alpha !== 1)) continue;
    const channels = outputChannels(producer);
    const affine = channels === null ? null : affineOf(node, data!, channels, producer);
    if (affine === null) continue;
    const folded = foldInto(producer, weight.constant!, bias?.constant ?? null, affine);
    const inputs: (Value | null)[] = [
      producer.inputs[0],
      editor.constant(`${weight.name}·${node.name}`, folded.weight),
      editor.constant(`${producer.name}.bias`, folded.bias),
    ];
    const activation = isOp(node, 'batchNorm') ? node.attrs.activation : null;
    editor.fuse(producer, node, inputs, { ...producer.attrs, activation });
  }
}

/** The input that is computed at run time, if the node may be affine; else null. */
function dataInput(node: GraphNode): Value | null {
  if (node.op.name === 'batchNorm') return node.inputs[0];
  if (!isOp(node, 'add', 'sub', 'mul', 'div') || node.attrs.activation) return null;
  const [a, b] = node.inputs;
  if (b?.constant && !a?.constant) return a;
  return a?.constant && !b?.constant && (node.op.name === 'add' || node.op.name === 'mul') ? b : null;
}

function outputChannels(node: Foldable): number | null {
  const [output] = node.outputs;
  if (!isOp(node, 'matmul')) return output.shape[1];
  const weight = node.inputs[1]!;
  return weight.shape.length === 2 ? weight.shape[node.attrs.transposeB ? 0 : 1] : null;
}

function channelAxis(node: GraphNode): number {
  return node.op.name === 'matmul' ? node.outputs[0].shape.length - 1 : 1;
}

function affineOf(node: GraphNode, data: Value, channels: number, producer: GraphNode): Affine | null {
  if (!sameShape(node.outputs[0], data)) return null;
  if (isOp(node, 'batchNorm')) return producer.op.name === 'matmul' ? null : batchNormAffine(node, channels);
  const operand = node.inputs[0] === data ? node.inputs[1]! : node.inputs[0]!;
  const perChannel = channelValues(operand, node.outputs[0].shape.length, channels, channelAxis(producer));
  if (perChannel === null) return null;
  const values = Float64Array.from(perChannel);
  const ones = new Float64Array(channels).fill(1);
  const zeros = new Float64Array(channels);
  const table: Record<string, () => Affine> = {
    add: () => ({ scale: ones, shift: values }),
    sub: () => ({ scale: ones, shift: values.map((v) => -v) }),
    mul: () => ({ scale: values, shift: zeros }),
    div: () => ({ scale: values.map((v) => 1 / v), shift: zeros }),
  };
  return finite(table[node.op.name]());
}

/** The constant's value per channel if it broadcasts over every other axis; else null. */
function channelValues(value: Value, rank: number, channels: number, axis: number): Float32Array | null {
  const scalar = scalarOf(value);
  if (scalar !== null) return new Float32Array(channels).fill(scalar);
  const at = axis - (rank - value.shape.length);
  const fits = value.shape[at] === channels && value.constant!.size === channels;
  return fits ? (value.constant!.array as Float32Array) : null;
}

function batchNormAffine(node: NodeOf<'batchNorm'>, channels: number): Affine | null {
  const [, weight, bias, mean, variance] = node.inputs;
  if (![weight, bias, mean, variance].every((v) => v === null || v.constant !== null)) return null;
  const { epsilon } = node.attrs;
  const at = (value: Value | null, c: number, absent: number): number => value?.constant?.array[c] ?? absent;
  const scale = new Float64Array(channels);
  const shift = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    scale[c] = at(weight, c, 1) / Math.sqrt(variance!.constant!.array[c] + epsilon);
    shift[c] = at(bias, c, 0) - mean!.constant!.array[c] * scale[c];
  }
  return finite({ scale, shift });
}

/** Infinite factors are not folded: weights of both signs would become ∞ and −∞, whose sum is NaN. */
const finite = (affine: Affine): Affine | null =>
  affine.scale.every(Number.isFinite) && affine.shift.every(Number.isFinite) ? affine : null;

/** Folded weights, so that all plans of a model get the same object, which is packed once. */
const foldedWeights = new WeakMap<Tensor, { key: string; plainBias: Tensor | null; weight: Tensor; bias: Tensor }[]>();

function foldInto(node: Foldable, weight: Tensor, bias: Tensor | null, affine: Affine) {
  // Several nodes may share a weight, so the key has all that the result depends on.
  const columns = isOp(node, 'matmul') && !node.attrs.transposeB;
  const key = `${node.op.name}/${columns}/${affine.scale.join()}/${affine.shift.join()}`;
  const known = foldedWeights.get(weight)?.find((entry) => entry.key === key && entry.plainBias === bias);
  if (known !== undefined) return known;
  const channels = affine.scale.length;
  const source = weight.array as Float32Array;
  const scaled = new Float32Array(source.length);
  const channelOf = weightChannel(node, weight);
  for (let i = 0; i < source.length; i++) scaled[i] = source[i] * affine.scale[channelOf(i)];
  const shifted = new Float32Array(channels);
  for (let c = 0; c < channels; c++) shifted[c] = (bias?.array[c] ?? 0) * affine.scale[c] + affine.shift[c];
  const entry = { key, plainBias: bias, weight: constant(scaled, weight.shape), bias: constant(shifted, [channels]) };
  foldedWeights.set(weight, [...(foldedWeights.get(weight) ?? []), entry]);
  return entry;
}

/** The output channel of element i of the weight. */
function weightChannel(node: Foldable, weight: Tensor): (i: number) => number {
  const { shape, size } = weight;
  if (isOp(node, 'conv')) {
    const each = size / shape[0];
    return (i) => Math.floor(i / each);
  }
  if (isOp(node, 'convTranspose')) {
    const { groups } = node.attrs;
    const perGroup = shape[1];
    const each = size / (shape[0] * perGroup);
    const inputsPerGroup = shape[0] / groups;
    return (i) => {
      const o = Math.floor(i / each) % perGroup;
      const group = Math.floor(Math.floor(i / (each * perGroup)) / inputsPerGroup);
      return group * perGroup + o;
    };
  }
  const transposeB = isOp(node, 'matmul') && node.attrs.transposeB;
  return transposeB ? (i) => Math.floor(i / shape[1]) : (i) => i % shape[1];
}
