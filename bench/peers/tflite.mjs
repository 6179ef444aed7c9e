// Writes an ONNX graph as a .tflite file (float32, channels last), with bias and activation fused into convolution, dense and
// sum, as TensorFlow's converter would. Field numbers are those of the public TFLite schema (version 3).
import { Builder } from 'flatbuffers';
import { channelsLastShape, permute } from './layout.mjs';
import { readGraph, resizedSize, windowPads } from './onnx-graph.mjs';

/** Operator → code in BuiltinOperator, number in the union BuiltinOptions, fields of its options table in order. */
const operators = {
  ADD: [0, 11, ['activation:Int8']],
  AVERAGE_POOL_2D: [1, 5, ['padding:Int8', 'strideW:Int32', 'strideH:Int32', 'kernelW:Int32', 'kernelH:Int32']],
  CONCATENATION: [2, 10, ['axis:Int32']],
  CONV_2D: [
    3,
    1,
    ['padding:Int8', 'strideW:Int32', 'strideH:Int32', 'activation:Int8', 'dilationW:Int32', 'dilationH:Int32'],
  ],
  DEPTHWISE_CONV_2D: [
    4,
    2,
    [
      'padding:Int8',
      'strideW:Int32',
      'strideH:Int32',
      'multiplier:Int32',
      'activation:Int8',
      'dilationW:Int32',
      'dilationH:Int32',
    ],
  ],
  FULLY_CONNECTED: [9, 8, ['activation:Int8']],
  LOGISTIC: [14, 0, []],
  MAX_POOL_2D: [17, 5, ['padding:Int8', 'strideW:Int32', 'strideH:Int32', 'kernelW:Int32', 'kernelH:Int32']],
  MUL: [18, 21, ['activation:Int8']],
  RELU: [19, 0, []],
  RELU6: [21, 0, []],
  RESHAPE: [22, 17, []],
  RESIZE_BILINEAR: [23, 15, ['-', '-', 'alignCorners:Int8', 'halfPixelCenters:Int8']],
  SOFTMAX: [25, 9, ['beta:Float32']],
  PAD: [34, 22, []],
  TRANSPOSE: [39, 26, []],
  MEAN: [40, 27, ['keepDims:Int8']],
  PADV2: [60, 43, []],
  RESIZE_NEAREST_NEIGHBOR: [97, 74, ['alignCorners:Int8', 'halfPixelCenters:Int8']],
};
const activations = { linear: 0, relu: 1, relu6: 3 };
const padding = { same: 0, valid: 1 };
const float32 = 0;
const int32 = 2;

export function writeTflite(modelPath, inputShape) {
  const graph = readGraph(modelPath, ['Conv', 'Gemm', 'Add']);
  const model = new Draft(graph);
  model.values.set(graph.input, model.tensor(channelsLastShape(inputShape)));
  for (const node of graph.nodes) {
    const make = ops[node.op];
    if (make === undefined) throw new Error(`op ${node.op} is not in the table of tflite.mjs`);
    model.values.set(node.output, make(model, node));
    if (node.op === 'Relu' || node.activation !== 'linear') model.nonNegative.add(node.output);
  }
  return model.finish(model.values.get(graph.input), model.values.get(graph.output));
}

/** Tensors, operators and buffers, before they are written. The format requires an empty buffer 0. */
class Draft {
  tensors = [];
  operations = [];
  buffers = [null];
  /** ONNX name → tensor number. */
  values = new Map();
  /** ONNX names of results that are not negative, such as those of a Relu: padding them with zeros does not change a maximum. */
  nonNegative = new Set();

  constructor({ constants }) {
    this.constants = constants;
  }

  tensor(shape, data = null) {
    if (data !== null) this.buffers.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    const buffer = data === null ? 0 : this.buffers.length - 1;
    this.tensors.push({ shape, buffer, type: data instanceof Int32Array ? int32 : float32 });
    return this.tensors.length - 1;
  }

  ints(...values) {
    return this.tensor([values.length], Int32Array.from(values));
  }

  /** The number of the new operator's result. */
  emit(name, inputs, shape, options = {}) {
    const output = this.tensor(shape);
    this.operations.push({ name, inputs, output, options });
    return output;
  }

  /** The input of a node: a result, or a constant with channels last. */
  source(name) {
    const known = this.values.get(name);
    if (known !== undefined) return known;
    const { shape, data } = this.constants.get(name);
    return this.tensor(channelsLastShape(shape), shape.length === 4 ? permute(data, shape, [0, 2, 3, 1]) : data);
  }

  shapeOf(tensor) {
    return this.tensors[tensor].shape;
  }

  /** x padded with zeros, or with values that never win a maximum. */
  pad(x, [top, left, bottom, right], lowest = false) {
    const [n, h, w, c] = this.shapeOf(x);
    const amounts = this.tensor([4, 2], Int32Array.of(0, 0, top, bottom, left, right, 0, 0));
    const shape = [n, h + top + bottom, w + left + right, c];
    if (!lowest) return this.emit('PAD', [x, amounts], shape);
    return this.emit('PADV2', [x, amounts, this.tensor([1], Float32Array.of(-3.4028234663852886e38))], shape);
  }

  finish(input, output) {
    const bytes = this.buffers.reduce((sum, buffer) => sum + (buffer?.byteLength ?? 0), 0);
    const b = new Builder(bytes + 64 * (this.tensors.length + this.operations.length) + 2 ** 16);
    b.forceDefaults(true);
    const table = (fields) => {
      b.startObject(fields.length);
      fields.forEach((field, i) => {
        if (field === null) return;
        const [kind, value] = field;
        b[`addField${kind}`](i, value, 0);
      });
      return b.endObject();
    };
    const vector = (values, kind) => {
      b.startVector(4, values.length, 4);
      for (let i = values.length - 1; i >= 0; i--) b[`add${kind}`](values[i]);
      return ['Offset', b.endVector()];
    };
    const text = (value) => ['Offset', b.createString(value)];
    const buffers = this.buffers.map((data) => {
      if (data === null) return table([null]);
      b.startVector(1, data.byteLength, 16);
      b.space -= data.byteLength; // as a whole: the builder's own way is byte by byte
      b.bb.bytes().set(data, b.space);
      return table([['Offset', b.endVector()]]);
    });
    const tensors = this.tensors.map(({ shape, type, buffer }, i) =>
      table([vector(shape, 'Int32'), ['Int8', type], ['Int32', buffer], text(`t${i}`)]),
    );
    const used = [...new Set(this.operations.map(({ name }) => name))];
    const codes = used.map((name) => {
      const [code] = operators[name];
      return table([['Int8', Math.min(code, 127)], null, ['Int32', 1], ['Int32', code]]);
    });
    const operations = this.operations.map(({ name, inputs, output: result, options }) => {
      const [, union, fields] = operators[name];
      const settings = fields.map((field) => {
        const [key, kind] = field.split(':');
        return kind === undefined ? null : [kind, Number(options[key] ?? 0)];
      });
      const own = union === 0 ? null : ['Offset', table(settings)];
      return table([
        ['Int32', used.indexOf(name)],
        vector(inputs, 'Int32'),
        vector([result], 'Int32'),
        own && ['Int8', union],
        own,
      ]);
    });
    const subgraph = table([
      vector(tensors, 'Offset'),
      vector([input], 'Int32'),
      vector([output], 'Int32'),
      vector(operations, 'Offset'),
      text('main'),
    ]);
    const model = table([
      ['Int32', 3],
      vector(codes, 'Offset'),
      vector([subgraph], 'Offset'),
      text('bench'),
      vector(buffers, 'Offset'),
    ]);
    b.finish(model, 'TFL3');
    return b.asUint8Array();
  }
}

const outputSize = (size, front, back, extent, stride) => Math.floor((size + front + back - extent) / stride) + 1;

function convolution(model, node) {
  const { strides = [1, 1], dilations = [1, 1], group = 1, pads = [0, 0, 0, 0] } = node.attrs;
  const { shape, data } = model.constants.get(node.inputs[1]);
  const [outChannels, perGroup, kernelH, kernelW] = shape;
  const depthwise = group > 1 && perGroup === 1 && group === outChannels;
  let x = model.source(node.inputs[0]);
  const [n, h, w] = model.shapeOf(x);
  const outH = outputSize(h, pads[0], pads[2], (kernelH - 1) * dilations[0] + 1, strides[0]);
  const outW = outputSize(w, pads[1], pads[3], (kernelW - 1) * dilations[1] + 1, strides[1]);
  const padded = pads.some((p) => p > 0);
  const same = padded && strides.every((s) => s === 1) && outH === h && outW === w;
  if (padded && !same) x = model.pad(x, pads);
  const filter = depthwise
    ? model.tensor([1, kernelH, kernelW, outChannels], permute(data, shape, [1, 2, 3, 0]))
    : model.tensor([outChannels, kernelH, kernelW, perGroup], permute(data, shape, [0, 2, 3, 1]));
  const bias = model.constants.get(node.inputs[2])?.data ?? new Float32Array(outChannels);
  return model.emit(
    depthwise ? 'DEPTHWISE_CONV_2D' : 'CONV_2D',
    [x, filter, model.tensor([outChannels], bias)],
    [n, outH, outW, outChannels],
    {
      padding: same ? padding.same : padding.valid,
      strideH: strides[0],
      strideW: strides[1],
      dilationH: dilations[0],
      dilationW: dilations[1],
      multiplier: 1,
      activation: activations[node.activation],
    },
  );
}

const pool = (operator) => (model, node) => {
  const { kernel_shape: kernel, strides = [1, 1] } = node.attrs;
  let x = model.source(node.inputs[0]);
  const [, height, width] = model.shapeOf(x);
  const pads = windowPads(node, [height, width], kernel);
  if (pads.some((p) => p > 0)) {
    x = model.pad(x, pads, operator === 'MAX_POOL_2D' && !model.nonNegative.has(node.inputs[0]));
  }
  const [n, h, w, c] = model.shapeOf(x);
  const shape = [n, outputSize(h, 0, 0, kernel[0], strides[0]), outputSize(w, 0, 0, kernel[1], strides[1]), c];
  return model.emit(operator, [x], shape, {
    padding: padding.valid,
    strideH: strides[0],
    strideW: strides[1],
    kernelH: kernel[0],
    kernelW: kernel[1],
  });
};

function dense(model, node) {
  const x = model.source(node.inputs[0]);
  const { shape, data } = model.constants.get(node.inputs[1]);
  const transposed = node.op === 'Gemm' && node.attrs.transB === 1;
  const [inputs, outputs] = transposed ? [shape[1], shape[0]] : shape;
  const weights = model.tensor([outputs, inputs], transposed ? data : permute(data, shape, [1, 0]));
  const bias = model.constants.get(node.inputs[2])?.data ?? new Float32Array(outputs);
  const activation = activations[node.activation];
  const sources = [x, weights, model.tensor([outputs], bias)];
  return model.emit('FULLY_CONNECTED', sources, [model.shapeOf(x)[0], outputs], { activation });
}

const elementwise = (operator) => (model, node) => {
  const sources = node.inputs.map((name) => model.source(name));
  const [a, b] = sources.map((source) => model.shapeOf(source));
  const shape = a.map((d, i) => Math.max(d, b[i] ?? 1));
  return model.emit(operator, sources, shape, { activation: activations[node.activation] });
};

const unary =
  (operator, options = {}) =>
  (model, node) => {
    const x = model.source(node.inputs[0]);
    return model.emit(operator, [x], model.shapeOf(x), options);
  };

/** ONNX op → (draft, node) → number of the result. */
const ops = {
  Conv: convolution,
  Gemm: dense,
  MatMul: dense,
  MaxPool: pool('MAX_POOL_2D'),
  AveragePool: pool('AVERAGE_POOL_2D'),
  Add: elementwise('ADD'),
  Mul: elementwise('MUL'),
  Relu: unary('RELU'),
  Sigmoid: unary('LOGISTIC'),
  Softmax: unary('SOFTMAX', { beta: 1 }),
  GlobalAveragePool(model, node) {
    const x = model.source(node.inputs[0]);
    const [n, , , c] = model.shapeOf(x);
    return model.emit('MEAN', [x, model.ints(1, 2)], [n, 1, 1, c], { keepDims: 1 });
  },
  /** TFLite has no such op: relu6(x + 3) / 6, for the only slope that networks use. */
  HardSigmoid(model, node) {
    const { alpha = 0.2, beta = 0.5 } = node.attrs;
    if (Math.abs(alpha - 1 / 6) > 1e-4 || beta !== 0.5)
      throw new Error(`HardSigmoid: slope ${alpha} is not in the table`);
    const x = model.source(node.inputs[0]);
    const shape = model.shapeOf(x);
    const scalar = (value) => model.tensor([1], Float32Array.of(value));
    const clipped = model.emit('ADD', [x, scalar(3)], shape, { activation: activations.relu6 });
    return model.emit('MUL', [clipped, scalar(1 / 6)], shape);
  },
  BatchNormalization(model, node) {
    const [scale, offset, mean, variance] = node.inputs.slice(1).map((name) => model.constants.get(name).data);
    const factor = scale.map((s, i) => s / Math.sqrt(variance[i] + (node.attrs.epsilon ?? 1e-5)));
    const shift = offset.map((o, i) => o - mean[i] * factor[i]);
    const x = model.source(node.inputs[0]);
    const shape = model.shapeOf(x);
    const scaled = model.emit('MUL', [x, model.tensor([factor.length], factor)], shape);
    return model.emit('ADD', [scaled, model.tensor([shift.length], shift)], shape);
  },
  Concat(model, node) {
    if (node.attrs.axis !== 1) throw new Error(`Concat: axis ${node.attrs.axis} is not in the table`);
    const parts = node.inputs.map((name) => model.source(name));
    const [n, h, w] = model.shapeOf(parts[0]);
    const channels = parts.reduce((sum, part) => sum + model.shapeOf(part)[3], 0);
    return model.emit('CONCATENATION', parts, [n, h, w, channels], { axis: 3 });
  },
  Flatten(model, node) {
    let x = model.source(node.inputs[0]);
    const [n, h, w, c] = model.shapeOf(x);
    if (h * w > 1) x = model.emit('TRANSPOSE', [x, model.ints(0, 3, 1, 2)], [n, c, h, w]);
    return model.emit('RESHAPE', [x, model.ints(n, h * w * c)], [n, h * w * c]);
  },
  Pad(model, node) {
    const pads = node.attrs.pads ?? model.constants.get(node.inputs[1]).data;
    if (pads.some((p) => p !== 0)) throw new Error('Pad: not in the table');
    return model.source(node.inputs[0]);
  },
  Resize(model, node) {
    const { mode, coordinate_transformation_mode: coordinates } = node.attrs;
    const operator = { linear: 'RESIZE_BILINEAR', nearest: 'RESIZE_NEAREST_NEIGHBOR' }[mode];
    if (operator === undefined) throw new Error(`Resize: TFLite has no mode '${mode}'`);
    const x = model.source(node.inputs[0]);
    const [n, height, width, c] = model.shapeOf(x);
    const [h, w] = resizedSize(node, model.constants, [height, width]);
    const alignCorners = coordinates === 'align_corners';
    const halfPixelCenters = mode === 'linear' && !alignCorners;
    return model.emit(operator, [x, model.ints(h, w)], [n, h, w, c], { alignCorners, halfPixelCenters });
  },
};
