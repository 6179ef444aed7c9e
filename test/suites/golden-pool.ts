// Pools of the golden set; see golden-ops.ts.
import { product } from '../../src/common/numbers.ts';
import { windowOutput } from '../../src/ops/window.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';
import {
  type GoldenAttrs,
  type GoldenContext,
  type GoldenOp,
  type GoldenOps,
  perAxis,
  scalar,
} from './golden-context.ts';

function window({ kernel, stride, padding = 0, dilation = 1, ceil_mode: ceilMode = false }: GoldenAttrs, rank: number) {
  const pad = perAxis(padding, rank);
  return {
    kernel: perAxis(kernel, rank),
    stride: perAxis(stride ?? kernel, rank),
    padBegin: pad,
    padEnd: pad,
    dilation: perAxis(dilation, rank),
    ceilMode,
  };
}

const maxPool: GoldenOp = ({ attrs, input, runAll }) => {
  const x = input('x');
  const given = { ...window(attrs, x.rank - 2), indices: true, indexBase: 'plane', columnMajor: false };
  return runAll('maxPool', given, x);
};

const averagePool: GoldenOp = ({ attrs, input, run }) => {
  const x = input('x');
  const { count_include_pad: countIncludePad, divisor_override: divisor } = attrs;
  const given = { ...window(attrs, x.rank - 2), countIncludePad, divisorOverride: divisor ?? 0 };
  return [run('averagePool', given, x)];
};

const adaptive =
  (op: string, indices: boolean): GoldenOp =>
  ({ attrs, input, runAll }) => {
    const x = input('x');
    return runAll(op, { outputSize: perAxis(attrs.output_size, x.rank - 2), indices }, x);
  };

const maxUnpool: GoldenOp = ({ attrs, input, run }) => [
  run('maxUnpool', { outputSize: attrs.output_size, indexBase: 'plane' }, input('x'), input('indices')),
];

/**
 * PyTorch computes (mean of x^p · cells of the kernel)^(1/p). In ceil mode the last window may be smaller, so that its mean is
 * over fewer cells, and the result is the p norm times (cells of the kernel / cells of the window)^(1/p).
 */
const lpPool: GoldenOp = ({ attrs, input, run }) => {
  const x = input('x');
  const spatial = x.shape.slice(2);
  const given = window(attrs, spatial.length);
  const p = attrs.norm_type;
  const y = run('lpPool', { ...given, p }, x);
  const output = windowOutput('lp_pool', spatial, given.kernel, given, given.ceilMode);
  let factors = [1];
  output.forEach((size, axis) => {
    const kernel = given.kernel[axis];
    const along = Array.from(
      { length: size },
      (_, o) => kernel / Math.min(kernel, spatial[axis] - o * given.stride[axis]),
    );
    factors = factors.flatMap((f) => along.map((a) => f * a));
  });
  const table = Float32Array.from(factors, (f) => f ** (1 / p));
  return [run('mul', {}, y, tensor(table, [1, 1, ...output]))];
};

const flat = (run: GoldenContext['run'], x: Tensor): Tensor =>
  run('reshape', { shape: [x.shape[0], product(x.shape.slice(1))] }, x);

export const poolGoldenOps: GoldenOps = {
  max_pool1d: maxPool,
  max_pool2d: maxPool,
  max_pool3d: maxPool,
  avg_pool1d: averagePool,
  avg_pool2d: averagePool,
  avg_pool3d: averagePool,
  adaptive_avg_pool1d: adaptive('adaptiveAveragePool', false),
  adaptive_avg_pool2d: adaptive('adaptiveAveragePool', false),
  adaptive_avg_pool3d: adaptive('adaptiveAveragePool', false),
  adaptive_max_pool1d: adaptive('adaptiveMaxPool', true),
  adaptive_max_pool2d: adaptive('adaptiveMaxPool', true),
  adaptive_max_pool3d: adaptive('adaptiveMaxPool', true),
  max_unpool1d: maxUnpool,
  max_unpool2d: maxUnpool,
  max_unpool3d: maxUnpool,
  lp_pool1d: lpPool,
  lp_pool2d: lpPool,
  mixed_pool2d: ({ attrs, input, run }) => {
    const given = window(attrs, 2);
    const x = input('x');
    const max = run('maxPool', { ...given, indices: false, indexBase: 'plane', columnMajor: false }, x);
    const mean = run('averagePool', { ...given, countIncludePad: true, divisorOverride: 0 }, x);
    const weighted = (y: Tensor, factor: number): Tensor => run('mul', {}, y, scalar(factor));
    return [run('add', {}, weighted(max, attrs.alpha), weighted(mean, 1 - attrs.alpha))];
  },
  spp: ({ attrs, input, run }) => {
    const op = attrs.mode === 'max' ? 'adaptiveMaxPool' : 'adaptiveAveragePool';
    const levels = (attrs.levels as number[]).map((n) =>
      flat(run, run(op, { outputSize: [n, n], indices: false }, input('x'))),
    );
    return [run('concat', { axis: 1 }, ...levels)];
  },
  global_pool: ({ input, run }) => [
    flat(run, run('globalAveragePool', {}, input('x'))),
    flat(run, run('globalMaxPool', {}, input('x'))),
  ],
};
