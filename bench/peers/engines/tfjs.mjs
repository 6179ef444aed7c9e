// TensorFlow.js does not read ONNX files: this adapter runs the graph node by node with tfjs ops, channels last, with bias and
// activation fused into convolution and dense layers, as tfjs's own converter would.
import { createRequire } from 'node:module';
import { channelsLastShape, toChannelsLast, toRows } from '../layout.mjs';
import { readGraph, resizedSize, windowPads } from '../onnx-graph.mjs';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');

export async function create({ modelPath, input, outputShape, backend }) {
  if (backend === 'wasm') require('@tensorflow/tfjs-backend-wasm');
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend '${backend}' here`);
  await tf.ready();
  const net = new Network(readGraph(modelPath, ['Conv', 'Gemm']));
  const x = tf.tensor(toChannelsLast(input.data, input.shape), channelsLastShape(input.shape));
  return {
    async run() {
      const y = net.run(x);
      const result = y.dataSync();
      y.dispose();
      return result;
    },
    rows: (result) => toRows(result, outputShape),
    dispose() {
      net.dispose();
      x.dispose();
    },
  };
}

/** One step per node: a function of the node's run-time inputs. Tensors are freed after their last reader. */
class Network {
  #kept = [];
  #steps;
  #graph;

  constructor(graph) {
    this.#graph = graph;
    const lastReader = new Map();
    for (const node of graph.nodes) for (const name of node.inputs) lastReader.set(name, node);
    this.#steps = graph.nodes.map((node) => {
      const make = ops[node.op];
      if (make === undefined) throw new Error(`op ${node.op} is not in the table of engines/tfjs.mjs`);
      const sources = node.inputs.filter((name) => name !== '' && !graph.constants.has(name));
      const done = [...new Set(sources)].filter((name) => lastReader.get(name) === node && name !== graph.input);
      return { sources, done, output: node.output, compute: make(node, this) };
    });
  }

  run(x) {
    return tf.tidy(() => {
      const values = new Map([[this.#graph.input, x]]);
      for (const { sources, done, output, compute } of this.#steps) {
        values.set(
          output,
          tf.tidy(() => compute(...sources.map((name) => values.get(name)))),
        );
        for (const name of done) values.get(name).dispose();
      }
      return values.get(this.#graph.output);
    });
  }

  dispose() {
    for (const tensor of this.#kept) tensor.dispose();
  }

  get constants() {
    return this.#graph.constants;
  }

  /** A weight as a tensor with permuted axes; undefined for an absent input. */
  weight(name, perm) {
    const value = this.constants.get(name);
    if (value === undefined) return undefined;
    const tensor = tf.tidy(() => {
      const plain = tf.tensor(value.data, value.shape);
      return perm === undefined ? plain : tf.transpose(plain, perm);
    });
    this.#kept.push(tensor);
    return tensor;
  }
}

const explicit = ([top, left, bottom, right]) =>
  top + left + bottom + right === 0
    ? 'valid'
    : [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ];
const spatial = (x) => x.shape.slice(1, 3);

/** ONNX op → (node, network) → function of tensors. */
const ops = {
  Conv(node, net) {
    const { strides = [1, 1], dilations = [1, 1], group = 1, pads = [0, 0, 0, 0] } = node.attrs;
    const [outChannels, perGroup] = net.constants.get(node.inputs[1]).shape;
    const depthwise = group > 1 && perGroup === 1 && group === outChannels;
    if (group > 1 && !depthwise) throw new Error(`Conv: tfjs has no grouped convolution (${group} groups)`);
    const settings = {
      filter: net.weight(node.inputs[1], depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]),
      bias: net.weight(node.inputs[2]),
      strides,
      pad: explicit(pads),
      dilations,
      activation: node.activation,
    };
    const fused = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
    return (x) => fused({ x, ...settings });
  },
  ConvTranspose(node, net) {
    const { strides = [1, 1], pads = [0, 0, 0, 0] } = node.attrs;
    const [, outChannels, kernelH, kernelW] = net.constants.get(node.inputs[1]).shape;
    const filter = net.weight(node.inputs[1], [2, 3, 1, 0]);
    const bias = net.weight(node.inputs[2]);
    return (x) => {
      const [height, width] = spatial(x);
      const outHeight = (height - 1) * strides[0] + kernelH - pads[0] - pads[2];
      const outWidth = (width - 1) * strides[1] + kernelW - pads[1] - pads[3];
      const shape = [x.shape[0], outHeight, outWidth, outChannels];
      const y = tf.conv2dTranspose(x, filter, shape, strides, explicit(pads));
      return bias === undefined ? y : tf.add(y, bias);
    };
  },
  Gemm(node, net) {
    const { transB = 0, transA = 0, alpha = 1, beta = 1 } = node.attrs;
    if (transA || alpha !== 1 || beta !== 1) throw new Error('Gemm: only x · W + b is in the table');
    const b = net.weight(node.inputs[1], transB ? [1, 0] : undefined);
    const bias = net.weight(node.inputs[2]);
    return (a) => tf.fused.matMul({ a, b, bias, activation: node.activation });
  },
  MatMul(node, net) {
    const b = net.weight(node.inputs[1]);
    return (a) => tf.matMul(a, b);
  },
  MaxPool: (node) => (x) => {
    const { kernel_shape: kernel, strides = [1, 1] } = node.attrs;
    return tf.maxPool(x, kernel, strides, explicit(windowPads(node, spatial(x), kernel)));
  },
  AveragePool: (node) => (x) => {
    const { kernel_shape: kernel, strides = [1, 1] } = node.attrs;
    return tf.avgPool(x, kernel, strides, explicit(windowPads(node, spatial(x), kernel)));
  },
  GlobalAveragePool: () => (x) => tf.mean(x, [1, 2], true),
  BatchNormalization(node, net) {
    const [scale, offset, mean, variance] = node.inputs.slice(1).map((name) => net.weight(name));
    return (x) => tf.batchNorm(x, mean, variance, offset, scale, node.attrs.epsilon ?? 1e-5);
  },
  Relu: () => tf.relu,
  Sigmoid: () => tf.sigmoid,
  Softmax: () => (x) => tf.softmax(x),
  Clip(node, net) {
    const [low, high] = node.inputs.slice(1).map((name) => net.constants.get(name).data[0]);
    return (x) => tf.clipByValue(x, low, high);
  },
  HardSigmoid(node, net) {
    const { alpha = 0.2, beta = 0.5 } = node.attrs;
    net.constants.set(`${node.output} alpha`, { shape: [], data: Float32Array.of(alpha) });
    net.constants.set(`${node.output} beta`, { shape: [], data: Float32Array.of(beta) });
    const factor = net.weight(`${node.output} alpha`);
    const offset = net.weight(`${node.output} beta`);
    return (x) => tf.clipByValue(tf.add(tf.mul(x, factor), offset), 0, 1);
  },
  Add: () => tf.add,
  Mul: () => tf.mul,
  Concat: (node) => {
    if (node.attrs.axis !== 1) throw new Error(`Concat: axis ${node.attrs.axis} is not in the table`);
    return (...parts) => tf.concat(parts, 3);
  },
  Flatten: () => (x) => {
    const rows = x.shape[1] * x.shape[2] === 1 ? x : tf.transpose(x, [0, 3, 1, 2]);
    return tf.reshape(rows, [x.shape[0], -1]);
  },
  Pad(node, net) {
    const pads = node.attrs.pads ?? net.constants.get(node.inputs[1]).data;
    if (pads.some((p) => p !== 0)) throw new Error('Pad: not in the table');
    return (x) => x.clone();
  },
  Resize(node, net) {
    const { mode, coordinate_transformation_mode: coordinates } = node.attrs;
    const resize = { linear: tf.image.resizeBilinear, nearest: tf.image.resizeNearestNeighbor }[mode];
    if (resize === undefined) throw new Error(`Resize: tfjs has no mode '${mode}'`);
    const halfPixel = mode === 'linear' && coordinates !== 'align_corners';
    return (x) => resize(x, resizedSize(node, net.constants, spatial(x)), coordinates === 'align_corners', halfPixel);
  },
};
