import type { Activation } from '../../backend/prims/elementwise.ts';
import { type CasesOf, caseSpatial, type OpCase, random } from '../case.ts';
import { windowOutput } from '../window.ts';
import type {
  ConvOpAttrs,
  ConvOps,
  ConvTransposeOpAttrs,
  ConvWeightGradOpAttrs,
  FoldAttrs,
  UnfoldAttrs,
} from './attrs.ts';

function convTransposeCases(): OpCase<ConvTransposeOpAttrs>[] {
  const make = (
    x: number[],
    weight: number[],
    given: Partial<ConvTransposeOpAttrs> = {},
    bias = true,
  ): OpCase<ConvTransposeOpAttrs> => {
    const rank = x.length - 2;
    const attrs = {
      groups: 1,
      activation: null,
      outputPadding: new Array(rank).fill(0),
      ...caseSpatial(rank),
      ...given,
    };
    return { attrs, inputs: [random(...x), random(...weight), bias ? random(weight[1] * attrs.groups) : null] };
  };
  return [
    make([1, 1, 1, 1], [1, 1, 1, 1]),
    make([2, 8, 5, 7], [8, 12, 2, 2], { stride: [2, 2] }),
    make([1, 16, 6, 6], [16, 9, 4, 4], { stride: [2, 2], padBegin: [1, 1], padEnd: [1, 1] }),
    make([1, 5, 4, 6], [5, 7, 3, 3], {}, false),
    make([2, 4, 5, 3], [4, 6, 3, 3], { stride: [3, 2], outputPadding: [2, 1], padBegin: [1, 0], padEnd: [0, 1] }),
    make([1, 6, 5, 5], [6, 4, 3, 2], { dilation: [2, 3], padBegin: [2, 1], padEnd: [2, 1] }),
    make([1, 8, 4, 4], [8, 3, 3, 3], { groups: 4, stride: [2, 1] }),
    make([1, 6, 7, 5], [6, 1, 3, 3], {
      groups: 6,
      stride: [2, 2],
      padBegin: [1, 1],
      padEnd: [1, 1],
      outputPadding: [1, 1],
    }),
    make([1, 3, 4, 4], [3, 5, 1, 1], { stride: [3, 3] }),
    make([1, 24, 3, 5], [24, 20, 3, 3], { activation: { kind: 'relu', alpha: 0, beta: 0 } }),
    make([2, 3, 9], [3, 4, 5], { stride: [2], padBegin: [2], padEnd: [2], outputPadding: [1] }),
    make([1, 4, 11], [4, 2, 3], { groups: 2, dilation: [2], outputPadding: [1] }, false),
    make([1, 3, 3, 4, 2], [3, 2, 2, 3, 2], { stride: [2, 1, 2], padBegin: [0, 1, 0], padEnd: [1, 1, 0] }),
    make([2, 4, 2, 3, 3], [4, 2, 3, 1, 3], { groups: 2, stride: [1, 2, 3], outputPadding: [0, 1, 2] }),
  ];
}

function convWeightGradCases(): OpCase<ConvWeightGradOpAttrs>[] {
  const make = (
    x: number[],
    outChannels: number,
    kernel: number[],
    given: Partial<ConvWeightGradOpAttrs> = {},
  ): OpCase<ConvWeightGradOpAttrs> => {
    const attrs = { groups: 1, kernel, ...caseSpatial(x.length - 2), ...given };
    const output = windowOutput('convWeightGrad', x.slice(2), kernel, attrs);
    return { attrs, inputs: [random(...x), random(x[0], outChannels, ...output)] };
  };
  const pad = (n: number, rank = 2) => ({ padBegin: new Array(rank).fill(n), padEnd: new Array(rank).fill(n) });
  return [
    make([1, 1, 1, 1], 1, [1, 1]),
    make([2, 8, 9, 7], 12, [1, 1]),
    make([3, 16, 5, 6], 40, [1, 1], { stride: [2, 3] }),
    make([4, 1, 13, 11], 6, [5, 5], pad(2)),
    make([2, 3, 11, 13], 8, [3, 3], { ...pad(1), stride: [2, 2] }),
    make([2, 3, 23, 21], 16, [7, 7], { ...pad(3), stride: [2, 2] }),
    make([3, 6, 9, 9], 16, [5, 5]),
    make([2, 16, 12, 12], 16, [3, 3], pad(1)),
    make([1, 33, 9, 15], 23, [3, 3], pad(1)),
    make([1, 4, 8, 8], 6, [3, 3], { padBegin: [0, 2], padEnd: [1, 0] }),
    make([2, 6, 10, 11], 5, [3, 2], { ...pad(2), dilation: [2, 3] }),
    make([1, 8, 9, 9], 12, [3, 3], { ...pad(1), groups: 4 }),
    make([2, 6, 5, 5], 6, [5, 5], { ...pad(4), groups: 2, stride: [3, 2] }),
    make([2, 8, 13, 11], 8, [3, 3], { ...pad(1), groups: 8 }),
    make([2, 21, 12, 10], 21, [5, 5], { ...pad(2), groups: 21, stride: [2, 2] }),
    make([1, 19, 9, 8], 19, [3, 3], { ...pad(2), groups: 19, dilation: [2, 2] }),
    make([1, 4, 7, 7], 12, [3, 3], { ...pad(1), groups: 4 }),
    make([2, 3, 17], 8, [5], { ...pad(2, 1), stride: [2] }),
    make([1, 12, 20], 12, [3], { ...pad(1, 1), groups: 12 }),
    make([1, 3, 5, 6, 7], 4, [3, 3, 3], { ...pad(1, 3), stride: [1, 2, 1] }),
    make([2, 4, 4, 5, 6], 4, [2, 1, 3], { groups: 2, dilation: [2, 1, 1] }),
    make([5, 40, 1, 1], 70, [1, 1]),
    make([3, 2, 2, 2], 2, [5, 5], pad(2)),
    make([2, 70, 6, 5], 65, [2, 2], { stride: [2, 2] }),
  ];
}

function convolutionCases(): OpCase<ConvOpAttrs>[] {
  const relu: Activation = { kind: 'relu', alpha: 0, beta: 0 };
  const make = (
    x: number[],
    weight: number[],
    given: Partial<ConvOpAttrs> = {},
    bias = true,
    residual: number[] | null = null,
  ): OpCase<ConvOpAttrs> => ({
    attrs: { groups: 1, activation: null, ...caseSpatial(x.length - 2), ...given },
    inputs: [random(...x), random(...weight), bias ? random(weight[0]) : null, residual ? random(...residual) : null],
  });
  const pad = (n: number, rank = 2) => ({ padBegin: new Array(rank).fill(n), padEnd: new Array(rank).fill(n) });
  return [
    make([1, 1, 1, 1], [1, 1, 1, 1]),
    make([2, 8, 9, 7], [12, 8, 1, 1], { activation: relu }),
    make([1, 5, 6, 9], [7, 5, 1, 1], { stride: [2, 3] }, false),
    make([1, 3, 11, 13], [8, 3, 3, 3], { ...pad(1), stride: [2, 2], activation: relu }),
    make([1, 3, 23, 21], [16, 3, 7, 7], { ...pad(3), stride: [2, 2] }),
    make([2, 8, 7, 10], [9, 8, 3, 3], pad(1)),
    make([1, 16, 12, 12], [16, 16, 3, 3], { ...pad(1), activation: relu }, true, [1, 16, 12, 12]),
    make([1, 32, 9, 15], [24, 32, 3, 3], pad(1)),
    make([1, 4, 8, 8], [6, 4, 3, 3], { padBegin: [0, 2], padEnd: [1, 0] }),
    make([1, 6, 10, 11], [5, 6, 3, 2], { ...pad(2), dilation: [2, 3] }),
    make([1, 8, 9, 9], [12, 2, 3, 3], { ...pad(1), groups: 4 }),
    make([2, 6, 5, 5], [6, 3, 5, 5], { ...pad(4), groups: 2, stride: [3, 2] }, false),
    make([1, 8, 13, 11], [8, 1, 3, 3], { ...pad(1), groups: 8, activation: { kind: 'clip', alpha: 0, beta: 6 } }),
    make([2, 5, 12, 10], [5, 1, 5, 5], { ...pad(2), groups: 5, stride: [2, 2] }),
    make([1, 19, 9, 8], [19, 1, 3, 3], { ...pad(2), groups: 19, dilation: [2, 2] }, true, [1, 19, 9, 8]),
    make([1, 4, 7, 7], [12, 1, 3, 3], { ...pad(1), groups: 4 }),
    make([2, 3, 17], [8, 3, 5], { ...pad(2, 1), stride: [2] }),
    make([1, 12, 20], [12, 1, 3], { ...pad(1, 1), groups: 12, activation: { kind: 'silu', alpha: 0, beta: 0 } }),
    make([1, 3, 5, 6, 7], [4, 3, 3, 3, 3], { ...pad(1, 3), stride: [1, 2, 1] }),
    make([2, 4, 4, 5, 6], [4, 2, 2, 1, 3], { groups: 2, dilation: [2, 1, 1] }),
    make([1, 40, 1, 1], [70, 40, 1, 1], { activation: { kind: 'hardSwish', alpha: 0, beta: 0 } }),
    make([3, 2, 2, 2], [2, 2, 5, 5], pad(2), false, [3, 2, 2, 2]),
  ];
}

const windowCases: readonly UnfoldAttrs[] = [
  { kernel: [3, 3], stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1] },
  { kernel: [2, 3], stride: [2, 2], padBegin: [0, 0], padEnd: [0, 0], dilation: [1, 1] },
  { kernel: [2, 2], stride: [1, 1], padBegin: [1, 0], padEnd: [1, 2], dilation: [2, 2] },
];

export const convCases: CasesOf<keyof ConvOps> = {
  convTranspose: convTransposeCases(),
  convWeightGrad: convWeightGradCases(),
  conv: convolutionCases(),
  unfold: windowCases.map((attrs) => ({ attrs, inputs: [{ shape: [2, 3, 6, 7] }] })),
  fold: windowCases.map((attrs): OpCase<FoldAttrs> => {
    const [oh, ow] = windowOutput('fold', [6, 7], attrs.kernel, attrs);
    return {
      attrs: { ...attrs, outputSize: [6, 7] },
      inputs: [{ shape: [2, 3 * attrs.kernel[0] * attrs.kernel[1], oh * ow] }],
    };
  }),
};
