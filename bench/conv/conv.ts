import type { ConvOpAttrs } from '../../src/ops/conv/attrs.ts';
import { type BenchCase, type BenchSuite, data, weights } from '../op-suite.ts';

/** Input channels, output channels, map, kernel, stride, groups. */
type Row = readonly [from: number, to: number, map: number, kernel: number, stride?: number, groups?: number];

const rows: readonly Row[] = [
  [64, 64, 56, 3],
  [128, 128, 28, 3],
  [256, 256, 14, 3],
  [512, 512, 7, 3],
  [64, 128, 56, 3, 2],
  [3, 64, 224, 7, 2],
  [3, 32, 224, 3, 2],
  [24, 144, 56, 1],
  [64, 256, 56, 1],
  [256, 64, 56, 1],
  [512, 2048, 7, 1],
  [64, 64, 56, 3, 1, 8],
  [96, 96, 112, 3, 1, 96],
  [96, 96, 112, 3, 2, 96],
  [384, 384, 14, 3, 1, 384],
  [960, 960, 7, 3, 1, 960],
  [240, 240, 14, 5, 1, 240],
];

function convCase([from, to, map, kernel, stride = 1, groups = 1]: Row): BenchCase {
  const pad = kernel >> 1;
  const attrs: ConvOpAttrs = {
    stride: [stride, stride],
    padBegin: [pad, pad],
    padEnd: [pad, pad],
    dilation: [1, 1],
    groups,
    activation: { kind: 'relu', alpha: 0, beta: 0 },
  };
  const kind = groups === 1 ? '' : groups === from ? 'depthwise ' : `${groups} groups `;
  return {
    name: `${kind}${kernel}×${kernel}${stride > 1 ? ` s${stride}` : ''} ${from}→${to} @${map}`,
    op: 'conv',
    attrs,
    inputs: [data(1, from, map, map), weights(to, from / groups, kernel, kernel), weights(to)],
  };
}

export default { name: 'conv', cases: rows.map(convCase) } satisfies BenchSuite;
