import type { AveragePoolAttrs, MaxPoolAttrs } from '../../src/ops/pool/attrs.ts';
import { type BenchCase, type BenchSuite, data } from '../op-suite.ts';

const window = (kernel: number, stride: number, pad: number) => ({
  kernel: [kernel, kernel],
  stride: [stride, stride],
  padBegin: [pad, pad],
  padEnd: [pad, pad],
  dilation: [1, 1],
  ceilMode: false,
});

function maxPool(channels: number, map: number, kernel: number, stride: number, pad: number): BenchCase {
  const attrs: MaxPoolAttrs = {
    ...window(kernel, stride, pad),
    indices: false,
    columnMajor: false,
    indexBase: 'plane',
  };
  const name = `max ${kernel}×${kernel} s${stride} ${channels} @${map}`;
  return { name, op: 'maxPool', attrs, inputs: [data(1, channels, map, map)] };
}

function averagePool(channels: number, map: number, kernel: number, stride: number, pad: number): BenchCase {
  const attrs: AveragePoolAttrs = { ...window(kernel, stride, pad), countIncludePad: false, divisorOverride: 0 };
  const name = `average ${kernel}×${kernel} s${stride} ${channels} @${map}`;
  return { name, op: 'averagePool', attrs, inputs: [data(1, channels, map, map)] };
}

function globalPool(op: 'globalAveragePool' | 'globalMaxPool', channels: number, map: number): BenchCase {
  return { name: `${op} ${channels} @${map}`, op, attrs: {}, inputs: [data(1, channels, map, map)] };
}

export default {
  name: 'pool',
  cases: [
    maxPool(64, 112, 3, 2, 1),
    maxPool(64, 112, 2, 2, 0),
    maxPool(192, 28, 3, 1, 1),
    averagePool(128, 56, 2, 2, 0),
    averagePool(192, 28, 3, 1, 1),
    globalPool('globalAveragePool', 64, 112),
    globalPool('globalAveragePool', 2048, 7),
    globalPool('globalMaxPool', 2048, 7),
  ],
} satisfies BenchSuite;
