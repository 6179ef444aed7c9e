import type { CasesOf, OpCase } from '../case.ts';
import type { DrawAttrs, DropoutMaskAttrs, RandomOps } from './attrs.ts';

export const randomCases: CasesOf<keyof RandomOps> = {
  dropoutMask: [
    [[2, 3, 5, 7], 0.5, 2, 0],
    [[33], 0.1, 1 / 0.9, 0],
    [[4, 2, 3], 0.9, 0.5, -1.5],
    [[0, 3], 0.5, 2, 0],
    [[5], 0, 1, 0],
    [[5], 1, 0, 0],
  ].map(
    ([shape, p, kept, dropped], i): OpCase<DropoutMaskAttrs> => ({
      attrs: { shape: shape as number[], p: p as number, kept: kept as number, dropped: dropped as number },
      inputs: [{ shape: [2], dtype: 'int32', values: [i * 977, -i] }],
    }),
  ),
  draw: [
    { shape: [2, 3, 5, 7], distribution: 'uniform' },
    { shape: [33], distribution: 'normal' },
    { shape: [], distribution: 'normal' },
    { shape: [0, 3], distribution: 'uniform' },
    { shape: [2, 19], dtype: 'int64', distribution: 'integers', low: -5, high: 12 },
  ].map(
    (given, i): OpCase<DrawAttrs> => ({
      attrs: { dtype: 'float32', low: 0, high: 1, ...given } as DrawAttrs,
      inputs: [{ shape: [2], dtype: 'int32', values: [i * 977, -i] }],
    }),
  ),
};
