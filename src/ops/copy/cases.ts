import type { CasesOf, OpCase } from '../case.ts';
import type { CopyOps, PadAttrs, PadGradAttrs, TransposeAttrs } from './attrs.ts';
import { padModes } from './pad.ts';

export const copyCases: CasesOf<keyof CopyOps> = {
  sliceGrad: [
    { attrs: { starts: [0, 1, 0, 0], steps: [1, 1, 1, 1], shape: [2, 5, 3, 7] }, inputs: [{ shape: [2, 3, 3, 7] }] },
    { attrs: { starts: [0, 0, 1, 2], steps: [1, 1, 1, 2], shape: [2, 5, 3, 7] }, inputs: [{ shape: [1, 5, 2, 2] }] },
    {
      attrs: { starts: [1, 4, 2, 6], steps: [-1, -2, -1, -3], shape: [2, 5, 3, 7] },
      inputs: [{ shape: [2, 3, 3, 3] }],
    },
    { attrs: { starts: [2], steps: [1], shape: [5] }, inputs: [{ shape: [2] }] },
    { attrs: { starts: [5, 0], steps: [1, 1], shape: [5, 2] }, inputs: [{ shape: [0, 2] }] },
  ],
  padGrad: (['reflect', 'edge', 'wrap'] as const).flatMap((mode): OpCase<PadGradAttrs>[] => [
    {
      attrs: { begin: [0, 0, 1, 2], end: [0, 0, 2, 1], mode, shape: [2, 5, 3, 4] },
      inputs: [{ shape: [2, 5, 6, 7] }],
    },
    {
      attrs: { begin: [1, 2, 0, -1], end: [0, 1, -1, 2], mode, shape: [2, 5, 3, 4] },
      inputs: [{ shape: [3, 8, 2, 5] }],
    },
    { attrs: { begin: [7], end: [8], mode, shape: [4] }, inputs: [{ shape: [19] }] },
    { attrs: { begin: [-1, -1], end: [-1, 0], mode, shape: [4, 3] }, inputs: [{ shape: [2, 2] }] },
    { attrs: { begin: [0, 0], end: [0, 0], mode, shape: [4, 3] }, inputs: [{ shape: [4, 3] }] },
  ]),
  transpose: [
    [0, 2, 3, 1],
    [0, 3, 1, 2],
    [3, 2, 1, 0],
    [0, 1, 3, 2],
    [1, 0, 2, 3],
  ]
    .map((perm) => ({ attrs: { perm } as TransposeAttrs, inputs: [{ shape: [2, 5, 3, 7] as readonly number[] }] }))
    .concat([
      { attrs: { perm: [1, 0] }, inputs: [{ shape: [17, 35] }] },
      { attrs: { perm: [0, 2, 1] }, inputs: [{ shape: [2, 9, 5] }] },
      { attrs: { perm: [0, 2, 1, 3, 4] }, inputs: [{ shape: [2, 3, 4, 2, 3] }] },
      { attrs: { perm: [] }, inputs: [{ shape: [] }] },
      { attrs: { perm: [0, 4, 1, 5, 2, 3] }, inputs: [{ shape: [2, 2, 3, 2, 3, 4] }] },
    ]),
  concat: [
    ...[0, 1, 2, 3].map((axis) => ({
      attrs: { axis },
      inputs: [0, 1, 2].map((i) => ({ shape: [2, 4, 3, 5].map((d, j) => (j === axis ? d + i : d)) })),
    })),
    {
      attrs: { axis: 0 },
      inputs: [
        { shape: [1], dtype: 'int64', values: [3] },
        { shape: [2], dtype: 'int64', values: [4, 5] },
      ],
    },
    { attrs: { axis: 1 }, inputs: [{ shape: [2, 0] }, { shape: [2, 3] }] },
    { attrs: { axis: 1 }, inputs: [{ shape: [1, 3, 8, 8] }] },
  ],
  slice: [
    { attrs: { starts: [0, 1, 0, 0], steps: [1, 1, 1, 1], sizes: [2, 3, 3, 7] }, inputs: [{ shape: [2, 5, 3, 7] }] },
    { attrs: { starts: [0, 0, 1, 2], steps: [1, 1, 1, 2], sizes: [1, 5, 2, 2] }, inputs: [{ shape: [2, 5, 3, 7] }] },
    {
      attrs: { starts: [1, 4, 2, 6], steps: [-1, -2, -1, -3], sizes: [2, 3, 3, 3] },
      inputs: [{ shape: [2, 5, 3, 7] }],
    },
    { attrs: { starts: [2], steps: [1], sizes: [2] }, inputs: [{ shape: [5], dtype: 'int64', range: [0, 9] }] },
    { attrs: { starts: [5, 0], steps: [1, 1], sizes: [0, 2] }, inputs: [{ shape: [5, 2] }] },
  ],
  expand: [
    { attrs: { shape: [2, 5, 3, 7] }, inputs: [{ shape: [2, 5, 1, 1] }] },
    { attrs: { shape: [2, 5, 3, 7] }, inputs: [{ shape: [3, 1] }] },
    { attrs: { shape: [2, 3] }, inputs: [{ shape: [], dtype: 'int32', values: [4] }] },
    { attrs: { shape: [4, 2] }, inputs: [{ shape: [4, 2] }] },
    { attrs: { shape: [0, 2] }, inputs: [{ shape: [1, 2] }] },
  ],
  tile: [
    { attrs: { repeats: [1, 2, 3, 1] }, inputs: [{ shape: [2, 3, 2, 4] }] },
    { attrs: { repeats: [2, 1, 1, 2] }, inputs: [{ shape: [1, 3, 2, 4] }] },
    { attrs: { repeats: [3] }, inputs: [{ shape: [4], dtype: 'int64', range: [0, 9] }] },
    { attrs: { repeats: [0, 2] }, inputs: [{ shape: [4, 2] }] },
  ],
  depthToSpace: [
    { attrs: { blockSize: 2, mode: 'DCR' }, inputs: [{ shape: [2, 12, 3, 5] }] },
    { attrs: { blockSize: 2, mode: 'CRD' }, inputs: [{ shape: [2, 12, 3, 5] }] },
    { attrs: { blockSize: 3, mode: 'CRD' }, inputs: [{ shape: [1, 9, 2, 2] }] },
  ],
  spaceToDepth: [
    { attrs: { blockSize: 2, mode: 'DCR' }, inputs: [{ shape: [2, 3, 4, 6] }] },
    { attrs: { blockSize: 2, mode: 'CRD' }, inputs: [{ shape: [2, 3, 4, 6] }] },
    { attrs: { blockSize: 3, mode: 'DCR' }, inputs: [{ shape: [1, 1, 3, 6] }] },
  ],
  channelShuffle: [
    { attrs: { groups: 2 }, inputs: [{ shape: [2, 8, 3, 5] }] },
    { attrs: { groups: 3 }, inputs: [{ shape: [1, 12, 4] }] },
  ],
  gatherGrad: [
    {
      attrs: { axis: 0, shape: [5, 4] },
      inputs: [{ shape: [2, 3], dtype: 'int64', range: [-5, 4] }, { shape: [2, 3, 4] }],
    },
    {
      attrs: { axis: 1, shape: [2, 5, 3, 4] },
      inputs: [{ shape: [3], dtype: 'int64', values: [4, -1, 4] }, { shape: [2, 3, 3, 4] }],
    },
    {
      attrs: { axis: 3, shape: [2, 5, 3, 4] },
      inputs: [{ shape: [], dtype: 'int32', values: [-1] }, { shape: [2, 5, 3] }],
    },
  ],
  gatherNDGrad: [
    {
      attrs: { batchDims: 0, shape: [3, 4, 2] },
      inputs: [{ shape: [5, 2], dtype: 'int64', range: [-3, 2] }, { shape: [5, 2] }],
    },
    {
      attrs: { batchDims: 0, shape: [3, 4] },
      inputs: [{ shape: [2, 2, 1], dtype: 'int64', range: [0, 2] }, { shape: [2, 2, 4] }],
    },
    {
      attrs: { batchDims: 1, shape: [2, 3, 4] },
      inputs: [{ shape: [2, 3, 1], dtype: 'int64', range: [0, 2] }, { shape: [2, 3, 4] }],
    },
  ],
  gather: [
    { attrs: { axis: 0 }, inputs: [{ shape: [5, 4] }, { shape: [2, 3], dtype: 'int64', range: [-5, 4] }] },
    { attrs: { axis: 1 }, inputs: [{ shape: [2, 5, 3, 4] }, { shape: [3], dtype: 'int64', values: [4, -5, 2] }] },
    { attrs: { axis: 3 }, inputs: [{ shape: [2, 5, 3, 4] }, { shape: [], dtype: 'int32', values: [-1] }] },
    {
      attrs: { axis: 0 },
      inputs: [
        { shape: [4], dtype: 'int64', range: [0, 99] },
        { shape: [1], dtype: 'int64', values: [2] },
      ],
    },
    { attrs: { axis: 0 }, inputs: [{ shape: [5, 80] }, { shape: [7], dtype: 'int64', range: [0, 4] }] },
  ],
  gatherElements: [
    { attrs: { axis: 1 }, inputs: [{ shape: [3, 4] }, { shape: [2, 5], dtype: 'int64', range: [-4, 3] }] },
    { attrs: { axis: 0 }, inputs: [{ shape: [3, 4, 2, 2] }, { shape: [2, 4, 1, 2], dtype: 'int32', range: [0, 2] }] },
  ],
  gatherND: [
    { attrs: { batchDims: 0 }, inputs: [{ shape: [3, 4, 2] }, { shape: [5, 2], dtype: 'int64', range: [-3, 2] }] },
    { attrs: { batchDims: 0 }, inputs: [{ shape: [3, 4] }, { shape: [2, 2, 1], dtype: 'int64', range: [0, 2] }] },
    { attrs: { batchDims: 1 }, inputs: [{ shape: [2, 3, 4] }, { shape: [2, 3, 1], dtype: 'int64', range: [0, 2] }] },
  ],
  oneHot: [
    {
      attrs: { depth: 5, axis: -1 },
      inputs: [
        { shape: [3], dtype: 'int64', values: [1, -1, 9] },
        { shape: [2], values: [0, 1] },
      ],
    },
    {
      attrs: { depth: 4, axis: 1 },
      inputs: [
        { shape: [2, 3], values: [1, 0, 3, 2, 2, 1] },
        { shape: [2], dtype: 'int32', values: [-1, 3] },
      ],
    },
  ],
  trilu: [
    { attrs: { k: 0, upper: true }, inputs: [{ shape: [2, 4, 5] }] },
    { attrs: { k: -1, upper: false }, inputs: [{ shape: [5, 3] }] },
    { attrs: { k: 2, upper: true }, inputs: [{ shape: [3, 5], dtype: 'int64', range: [-9, 9] }] },
    { attrs: { k: 0, upper: true }, inputs: [{ shape: [3, 0] }] },
  ],
  eyeLike: [
    { attrs: { dtype: 'float32', k: 0 }, inputs: [{ shape: [3, 4] }] },
    { attrs: { dtype: 'int64', k: -1 }, inputs: [{ shape: [4, 3] }] },
  ],
  hardmax: [
    { attrs: { axis: 1 }, inputs: [{ shape: [2, 5, 3, 4] }] },
    { attrs: { axis: 0 }, inputs: [{ shape: [4], values: [1, 3, 3, 0] }] },
  ],
  reverseSequence: [
    {
      attrs: { batchAxis: 1, timeAxis: 0 },
      inputs: [{ shape: [4, 3] }, { shape: [3], dtype: 'int64', values: [4, 2, 1] }],
    },
    {
      attrs: { batchAxis: 0, timeAxis: 1 },
      inputs: [{ shape: [2, 5, 3] }, { shape: [2], dtype: 'int64', values: [3, 0] }],
    },
  ],
  pad: padModes.flatMap((mode): OpCase<PadAttrs>[] => [
    { attrs: { begin: [0, 0, 1, 2], end: [0, 0, 2, 1], mode, value: 0.5 }, inputs: [{ shape: [2, 5, 3, 4] }] },
    { attrs: { begin: [1, 2, 0, -1], end: [0, 1, -1, 2], mode, value: 0 }, inputs: [{ shape: [2, 5, 3, 4] }] },
    { attrs: { begin: [7], end: [8], mode, value: 3 }, inputs: [{ shape: [4], dtype: 'int64', range: [0, 9] }] },
    { attrs: { begin: [0, 0, 0], end: [0, 0, 0], mode, value: 3 }, inputs: [{ shape: [2, 3, 4] }] },
    { attrs: { begin: [-1, -1], end: [-1, 0], mode, value: 3 }, inputs: [{ shape: [4, 3] }] },
  ]),
  reshape: [
    { attrs: { shape: [6, 4] }, inputs: [{ shape: [2, 3, 4] }] },
    { attrs: { shape: [2, 3] }, inputs: [{ shape: [2, 3, 1, 1] }] },
    { attrs: { shape: [2, 3, 5] }, inputs: [{ shape: [2, 3, 1, 5] }] },
    { attrs: { shape: [2, 3, 20] }, inputs: [{ shape: [2, 3, 4, 5] }] },
    { attrs: { shape: [2, 2, 3, 4, 5] }, inputs: [{ shape: [2, 6, 4, 5] }] },
    { attrs: { shape: [2, 60] }, inputs: [{ shape: [2, 3, 4, 5] }] },
    { attrs: { shape: [] }, inputs: [{ shape: [1, 1], dtype: 'int64', values: [5] }] },
    { attrs: { shape: [0, 7] }, inputs: [{ shape: [3, 0] }] },
  ],
  scatterElements: (['none', 'add', 'mul', 'max', 'min'] as const).flatMap((reduction) => [
    {
      attrs: { axis: 1, reduction },
      inputs: [
        { shape: [3, 5] },
        { shape: [2, 3], dtype: 'int64' as const, values: [0, -1, 2, 3, 1, 0] },
        { shape: [2, 3] },
      ],
    },
    {
      attrs: { axis: 0, reduction },
      inputs: [
        { shape: [3, 2, 2, 2] },
        { shape: [1, 2, 2, 1], dtype: 'int32' as const, range: [0, 2] as const },
        { shape: [1, 2, 2, 1] },
      ],
    },
  ]),
  scatterND: [
    {
      attrs: { reduction: 'none' },
      inputs: [{ shape: [8] }, { shape: [3, 1], dtype: 'int64', values: [4, -1, 0] }, { shape: [3] }],
    },
    {
      attrs: { reduction: 'add' },
      inputs: [{ shape: [4, 3, 2] }, { shape: [2, 1], dtype: 'int64', values: [1, 1] }, { shape: [2, 3, 2] }],
    },
    {
      attrs: { reduction: 'mul' },
      inputs: [{ shape: [4, 3] }, { shape: [2, 2, 2], dtype: 'int32', range: [0, 2] }, { shape: [2, 2] }],
    },
    {
      attrs: { reduction: 'max' },
      inputs: [{ shape: [4, 3] }, { shape: [2, 1], dtype: 'int32', range: [0, 3] }, { shape: [2, 3] }],
    },
    {
      attrs: { reduction: 'min' },
      inputs: [{ shape: [4, 3] }, { shape: [2, 1], dtype: 'int32', range: [0, 3] }, { shape: [2, 3] }],
    },
  ],
  nonZero: [
    { attrs: {}, inputs: [{ shape: [2, 3], values: [0, 1, 0, -2, 0, 3] }] },
    { attrs: {}, inputs: [{ shape: [4, 2], dtype: 'bool', range: [0, 1] }] },
  ],
  compress: [
    { attrs: { axis: 0 }, inputs: [{ shape: [3, 2] }, { shape: [3], dtype: 'bool', values: [0, 1, 1] }] },
    { attrs: { axis: null }, inputs: [{ shape: [3, 2] }, { shape: [5], dtype: 'bool', values: [0, 1, 1, 0, 1] }] },
  ],
  unique: [
    { attrs: { axis: null, sorted: true }, inputs: [{ shape: [6], values: [2, 1, 1, 3, 4, 3] }] },
    { attrs: { axis: null, sorted: false }, inputs: [{ shape: [6], values: [2, 1, 1, 3, 4, 3] }] },
    { attrs: { axis: 0, sorted: true }, inputs: [{ shape: [3, 3], values: [1, 0, 0, 1, 0, 0, 2, 3, 4] }] },
  ],
};
