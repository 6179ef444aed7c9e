import { type ReduceKind, reduceKinds } from '../../backend/prims/reduce.ts';
import { type CasesOf, type OpCase, type OpCaseInput, tableOf } from '../case.ts';
import type {
  ArgReduceOpAttrs,
  CumulativeAttrs,
  ReduceName,
  ReduceOpAttrs,
  ReduceOps,
  SoftmaxOpAttrs,
} from './attrs.ts';

function reductionCases(kind: ReduceKind): OpCase<ReduceOpAttrs>[] {
  const range = kind === 'logSum' ? ([0.1, 2] as const) : ([-2, 2] as const);
  const shape = [2, 5, 3, 4];
  const cases: OpCase<ReduceOpAttrs>[] = [[3], [1], [0], [2, 3], [1, 2, 3], [0, 2], [1, 3], [0, 1, 2, 3], []].flatMap(
    (axes) => [
      { attrs: { axes, keepDims: true }, inputs: [{ shape, range }] },
      { attrs: { axes, keepDims: false }, inputs: [{ shape, range }] },
    ],
  );
  cases.push({ attrs: { axes: [2, 3], keepDims: false }, inputs: [{ shape: [1, 37, 7, 7], range }] });
  cases.push({ attrs: { axes: [1], keepDims: true }, inputs: [{ shape: [2, 0], range }] });
  cases.push({ attrs: { axes: [1], keepDims: false }, inputs: [{ shape: [2, 5], dtype: 'int64', range: [1, 9] }] });
  return cases;
}

const argCases: readonly OpCase<ArgReduceOpAttrs>[] = [
  { attrs: { axis: 1, keepDims: true, selectLast: false }, inputs: [{ shape: [2, 5, 3, 4] }] },
  { attrs: { axis: 1, keepDims: false, selectLast: false }, inputs: [{ shape: [2, 5, 3, 4] }] },
  { attrs: { axis: 3, keepDims: false, selectLast: true }, inputs: [{ shape: [2, 5, 3, 8] }] },
  { attrs: { axis: 0, keepDims: false, selectLast: true }, inputs: [{ shape: [6], values: [1, 3, 3, -2, -2, 0] }] },
  {
    attrs: { axis: 0, keepDims: false, selectLast: false },
    inputs: [{ shape: [6], dtype: 'int32', values: [1, 3, 3, -2, -2, 0] }],
  },
];

const softmaxCases: readonly OpCase<SoftmaxOpAttrs>[] = [
  { attrs: { axis: 1 }, inputs: [{ shape: [3, 10], range: [-30, 30] }] },
  { attrs: { axis: 1 }, inputs: [{ shape: [2, 5, 3, 4], range: [-5, 5] }] },
  { attrs: { axis: 3 }, inputs: [{ shape: [2, 5, 3, 33], range: [-5, 5] }] },
  { attrs: { axis: 0 }, inputs: [{ shape: [4, 3] }] },
  { attrs: { axis: 1 }, inputs: [{ shape: [2, 1], range: [500, 1000] }] },
  { attrs: { axis: 1 }, inputs: [{ shape: [2, 0] }] },
];

const cumulativeCases: readonly OpCase<CumulativeAttrs>[] = [
  { attrs: { axis: 1, exclusive: false, reverse: false }, inputs: [{ shape: [2, 5, 3, 4] }] },
  { attrs: { axis: 3, exclusive: true, reverse: false }, inputs: [{ shape: [2, 5, 3, 4] }] },
  { attrs: { axis: 0, exclusive: false, reverse: true }, inputs: [{ shape: [6], dtype: 'int64', range: [1, 5] }] },
  { attrs: { axis: 0, exclusive: true, reverse: true }, inputs: [{ shape: [6, 2] }] },
];

export const reduceCases: CasesOf<keyof ReduceOps> = {
  cumProdGrad: [
    {
      attrs: { axis: 1, exclusive: false, reverse: false },
      inputs: [{ shape: [2, 5, 3, 4] }, { shape: [2, 5, 3, 4] }],
    },
    { attrs: { axis: 3, exclusive: true, reverse: false }, inputs: [{ shape: [2, 5, 3, 4] }, { shape: [2, 5, 3, 4] }] },
    {
      attrs: { axis: 0, exclusive: false, reverse: true },
      inputs: [{ shape: [6], values: [1, 0, 2, 3, 0, 4] }, { shape: [6] }],
    },
    { attrs: { axis: 0, exclusive: true, reverse: true }, inputs: [{ shape: [6, 2] }, { shape: [6, 2] }] },
  ],
  ...tableOf(reduceKinds, reductionCases, (kind) => `reduce${kind[0].toUpperCase()}${kind.slice(1)}` as ReduceName),
  argMax: argCases,
  argMin: argCases,
  softmaxGrad: [true, false].flatMap((log) => {
    const y = (shape: readonly number[]): OpCaseInput => ({ shape, range: log ? [-5, 0] : [0, 1] });
    return [
      { attrs: { axis: 1, log }, inputs: [y([3, 10]), { shape: [3, 10] }] },
      { attrs: { axis: 1, log }, inputs: [y([2, 5, 3, 4]), { shape: [2, 5, 3, 4] }] },
      { attrs: { axis: 3, log }, inputs: [y([2, 5, 3, 33]), { shape: [2, 5, 3, 33] }] },
      { attrs: { axis: 0, log }, inputs: [y([4, 3]), { shape: [4, 3] }] },
      { attrs: { axis: 1, log }, inputs: [y([2, 0]), { shape: [2, 0] }] },
    ];
  }),
  softmax: softmaxCases,
  logSoftmax: softmaxCases,
  topK: [
    { attrs: { k: 3, axis: 1, largest: true, sorted: true }, inputs: [{ shape: [3, 7] }] },
    { attrs: { k: 2, axis: 1, largest: false, sorted: true }, inputs: [{ shape: [2, 5, 3, 2] }] },
    {
      attrs: { k: 4, axis: 0, largest: true, sorted: true },
      inputs: [{ shape: [6], dtype: 'int64', values: [3, 1, 3, 2, 3, 0] }],
    },
    { attrs: { k: 5, axis: 0, largest: true, sorted: false }, inputs: [{ shape: [700] }] },
    { attrs: { k: 0, axis: 0, largest: true, sorted: true }, inputs: [{ shape: [4] }] },
  ],
  cumSum: cumulativeCases,
  cumProd: cumulativeCases,
};
