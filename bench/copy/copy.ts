import { type BenchSuite, data } from '../op-suite.ts';

const map = data(1, 64, 112, 112);

export default {
  name: 'copy',
  cases: [
    { name: 'transpose NCHW→NHWC 64 @112', op: 'transpose', attrs: { perm: [0, 2, 3, 1] }, inputs: [map] },
    { name: 'transpose 1024×1024', op: 'transpose', attrs: { perm: [1, 0] }, inputs: [data(1024, 1024)] },
    { name: 'concat channels 64+64 @112', op: 'concat', attrs: { axis: 1 }, inputs: [map, map] },
    {
      name: 'slice channels 64→32 @112',
      op: 'slice',
      attrs: { starts: [0, 32, 0, 0], steps: [1, 1, 1, 1], sizes: [1, 32, 112, 112] },
      inputs: [map],
    },
    {
      name: 'pad 1 64 @112',
      op: 'pad',
      attrs: { begin: [0, 0, 1, 1], end: [0, 0, 1, 1], mode: 'constant', value: 0 },
      inputs: [map],
    },
    {
      name: 'channel shuffle 2 groups 116 @28',
      op: 'channelShuffle',
      attrs: { groups: 2 },
      inputs: [data(1, 116, 28, 28)],
    },
    {
      name: 'depth to space 2 256 @28',
      op: 'depthToSpace',
      attrs: { blockSize: 2, mode: 'CRD' },
      inputs: [data(1, 256, 28, 28)],
    },
  ],
} satisfies BenchSuite;
