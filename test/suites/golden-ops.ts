// PyTorch's operations, as the golden set names them and their arguments, in terms of this project's ops.
import { samePadding } from '../../src/ops/window.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { axisOf, type GoldenAttrs, type GoldenOp, type GoldenOps, perAxis } from './golden-context.ts';
import { interpolateGoldenOps } from './golden-interpolate.ts';
import { poolGoldenOps } from './golden-pool.ts';
import { tensorGoldenOps } from './golden-tensor.ts';

const spatialRank = (x: Tensor): number => x.rank - 2;
const ones = (rank: number): readonly number[] => perAxis(1, rank);
const zeros = (rank: number): readonly number[] => perAxis(0, rank);

const conv: GoldenOp = ({ attrs, input, find, run }) => {
  const { stride, padding, dilation, groups } = attrs;
  const given = { stride, padBegin: padding, padEnd: padding, dilation, groups, activation: null };
  return [run('conv', given, input('x'), input('w'), find('b'), null)];
};

const convSame: GoldenOp = ({ attrs, input, find, run }) => {
  const [x, w] = [input('x'), input('w')];
  const rank = spatialRank(x);
  const dilation = perAxis(attrs.dilation, rank);
  const pads = dilation.map((d, i) => samePadding(x.shape[i + 2], w.shape[i + 2], 1, d));
  const padBegin = pads.map((p) => p.begin);
  const padEnd = pads.map((p) => p.end);
  const given = { stride: ones(rank), padBegin, padEnd, dilation, groups: 1, activation: null };
  return [run('conv', given, x, w, find('b'), null)];
};

const padModes: { readonly [torch: string]: string } = { reflect: 'reflect', replicate: 'edge', circular: 'wrap' };

const convPadMode: GoldenOp = ({ attrs, input, find, run }) => {
  const x = input('x');
  const around = [0, 0, ...attrs.padding];
  const padded = run('pad', { begin: around, end: around, mode: padModes[attrs.padding_mode], value: 0 }, x);
  const given = { stride: perAxis(attrs.stride, 2), padBegin: zeros(2), padEnd: zeros(2), dilation: ones(2) };
  return [run('conv', { ...given, groups: 1, activation: null }, padded, input('w'), find('b'), null)];
};

const convTranspose: GoldenOp = ({ attrs, input, find, run }) => {
  const { stride, padding, output_padding: outputPadding, dilation, groups } = attrs;
  const given = { stride, padBegin: padding, padEnd: padding, outputPadding, dilation, groups, activation: null };
  return [run('convTranspose', given, input('x'), input('w'), find('b'))];
};

const batchNorm: GoldenOp = ({ attrs, input, find, run, runAll }) => {
  const inputs = [input('x'), find('w'), find('b'), input('running_mean'), input('running_var')];
  const { eps: epsilon, momentum, training } = attrs;
  if (training) return runAll('batchNormTraining', { epsilon, momentum: 1 - momentum, unbiased: true }, ...inputs);
  return [run('batchNorm', { epsilon, activation: null }, ...inputs)];
};

/** An even window has one more channel before its centre in PyTorch, after it in ONNX and here: channels are reversed twice. */
const lrn: GoldenOp = ({ attrs, input, run }) => {
  const x = input('x');
  const given = { size: attrs.size, alpha: attrs.alpha, beta: attrs.beta, bias: attrs.k };
  if (attrs.size % 2 === 1) return [run('lrn', given, x)];
  const turn = {
    starts: x.shape.map((d, i) => (i === 1 ? d - 1 : 0)),
    steps: x.shape.map((_, i) => (i === 1 ? -1 : 1)),
    sizes: x.shape,
  };
  return [run('slice', turn, run('lrn', given, run('slice', turn, x)))];
};

const unary =
  (kind: string, parameters: (attrs: GoldenAttrs) => object = () => ({})): GoldenOp =>
  ({ attrs, input, run }) => [run(kind, parameters(attrs), input('x'))];

const softmax =
  (op: string): GoldenOp =>
  ({ attrs, input, run }) => [run(op, { axis: axisOf(attrs.dim, input('x')) }, input('x'))];

export const goldenOps: GoldenOps = {
  conv1d: conv,
  conv2d: conv,
  conv3d: conv,
  conv1d_same: convSame,
  conv2d_same: convSame,
  conv3d_same: convSame,
  conv2d_padmode: convPadMode,
  conv_transpose1d: convTranspose,
  conv_transpose2d: convTranspose,
  conv_transpose3d: convTranspose,
  linear: ({ input, find, run }) => [
    run(
      'matmul',
      { transposeA: false, transposeB: true, alpha: 1, activation: null },
      input('x'),
      input('w'),
      find('b'),
    ),
  ],

  batch_norm0d: batchNorm,
  batch_norm1d: batchNorm,
  batch_norm2d: batchNorm,
  batch_norm3d: batchNorm,
  layer_norm: ({ attrs, input, find, run }) => {
    const x = input('x');
    const given = { axis: x.rank - attrs.normalized_shape.length, epsilon: attrs.eps, statistics: false };
    return [run('layerNorm', given, x, find('w'), find('b'))];
  },
  group_norm: ({ attrs, input, find, run }) => [
    run(
      'groupNorm',
      { groups: attrs.num_groups, epsilon: attrs.eps, activation: null },
      input('x'),
      find('w'),
      find('b'),
    ),
  ],
  instance_norm: ({ attrs, input, find, run }) => [
    run('instanceNorm', { epsilon: attrs.eps, activation: null }, input('x'), find('w'), find('b')),
  ],
  local_response_norm: lrn,
  normalize_l2: ({ attrs, input, run }) => {
    const x = input('x');
    const norm = run('reduceL2', { axes: [axisOf(attrs.dim, x)], keepDims: true }, x);
    return [run('div', {}, x, run('clip', { alpha: attrs.eps, beta: Infinity }, norm))];
  },

  relu: unary('relu'),
  relu6: unary('clip', () => ({ alpha: 0, beta: 6 })),
  selu: unary('selu'),
  silu: unary('silu'),
  mish: unary('mish'),
  sigmoid: unary('sigmoid'),
  logsigmoid: unary('logSigmoid'),
  hardsigmoid: unary('hardSigmoid', () => ({ alpha: 1 / 6, beta: 0.5 })),
  hardswish: unary('hardSwish'),
  tanh: unary('tanh'),
  tanhshrink: unary('tanhShrink'),
  softsign: unary('softsign'),
  leaky_relu: unary('leakyRelu', (a) => ({ alpha: a.negative_slope })),
  elu: unary('elu', (a) => ({ alpha: a.alpha })),
  celu: unary('celu', (a) => ({ alpha: a.alpha })),
  gelu: (c) => unary(c.attrs.approximate === 'tanh' ? 'geluTanh' : 'gelu')(c),
  softplus: unary('softplus', (a) => ({ alpha: a.beta, beta: a.threshold })),
  softshrink: unary('softShrink', (a) => ({ alpha: a.lambd })),
  hardshrink: unary('hardShrink', (a) => ({ alpha: a.lambd })),
  hardtanh: unary('clip', (a) => ({ alpha: a.min_val, beta: a.max_val })),
  threshold: unary('threshold', (a) => ({ alpha: a.threshold, beta: a.value })),
  clamp: unary('clip', (a) => ({ alpha: a.min, beta: a.max })),
  ...Object.fromEntries(
    ['exp', 'log', 'sqrt', 'rsqrt', 'abs', 'neg', 'reciprocal', 'sin', 'cos', 'erf', 'square']
      .concat('floor', 'ceil', 'sign', 'log1p', 'expm1')
      .map((name) => [name, unary(name)]),
  ),
  prelu: ({ input, run }) => {
    const [x, w] = [input('x'), input('w')];
    const slope = run('reshape', { shape: x.shape.map((_, i) => (i === 1 ? w.size : 1)) }, w);
    return [run('prelu', {}, x, slope)];
  },

  softmax: softmax('softmax'),
  log_softmax: softmax('logSoftmax'),
  softmin: ({ attrs, input, run }) => {
    const x = input('x');
    return [run('softmax', { axis: axisOf(attrs.dim, x) }, run('neg', {}, x))];
  },
  glu: ({ attrs, input, run }) => {
    const x = input('x');
    const axis = axisOf(attrs.dim, x);
    const sizes = x.shape.map((d, i) => (i === axis ? d / 2 : d));
    const half = (begin: number): Tensor => {
      const starts = x.shape.map((_, i) => (i === axis ? begin : 0));
      return run('slice', { starts, steps: x.shape.map(() => 1), sizes }, x);
    };
    return [run('mul', {}, half(0), run('sigmoid', {}, half(sizes[axis])))];
  },

  ...poolGoldenOps,
  ...interpolateGoldenOps,
  ...tensorGoldenOps,
};
