// The single ops, as ONNX nodes: { name, op, attrs, input: shape, weights: name → { shape, bound | data }, macs }.
// A weight whose name begins with '-' is an absent optional input.

const conv = (from, to, map, kernel, stride = 1, group = 1) => {
  const pad = kernel >> 1;
  const perGroup = from / group;
  const out = Math.floor((map + 2 * pad - kernel) / stride) + 1;
  const label = group > 1 ? `depthwise ${kernel}×${kernel}` : `conv ${kernel}×${kernel}`;
  return {
    name: `${label}${stride > 1 ? ` s${stride}` : ''} ${group > 1 ? from : `${from}→${to}`} @${map}`,
    op: 'Conv',
    attrs: {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      dilations: [1, 1],
      group,
    },
    input: [1, from, map, map],
    weights: {
      weight: { shape: [to, perGroup, kernel, kernel], bound: Math.sqrt(3 / (perGroup * kernel * kernel)) },
      bias: { shape: [to], bound: 0.1 },
    },
    macs: to * out * out * perGroup * kernel * kernel,
  };
};

const convTranspose = (from, to, map, kernel, pad) => ({
  name: `transposed conv ${kernel}×${kernel} s2 ${from}→${to} @${map}`,
  op: 'ConvTranspose',
  attrs: { kernel_shape: [kernel, kernel], strides: [2, 2], pads: [pad, pad, pad, pad], dilations: [1, 1], group: 1 },
  input: [1, from, map, map],
  weights: {
    weight: { shape: [from, to, kernel, kernel], bound: Math.sqrt(3 / from) },
    bias: { shape: [to], bound: 0.1 },
  },
  macs: from * to * map * map * kernel * kernel,
});

const pool = (op, channels, map, kernel, pad) => ({
  name: `${op === 'MaxPool' ? 'max' : 'average'} pool ${kernel}×${kernel} s2 ${channels} @${map}`,
  op,
  attrs: { kernel_shape: [kernel, kernel], strides: [2, 2], pads: [pad, pad, pad, pad] },
  input: [1, channels, map, map],
});

const plain = (name, op, channels, map) => ({
  name: `${name} ${channels} @${map}`,
  op,
  input: [1, channels, map, map],
});

const resize = (name, attrs) => ({
  name: `${name} 2× 64 @56`,
  op: 'Resize',
  attrs,
  input: [1, 64, 56, 56],
  weights: { '-roi': {}, scales: { shape: [4], data: [1, 1, 2, 2] } },
});

export const opTable = [
  conv(64, 64, 56, 3),
  conv(128, 128, 28, 3),
  conv(256, 256, 14, 3),
  conv(512, 512, 7, 3),
  conv(64, 128, 56, 3, 2),
  conv(3, 64, 224, 7, 2),
  conv(3, 32, 224, 3, 2),
  conv(256, 64, 56, 1),
  conv(64, 256, 56, 1),
  conv(512, 2048, 7, 1),
  {
    name: 'GEMM 1024³',
    op: 'MatMul',
    input: [1024, 1024],
    weights: { weight: { shape: [1024, 1024], bound: 0.05 } },
    macs: 1024 ** 3,
  },
  conv(96, 96, 112, 3, 1, 96),
  conv(96, 96, 112, 3, 2, 96),
  conv(384, 384, 14, 3, 1, 384),
  conv(960, 960, 7, 3, 1, 960),
  conv(240, 240, 14, 5, 1, 240),
  convTranspose(128, 64, 28, 2, 0),
  convTranspose(128, 64, 28, 4, 1),
  pool('MaxPool', 64, 112, 3, 1),
  pool('AveragePool', 128, 56, 2, 0),
  plain('global average pool', 'GlobalAveragePool', 64, 112),
  {
    name: 'batch norm 64 @56',
    op: 'BatchNormalization',
    input: [1, 64, 56, 56],
    weights: {
      scale: { shape: [64], bound: 0.5, centre: 1 },
      bias: { shape: [64], bound: 0.2 },
      mean: { shape: [64], bound: 0.1 },
      variance: { shape: [64], bound: 0.5, centre: 1 },
    },
  },
  resize('bilinear', { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }),
  resize('nearest', { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }),
  resize('bicubic', { mode: 'cubic', coordinate_transformation_mode: 'half_pixel' }),
  plain('sigmoid', 'Sigmoid', 64, 112),
  plain('relu', 'Relu', 64, 112),
  { name: 'softmax 1024×1000', op: 'Softmax', attrs: { axis: 1 }, input: [1024, 1000] },
];
