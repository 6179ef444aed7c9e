import { type CasesOf, caseSpatial, type OpCaseInput } from '../case.ts';
import type { QuantizeOps } from './attrs.ts';

/** A zero point. */
const zero = (value: number, dtype: 'uint8' | 'int8' | 'int32'): OpCaseInput => ({ shape: [], dtype, values: [value] });

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
      },
      inputs: [
        { shape: [1, 6, 8, 6], dtype: 'uint8', range: [0, 255] },
        { shape: [10, 3, 3, 3], dtype: 'int8', range: [-127, 127] },
        zero(117, 'uint8'),
        null,
        null,
      ],
    },
    {
      attrs: { ...caseSpatial(1), groups: 1 },
      inputs: [
        { shape: [2, 40, 9], dtype: 'int32', range: [-30000, 30000] },
        { shape: [3, 40, 3], dtype: 'int32', range: [-1000, 1000] },
        null,
        zero(-3, 'int32'),
        null,
      ],
    },
    {
      attrs: { ...caseSpatial(2, { padBegin: [0, 1], padEnd: [1, 0] }), groups: 1 },
      inputs: [
        { shape: [2, 5, 6, 7], dtype: 'uint8', range: [0, 255] },
        { shape: [9, 5, 2, 3], dtype: 'uint8', range: [0, 255] },
        zero(128, 'uint8'),
        { shape: [9, 1, 1, 1], dtype: 'uint8', range: [100, 160] },
        { shape: [9], dtype: 'int32', range: [-100000, 100000] },
      ],
    },
  ],
  matmulInteger: [
    {
      attrs: {},
      inputs: [
        { shape: [2, 5, 33], dtype: 'uint8', range: [0, 255] },
        { shape: [33, 9], dtype: 'int8', range: [-127, 127] },
        zero(120, 'uint8'),
        { shape: [9], dtype: 'int8', range: [-5, 5] },
      ],
    },
    {
      attrs: {},
      inputs: [
        { shape: [4, 7], dtype: 'int8', range: [-128, 127] },
        { shape: [2, 7, 3], dtype: 'int8', range: [-128, 127] },
        { shape: [4, 1], dtype: 'int8', range: [-9, 9] },
        { shape: [2, 1, 3], dtype: 'int8', range: [-9, 9] },
      ],
    },
    {
      attrs: {},
      inputs: [
        { shape: [3, 8], dtype: 'uint8', range: [0, 255] },
        { shape: [8, 2], dtype: 'uint8', range: [0, 255] },
        null,
        null,
      ],
    },
  ],
};
