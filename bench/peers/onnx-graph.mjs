// An ONNX file as a plain list of nodes, for engines that have no ONNX reader (tfjs, LiteRT).
import { readFileSync } from 'node:fs';
import { parseModel } from '../../build/io/onnx/model.js';
import { decodeTensor } from '../../build/io/onnx/tensor.js';

const attributeValue = {
  FLOAT: (a) => a.f,
  INT: (a) => a.i,
  STRING: (a) => a.s,
  TENSOR: (a) => decodeTensor(a.t),
  FLOATS: (a) => a.floats,
  INTS: (a) => a.ints,
};

/**
 * `nodes`: { op, inputs, output, attrs, activation }, in order, without Constant and Identity of constants;
 * `constants`: name → { shape, data }; `input` and `output`: names. `activation` is 'linear', 'relu' or 'relu6': a Relu or Clip(0, 6)
 * that is the only reader of the result of one of `fusable` ops becomes that node's activation.
 */
export function readGraph(path, fusable) {
  const { graph } = parseModel(readFileSync(path));
  const constants = new Map([...graph.initializers].map(([name, tensor]) => [name, decodeTensor(tensor)]));
  const nodes = [];
  for (const { opType, inputs, outputs, attributes } of graph.nodes) {
    const attrs = Object.fromEntries([...attributes].map(([name, a]) => [name, attributeValue[a.type]?.(a)]));
    if (opType === 'Constant') constants.set(outputs[0], attrs.value);
    else if (opType === 'Identity' && constants.has(inputs[0])) constants.set(outputs[0], constants.get(inputs[0]));
    else nodes.push({ op: opType, inputs: [...inputs], output: outputs[0], attrs, activation: 'linear' });
  }
  const input = graph.inputs.find(({ name }) => !graph.initializers.has(name)).name;
  const output = graph.outputs[0].name;
  return { nodes: fuseActivations(nodes, constants, fusable, output), constants, input, output };
}

function fuseActivations(nodes, constants, fusable, output) {
  const readers = new Map();
  for (const node of nodes) {
    for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const fused = new Set();
  for (const node of nodes) {
    const [next, ...others] = readers.get(node.output) ?? [];
    if (!fusable.includes(node.op) || next === undefined || others.length > 0 || node.output === output) continue;
    const activation = activationOf(next, constants);
    if (activation === null) continue;
    node.activation = activation;
    node.output = next.output;
    fused.add(next);
  }
  return nodes.filter((node) => !fused.has(node));
}

function activationOf({ op, inputs }, constants) {
  if (op === 'Relu') return 'relu';
  const [low, high] = inputs.slice(1).map((name) => constants.get(name)?.data[0]);
  return op === 'Clip' && low === 0 && high === 6 ? 'relu6' : null;
}

/** [top, left, bottom, right] of a node with a 2-d window, including the rows that ceil_mode adds at the end. */
export function windowPads({ attrs }, [height, width], kernel) {
  const [top, left, bottom, right] = attrs.pads ?? [0, 0, 0, 0];
  if (!attrs.ceil_mode) return [top, left, bottom, right];
  const [strideH, strideW] = attrs.strides ?? [1, 1];
  const behind = (size, front, back, k, stride) => {
    const outputs = Math.ceil((size + front + back - k) / stride) + 1;
    return Math.max(back, (outputs - 1) * stride + k - size - front);
  };
  return [top, left, behind(height, top, bottom, kernel[0], strideH), behind(width, left, right, kernel[1], strideW)];
}

/** Height and width of a Resize node's output; throws if they are not constant. */
export function resizedSize({ inputs }, constants, [height, width]) {
  const scales = constants.get(inputs[2])?.data;
  const sizes = constants.get(inputs[3])?.data;
  if (sizes?.length === 4) return [sizes[2], sizes[3]];
  if (scales?.length === 4) return [Math.floor(height * scales[2]), Math.floor(width * scales[3])];
  throw new Error('Resize: the size is computed at run time');
}
