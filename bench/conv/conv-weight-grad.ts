// Both gradients of a convolution in training: by its weight, and by its input (a transposed convolution of run-time weights).
import '../../src/ops/training.ts';
import { type BenchCase, type BenchSuite, data } from '../op-suite.ts';

/** Batch, input channels, output channels, map, kernel, stride, padding, groups. */
type Row = readonly [
  batch: number,
  from: number,
  to: number,
  map: number,
  kernel: number,
  stride?: number,
  pad?: number,
  groups?: number,
];

const rows: readonly Row[] = [
  [8, 64, 64, 56, 3],
  [8, 256, 256, 14, 3],
  [8, 64, 256, 28, 1, 1, 0],
  [64, 1, 6, 28, 5],
  [64, 6, 16, 14, 5, 1, 0],
  [32, 3, 16, 32, 3],
  [32, 16, 16, 32, 3],
  [32, 16, 32, 32, 3, 2],
  [32, 16, 32, 32, 1, 2, 0],
  [32, 32, 32, 16, 3],
  [32, 64, 64, 8, 3],
  [8, 96, 96, 28, 3, 1, 1, 96],
];

function gradientCases([batch, from, to, map, kernel, stride = 1, pad = kernel >> 1, groups = 1]: Row): BenchCase[] {
  const out = Math.floor((map + 2 * pad - kernel) / stride) + 1;
  const both = (value: number): number[] => [value, value];
  const attrs = { stride: both(stride), padBegin: both(pad), padEnd: both(pad), dilation: both(1), groups };
  const x = data(batch, from, map, map);
  const gy = data(batch, to, out, out);
  const weight = data(to, from / groups, kernel, kernel);
  const kind = groups === 1 ? '' : 'depthwise ';
  const shape = `${kind}${kernel}×${kernel}${stride > 1 ? ` s${stride}` : ''} ${from}→${to} @${map}, batch ${batch}`;
  const outputPadding = both((map + 2 * pad - kernel) % stride);
  return [
    { name: `by weight: ${shape}`, op: 'convWeightGrad', attrs: { ...attrs, kernel: both(kernel) }, inputs: [x, gy] },
    {
      name: `by input: ${shape}`,
      op: 'convTranspose',
      attrs: { ...attrs, outputPadding, activation: null },
      inputs: [gy, weight, null],
    },
  ];
}

export default { name: 'conv-weight-grad', cases: rows.flatMap(gradientCases) } satisfies BenchSuite;
