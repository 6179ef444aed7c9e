import { type CasesOf, caseSpatial } from '../case.ts';
import type { QuantizeOps } from './attrs.ts';

export const quantizeCases: CasesOf<keyof QuantizeOps> = {
  roundThrough: [
    { attrs: {}, inputs: [{ shape: [2, 3, 4], range: [-5, 5] }] },
    { attrs: {}, inputs: [{ shape: [6], values: [0.5, 1.5, -0.5, -1.5, 2.5, 0.49] }] },
  ],
  convInteger: [
    {
      attrs: {
        ...caseSpatial(2, { padBegin: [1, 1], padEnd: [1, 1], stride: [2, 2] }),
        groups: 2,
        xZeroPoint: 117,
        wZeroPoint: 0,
      },
      inputs: [
        { shape: [1, 6, 8, 6], dtype: 'uint8', range: [0, 255] },
        { shape: [10, 3, 3, 3], dtype: 'int8', range: [-127, 127] },
      ],
    },
    {
      attrs: { ...caseSpatial(1), groups: 1, xZeroPoint: 0, wZeroPoint: -3 },
      inputs: [
        { shape: [2, 40, 9], dtype: 'int32', range: [-30000, 30000] },
        { shape: [3, 40, 3], dtype: 'int32', range: [-1000, 1000] },
      ],
    },
  ],
};
