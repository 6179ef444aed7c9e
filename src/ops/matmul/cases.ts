import type { CasesOf } from '../case.ts';
import type { MatmulOps } from './attrs.ts';

const plain = { transposeA: false, transposeB: false, alpha: 1, activation: null };

export const matmulCases: CasesOf<keyof MatmulOps> = {
  matmul: [
    { attrs: plain, inputs: [{ shape: [5, 7] }, { shape: [7, 9] }, null] },
    { attrs: plain, inputs: [{ shape: [1, 33] }, { shape: [33, 10] }, { shape: [10] }] },
    { attrs: { ...plain, transposeB: true }, inputs: [{ shape: [3, 33] }, { shape: [10, 33] }, { shape: [10] }] },
    { attrs: { ...plain, transposeB: true }, inputs: [{ shape: [19, 33] }, { shape: [21, 33] }, null] },
    { attrs: { ...plain, transposeA: true, alpha: 0.5 }, inputs: [{ shape: [6, 13] }, { shape: [6, 11] }, null] },
    {
      attrs: { ...plain, transposeA: true, transposeB: true },
      inputs: [{ shape: [2, 6, 5] }, { shape: [2, 4, 6] }, null],
    },
    { attrs: plain, inputs: [{ shape: [2, 3, 4, 5] }, { shape: [5, 6] }, { shape: [6] }] },
    { attrs: plain, inputs: [{ shape: [2, 1, 4, 5] }, { shape: [3, 5, 6] }, null] },
    { attrs: plain, inputs: [{ shape: [4, 5] }, { shape: [3, 5, 2] }, null] },
    { attrs: plain, inputs: [{ shape: [5] }, { shape: [5] }, null] },
    { attrs: plain, inputs: [{ shape: [5] }, { shape: [2, 5, 3] }, null] },
    { attrs: plain, inputs: [{ shape: [2, 3, 5] }, { shape: [5] }, null] },
    {
      attrs: { ...plain, activation: { kind: 'relu', alpha: 0, beta: 0 } },
      inputs: [{ shape: [17, 20] }, { shape: [20, 13] }, { shape: [13] }],
    },
    {
      attrs: plain,
      inputs: [
        { shape: [2, 3], dtype: 'int32', range: [-9, 9] },
        { shape: [3, 2], dtype: 'int32', range: [-9, 9] },
        null,
      ],
    },
    { attrs: plain, inputs: [{ shape: [2, 0] }, { shape: [0, 3] }, { shape: [3] }] },
  ],
};
