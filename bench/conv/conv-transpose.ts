import type { ConvTransposeOpAttrs } from '../../src/ops/conv/attrs.ts';
import { type BenchCase, type BenchSuite, data, weights } from '../op-suite.ts';

/** Input channels, output channels, map, kernel, stride, padding. */
type Row = readonly [from: number, to: number, map: number, kernel: number, stride: number, pad: number];

const rows: readonly Row[] = [
  [128, 64, 28, 2, 2, 0],
  [128, 64, 28, 4, 2, 1],
  [512, 256, 8, 2, 2, 0],
  [64, 32, 56, 3, 1, 1],
];

function convTransposeCase([from, to, map, kernel, stride, pad]: Row): BenchCase {
  const attrs: ConvTransposeOpAttrs = {
    stride: [stride, stride],
    padBegin: [pad, pad],
    padEnd: [pad, pad],
    dilation: [1, 1],
    outputPadding: [0, 0],
    groups: 1,
    activation: null,
  };
  return {
    name: `${kernel}×${kernel} s${stride} ${from}→${to} @${map}`,
    op: 'convTranspose',
    attrs,
    inputs: [data(1, from, map, map), weights(from, to, kernel, kernel), weights(to)],
  };
}

export default { name: 'conv-transpose', cases: rows.map(convTransposeCase) } satisfies BenchSuite;
