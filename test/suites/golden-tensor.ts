// Arithmetic, reductions and data movement of the golden set; see golden-ops.ts.
import { product } from '../../src/common/numbers.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';
import { axisOf, type GoldenContext, type GoldenOp, type GoldenOps, perAxis, scalar } from './golden-context.ts';

/** PyTorch's `dim`: null is every axis. */
function axesOf(dim: number | readonly number[] | null, x: Tensor): number[] {
  const dims = dim === null ? x.shape.map((_, i) => i) : typeof dim === 'number' ? [dim] : dim;
  return dims.map((d) => axisOf(d, x)).sort((a, b) => a - b);
}

const binary =
  (op: string): GoldenOp =>
  ({ input, run }) => [run(op, {}, input('a'), input('b'))];

const reduce =
  (op: string): GoldenOp =>
  ({ attrs, input, run }) => {
    const x = input('x');
    return [run(op, { axes: axesOf(attrs.dim, x), keepDims: attrs.keepdim ?? false }, x)];
  };

function variance({ attrs, input, run }: GoldenContext): Tensor {
  const x = input('x');
  const axes = axesOf(attrs.dim, x);
  const count = product(axes.map((axis) => x.shape[axis]));
  const centred = run('sub', {}, x, run('reduceMean', { axes, keepDims: true }, x));
  const sum = run('reduceSumSquare', { axes, keepDims: attrs.keepdim }, centred);
  return run('div', {}, sum, scalar(attrs.unbiased ? count - 1 : count));
}

/** PyTorch lists pads from the last axis on, begin and end of each. */
const pad =
  (mode: string): GoldenOp =>
  ({ attrs, input, run }) => {
    const x = input('x');
    const begin = x.shape.map(() => 0);
    const end = x.shape.map(() => 0);
    for (let i = 0; i < attrs.pad.length / 2; i++) {
      begin[x.rank - 1 - i] = attrs.pad[2 * i];
      end[x.rank - 1 - i] = attrs.pad[2 * i + 1];
    }
    return [run('pad', { begin, end, mode, value: attrs.value ?? 0 }, x)];
  };

function pieces({ run, input }: GoldenContext, sizes: readonly number[], axis: number): Tensor[] {
  const x = input('x');
  let begin = 0;
  return sizes.map((size) => {
    const starts = x.shape.map((_, i) => (i === axis ? begin : 0));
    begin += size;
    const attrs = { starts, steps: x.shape.map(() => 1), sizes: x.shape.map((d, i) => (i === axis ? size : d)) };
    return run('slice', attrs, x);
  });
}

const topK: GoldenOp = ({ attrs, input, runAll }) => {
  const x = input('x');
  const axis = axisOf(attrs.dim, x);
  const largest = attrs.descending ?? true;
  return runAll('topK', { k: attrs.k ?? x.shape[axis], axis, largest, sorted: true }, x);
};

const pair = (value: number | readonly number[]): readonly number[] => perAxis(value, 2);

/** One kernel per tap, which is 1 at that tap and 0 elsewhere: a grouped convolution with them lists the cells of each window. */
function oneHotKernels(channels: number, [height, width]: readonly number[]): Tensor {
  const taps = height * width;
  const data = Float32Array.from({ length: channels * taps * taps }, (_, i) => {
    const tap = Math.floor(i / taps) % taps;
    return i % taps === tap ? 1 : 0;
  });
  return tensor(data, [channels * taps, 1, height, width]);
}

const plainConv = { dilation: [1, 1], padBegin: [0, 0], padEnd: [0, 0], activation: null };

export const tensorGoldenOps: GoldenOps = {
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  maximum: binary('max'),
  minimum: binary('min'),
  pow: binary('pow'),
  matmul: ({ input, run }) => [
    run('matmul', { transposeA: false, transposeB: false, alpha: 1, activation: null }, input('a'), input('b'), null),
  ],

  sum: reduce('reduceSum'),
  mean: reduce('reduceMean'),
  amax: reduce('reduceMax'),
  amin: reduce('reduceMin'),
  prod: reduce('reduceProd'),
  logsumexp: reduce('reduceLogSumExp'),
  norm: reduce('reduceL2'),
  var: (c) => [variance(c)],
  std: (c) => [c.run('sqrt', {}, variance(c))],
  cumsum: ({ attrs, input, run }) => {
    const x = input('x');
    return [run('cumSum', { axis: axisOf(attrs.dim, x), exclusive: false, reverse: false }, x)];
  },
  argmax: ({ attrs, input, run }) => {
    const x = input('x');
    return [run('argMax', { axis: axisOf(attrs.dim, x), keepDims: false, selectLast: false }, x)];
  },
  topk: topK,
  sort: topK,

  pad_constant: pad('constant'),
  pad_negative: pad('constant'),
  pad_reflect: pad('reflect'),
  pad_replicate: pad('edge'),
  pad_circular: pad('wrap'),

  cat: ({ attrs, input, run }) => [run('concat', { axis: attrs.dim }, input('a'), input('b'), input('c'))],
  stack: ({ attrs, input, run }) => {
    const parts = ['a', 'b'].map((name) => {
      const x = input(name);
      const shape = [...x.shape.slice(0, attrs.dim), 1, ...x.shape.slice(attrs.dim)];
      return run('reshape', { shape }, x);
    });
    return [run('concat', { axis: attrs.dim }, ...parts)];
  },
  split: (c) => pieces(c, c.attrs.sizes, c.attrs.dim),
  chunk: (c) => {
    const length = c.input('x').shape[c.attrs.dim as number];
    const each = Math.ceil(length / c.attrs.chunks);
    const sizes = Array.from({ length: Math.ceil(length / each) }, (_, i) => Math.min(each, length - i * each));
    return pieces(c, sizes, c.attrs.dim);
  },
  permute: ({ attrs, input, run }) => [run('transpose', { perm: attrs.dims }, input('x'))],
  reshape: ({ attrs, input, run }) => {
    const x = input('x');
    const known = product((attrs.shape as number[]).filter((d) => d >= 0));
    return [run('reshape', { shape: (attrs.shape as number[]).map((d) => (d < 0 ? x.size / known : d)) }, x)];
  },
  expand: ({ attrs, input, run }) => [run('expand', { shape: attrs.shape }, input('x'))],
  // The set's one case: x[:, 1:5:2, ::-1].
  slice: ({ input, run }) => {
    const [n, , length] = input('x').shape;
    return [run('slice', { starts: [0, 1, length - 1], steps: [1, 2, -1], sizes: [n, 2, length] }, input('x'))];
  },
  roll: ({ attrs, input, run }) => {
    let x = input('x');
    (attrs.dims as number[]).forEach((axis, i) => {
      const length = x.shape[axis];
      const from = Int32Array.from({ length }, (_, at) => (((at - attrs.shifts[i]) % length) + length) % length);
      x = run('gather', { axis }, x, tensor(from));
    });
    return [x];
  },
  gather: ({ attrs, input, run }) => [run('gatherElements', { axis: attrs.dim }, input('x'), input('index'))],
  index_select: ({ attrs, input, run }) => [run('gather', { axis: attrs.dim }, input('x'), input('index'))],
  embedding: ({ input, run }) => [run('gather', { axis: 0 }, input('w'), input('index'))],
  scatter_add: ({ attrs, input, run }) => [
    run('scatterElements', { axis: attrs.dim, reduction: 'add' }, input('x'), input('index'), input('src')),
  ],
  where: ({ input, run }) => [run('where', {}, run('cast', { to: 'bool' }, input('cond')), input('a'), input('b'))],

  pixel_shuffle: ({ attrs, input, run }) => [run('depthToSpace', { blockSize: attrs.r, mode: 'CRD' }, input('x'))],
  pixel_unshuffle: ({ attrs, input, run }) => {
    const [n, c, h, w] = input('x').shape;
    const r = attrs.r;
    const blocks = run('reshape', { shape: [n, c, h / r, r, w / r, r] }, input('x'));
    const turned = run('transpose', { perm: [0, 1, 3, 5, 2, 4] }, blocks);
    return [run('reshape', { shape: [n, c * r * r, h / r, w / r] }, turned)];
  },
  channel_shuffle: ({ attrs, input, run }) => [run('channelShuffle', { groups: attrs.groups }, input('x'))],
  unfold: ({ attrs, input, run }) => {
    const x = input('x');
    const [n, channels] = x.shape;
    const [stride, dilation, padding] = [pair(attrs.stride), pair(attrs.dilation), pair(attrs.padding)];
    const given = { ...plainConv, stride, dilation, padBegin: padding, padEnd: padding, groups: channels };
    const y = run('conv', given, x, oneHotKernels(channels, pair(attrs.kernel)), null, null);
    return [run('reshape', { shape: [n, y.shape[1], y.shape[2] * y.shape[3]] }, y)];
  },
  fold: ({ attrs, input, run }) => {
    const x = input('x');
    const kernel = pair(attrs.kernel);
    const stride = pair(attrs.stride);
    const channels = x.shape[1] / product(kernel);
    const grid = kernel.map((k, i) => (attrs.output_size[i] - k) / stride[i] + 1);
    const patches = run('reshape', { shape: [x.shape[0], x.shape[1], ...grid] }, x);
    const given = { ...plainConv, stride, outputPadding: [0, 0], groups: channels };
    return [run('convTranspose', given, patches, oneHotKernels(channels, kernel), null)];
  },
  grid_sample: ({ attrs, input, run }) => {
    const mode = { bilinear: 'linear', nearest: 'nearest', bicubic: 'cubic' }[attrs.mode as string];
    const given = { mode, paddingMode: attrs.padding_mode, alignCorners: attrs.align_corners };
    return [run('gridSample', given, input('x'), input('grid'))];
  },
  affine_grid: ({ attrs, input, run }) => [
    run('affineGrid', { size: attrs.size, alignCorners: attrs.align_corners }, input('theta')),
  ],
};
