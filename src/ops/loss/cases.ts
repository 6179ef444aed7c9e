import type { CasesOf, OpCase } from '../case.ts';
import type { CrossEntropyOpAttrs, LossOps } from './attrs.ts';
import { reductions } from './loss.ts';

const plain = { reduction: 'mean', ignoreIndex: -100, labelSmoothing: 0 } as const;

/** Shapes of x, with weights or not, all reductions; target 1 occurs and is ignored in some. */
function crossEntropyCases(range: readonly [number, number]): OpCase<CrossEntropyOpAttrs>[] {
  return [[6, 5], [2, 4, 3, 3], [3, 35, 6], [7]].flatMap((shape) =>
    reductions.flatMap((reduction) => {
      const classes = shape.length === 1 ? shape[0] : shape[1];
      const target = {
        shape: shape.filter((_, i) => i !== Math.min(1, shape.length - 1)),
        dtype: 'int64',
        range: [0, classes - 1],
      } as const;
      const x = { shape, range };
      const weight = { shape: [classes], range: [0.2, 2] } as const;
      return [
        { attrs: { ...plain, reduction }, inputs: [x, target, null] },
        { attrs: { reduction, ignoreIndex: 1, labelSmoothing: 0.2 }, inputs: [x, target, weight] },
      ];
    }),
  );
}

export const lossCases: CasesOf<keyof LossOps> = {
  ctcLoss: [
    {
      attrs: { blank: 0, zeroInfinity: false },
      inputs: [
        { shape: [7, 2, 5], range: [-4, -0.2] },
        { shape: [2, 3], dtype: 'int64', values: [1, 2, 2, 3, 4, 0] },
        { shape: [2], dtype: 'int64', values: [7, 5] },
        { shape: [2], dtype: 'int64', values: [3, 2] },
      ],
    },
    {
      attrs: { blank: 3, zeroInfinity: true },
      inputs: [
        { shape: [3, 3, 4], range: [-4, -0.2] },
        { shape: [3, 3], dtype: 'int32', values: [1, 1, 1, 0, 0, 0, 2, 0, 0] },
        { shape: [3], dtype: 'int32', values: [3, 2, 1] },
        { shape: [3], dtype: 'int32', values: [3, 0, 1] },
      ],
    },
  ],
  softmaxCrossEntropy: crossEntropyCases([-5, 5]),
  nllLoss: crossEntropyCases([-5, 0]),
  crossEntropyGrad: crossEntropyCases([-5, 0]).flatMap(({ attrs, inputs }) => {
    const gy = { shape: attrs.reduction === 'none' ? (inputs[1]?.shape ?? []) : [] };
    const total = { shape: [], values: [3.5] };
    return [true, false].map((logits) => ({ attrs: { ...attrs, logits }, inputs: [...inputs, gy, total] }));
  }),
};
