import type { Activation } from '../../src/backend/prims/elementwise.ts';
import { type BenchCase, type BenchInput, type BenchSuite, data, weights } from '../op-suite.ts';

const variance = (channels: number): BenchInput => ({ shape: [channels], constant: true, range: [0.5, 1.5] });

function batchNorm(channels: number, map: number, activation: Activation | null): BenchCase {
  return {
    name: `batch norm ${activation ? '+ relu ' : ''}${channels} @${map}`,
    op: 'batchNorm',
    attrs: { epsilon: 1e-5, activation },
    inputs: [data(1, channels, map, map), weights(channels), weights(channels), weights(channels), variance(channels)],
  };
}

export default {
  name: 'norm',
  cases: [
    batchNorm(64, 56, null),
    batchNorm(256, 14, { kind: 'relu', alpha: 0, beta: 0 }),
    {
      name: 'group norm 32 groups 256 @28',
      op: 'groupNorm',
      attrs: { groups: 32, epsilon: 1e-5, activation: null },
      inputs: [data(1, 256, 28, 28), weights(256), weights(256)],
    },
    {
      name: 'instance norm 64 @56',
      op: 'instanceNorm',
      attrs: { epsilon: 1e-5, activation: null },
      inputs: [data(1, 64, 56, 56), weights(64), weights(64)],
    },
    {
      name: 'layer norm 196×768',
      op: 'layerNorm',
      attrs: { axis: 1, epsilon: 1e-5, statistics: false },
      inputs: [data(196, 768), weights(768), weights(768)],
    },
    {
      name: 'LRN 5 64 @56',
      op: 'lrn',
      attrs: { size: 5, alpha: 1e-4, beta: 0.75, bias: 1 },
      inputs: [data(1, 64, 56, 56)],
    },
  ],
} satisfies BenchSuite;
