import type { Activation } from '../../backend/prims/elementwise.ts';
import { random } from '../case.ts';
import type { OpCase, OpCaseInput } from '../core/op.ts';
import type { BatchNormOpAttrs, BatchNormTrainingAttrs, GroupNormAttrs, LayerNormAttrs, LrnOpAttrs } from './attrs.ts';

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

export const batchNormCases = (): OpCase<BatchNormOpAttrs>[] =>
  [...shapes, [5, 7], [1, 64]].map((shape, i) => {
    const c = shape[1];
    const weight = i % 4 === 3 ? null : positive(c);
    const bias = i % 4 === 2 ? null : random(c);
    return {
      attrs: { epsilon: i % 2 === 0 ? 1e-5 : 1e-3, activation: i % 3 === 1 ? relu : null },
      inputs: [random(...shape), weight, bias, random(c), positive(c)],
    };
  });

export const batchNormTrainingCases = (): OpCase<BatchNormTrainingAttrs>[] =>
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

export const instanceNormCases = (): OpCase<BatchNormOpAttrs>[] =>
  shapes.map((shape, i) => ({
    attrs: { epsilon: i % 2 === 0 ? 1e-3 : 1e-2, activation: i % 3 === 1 ? relu : null },
    inputs: affine(shape, i, [shape[1]]),
  }));

export const groupNormCases = (): OpCase<GroupNormAttrs>[] =>
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

export const layerNormCases = (): OpCase<LayerNormAttrs & { readonly statistics: boolean }>[] =>
  layers.map(([shape, axis], i) => ({
    attrs: { axis, epsilon: 1e-3, statistics: i % 3 === 1 },
    inputs: affine(shape, i, shape.slice(axis)),
  }));

export const rmsNormCases = (): OpCase<LayerNormAttrs>[] =>
  layers.map(([shape, axis], i) => ({ attrs: { axis, epsilon: 1e-5 }, inputs: affine(shape, i, shape.slice(axis)) }));

export const lrnCases = (): OpCase<LrnOpAttrs>[] =>
  [...shapes, [3, 9]].map((shape, i) => ({
    attrs: {
      size: [1, 5, 3, 4, 7, 2, 5, 9, 3, 5][i],
      alpha: [1e-4, 0.5, 1][i % 3],
      beta: [0.75, 0.5, 1][i % 3],
      bias: [1, 2, 0.7][i % 3],
    },
    inputs: [random(...shape)],
  }));
