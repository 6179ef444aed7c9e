import type { Activation } from '../../backend/prims/elementwise.ts';
import { type CasesOf, type OpCase, type OpCaseInput, random } from '../case.ts';
import type {
  BatchNormGradOpAttrs,
  BatchNormOpAttrs,
  BatchNormTrainingAttrs,
  GroupNormAttrs,
  GroupNormGradAttrs,
  LayerNormAttrs,
  LayerNormGradAttrs,
  LrnGradOpAttrs,
  LrnOpAttrs,
  NormOps,
} from './attrs.ts';

const relu: Activation = { kind: 'relu', alpha: 0, beta: 0 };
/** Weights and variances away from zero. */
const positive = (...shape: number[]): OpCaseInput => ({ shape, range: [0.5, 2] });

const shapes = [
  [1, 1, 1, 1],
  [2, 8, 5, 7],
  [1, 5, 9, 3],
  [3, 16, 4, 4],
  [1, 33, 2, 6],
  [2, 6, 11],
  [1, 12, 3, 4, 5],
  [2, 4, 1, 3, 2],
  [4, 20, 1, 1],
];

const batchNormCases = (): OpCase<BatchNormOpAttrs>[] =>
  [...shapes, [5, 7], [1, 64]].map((shape, i) => {
    const c = shape[1];
    const weight = i % 4 === 3 ? null : positive(c);
    const bias = i % 4 === 2 ? null : random(c);
    return {
      attrs: { epsilon: i % 2 === 0 ? 1e-5 : 1e-3, activation: i % 3 === 1 ? relu : null },
      inputs: [random(...shape), weight, bias, random(c), positive(c)],
    };
  });

const batchNormTrainingCases = (): OpCase<BatchNormTrainingAttrs>[] =>
  [...shapes.slice(1), [5, 7]].map((shape, i) => {
    const c = shape[1];
    return {
      attrs: { epsilon: 1e-5, momentum: [0.9, 0.5, 0.97][i % 3], unbiased: i % 2 === 1 },
      inputs: [
        random(...shape),
        i % 4 === 3 ? null : positive(c),
        i % 4 === 2 ? null : random(c),
        random(c),
        positive(c),
      ],
    };
  });

const affine = (shape: number[], i: number, size: readonly number[]): (OpCaseInput | null)[] => [
  random(...shape),
  i % 4 === 3 ? null : positive(...size),
  i % 4 === 2 ? null : random(...size),
];

const instanceNormCases = (): OpCase<BatchNormOpAttrs>[] =>
  shapes.map((shape, i) => ({
    attrs: { epsilon: i % 2 === 0 ? 1e-3 : 1e-2, activation: i % 3 === 1 ? relu : null },
    inputs: affine(shape, i, [shape[1]]),
  }));

const groupNormCases = (): OpCase<GroupNormAttrs>[] =>
  [...shapes, [3, 12]].map((shape, i) => ({
    attrs: {
      epsilon: 1e-3,
      activation: i % 3 === 1 ? relu : null,
      groups: [1, 2, 5, 4, 3, 3, 4, 1, 5, 2][i],
    },
    inputs: affine(shape, i, [shape[1]]),
  }));

const layers: readonly (readonly [number[], number])[] = [
  [[1], 0],
  [[3, 5], 1],
  [[2, 3, 64], 2],
  [[4, 33], 1],
  [[2, 3, 4], 1],
  [[2, 3, 4, 5], 2],
  [[7, 130], 1],
  [[2, 2, 3, 3, 3], 1],
  [[1, 9, 16], 0],
];

const layerNormCases = (): OpCase<LayerNormAttrs & { readonly statistics: boolean }>[] =>
  layers.map(([shape, axis], i) => ({
    attrs: { axis, epsilon: 1e-3, statistics: i % 3 === 1 },
    inputs: affine(shape, i, shape.slice(axis)),
  }));

const rmsNormCases = (): OpCase<LayerNormAttrs>[] =>
  layers.map(([shape, axis], i) => ({ attrs: { axis, epsilon: 1e-5 }, inputs: affine(shape, i, shape.slice(axis)) }));

const lrnCases = (): OpCase<LrnOpAttrs>[] =>
  [...shapes, [3, 9]].map((shape, i) => ({
    attrs: {
      size: [1, 5, 3, 4, 7, 2, 5, 9, 3, 5][i],
      alpha: [1e-4, 0.5, 1][i % 3],
      beta: [0.75, 0.5, 1][i % 3],
      bias: [1, 2, 0.7][i % 3],
    },
    inputs: [random(...shape)],
  }));

const offset = (...shape: number[]): OpCaseInput => ({ shape, range: [2, 5] });

function batchNormGradCases(): OpCase<BatchNormGradOpAttrs>[] {
  const shapes = [
    [2, 1],
    [9, 5],
    [4, 3, 7],
    [2, 16, 6, 5],
    [3, 70, 9, 8],
    [2, 33, 4, 3, 5],
    [64, 8, 13, 12],
    [5, 600],
  ];
  return shapes.flatMap((shape) => {
    const c = shape[1];
    return [
      { attrs: { epsilon: 1e-5 }, inputs: [offset(...shape), random(c), random(...shape), null, null] },
      { attrs: { epsilon: 1e-3 }, inputs: [random(...shape), null, offset(...shape), random(c), positive(c)] },
    ];
  });
}

function groupNormGradCases(): OpCase<GroupNormGradAttrs>[] {
  const tried: [number[], number][] = [
    [[2, 4], 2],
    [[1, 6, 5], 6],
    [[2, 6, 5, 4], 3],
    [[2, 16, 6, 6], 16],
    [[3, 21, 4, 5], 21],
    [[2, 32, 5, 5], 8],
    [[1, 36, 4, 3], 3],
    [[2, 70, 3, 2, 4], 2],
    [[4, 96, 7, 6], 1],
  ];
  return tried.map(([shape, groups], i) => ({
    attrs: { groups, epsilon: 1e-5 },
    inputs: [offset(...shape), i % 3 === 1 ? null : random(shape[1]), random(...shape)],
  }));
}

function layerNormGradCases(): OpCase<LayerNormGradAttrs>[] {
  const tried: [number[], number, boolean][] = [
    [[3, 5], 1, true],
    [[2, 3, 70], 2, true],
    [[2, 3, 4, 5], 1, true],
    [[40, 256], 1, true],
    [[2, 1030], 1, true],
    [[7, 33], 1, false],
    [[2, 4, 16], 2, false],
  ];
  return tried.map(([shape, axis, subtractMean], i) => ({
    attrs: { axis, epsilon: 1e-5, subtractMean },
    inputs: [offset(...shape), i % 3 === 1 ? null : random(...shape.slice(axis)), random(...shape)],
  }));
}

function lrnGradCases(): OpCase<LrnGradOpAttrs>[] {
  const make = (shape: number[], size: number, beta: number, alpha = 0.5): OpCase<LrnGradOpAttrs> => ({
    attrs: { size, alpha, beta, bias: 1 },
    inputs: [random(...shape), random(...shape)],
  });
  return [
    make([1, 1, 1, 1], 1, 0.75),
    make([2, 7, 3, 4], 5, 0.75),
    make([1, 16, 5, 5], 4, 0.5),
    make([2, 33, 3], 3, 1.3),
    make([3, 5], 9, 0.75, 0.01),
  ];
}

export const normCases: CasesOf<keyof NormOps> = {
  batchNormGrad: batchNormGradCases(),
  groupNormGrad: groupNormGradCases(),
  layerNormGrad: layerNormGradCases(),
  lrnGrad: lrnGradCases(),
  batchNorm: batchNormCases(),
  batchNormTraining: batchNormTrainingCases(),
  instanceNorm: instanceNormCases(),
  groupNorm: groupNormCases(),
  layerNorm: layerNormCases(),
  rmsNorm: rmsNormCases(),
  lrn: lrnCases(),
};
