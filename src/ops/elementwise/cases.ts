import { type BinaryKind, binaryKinds, type UnaryKind, unaryKinds } from '../../backend/prims/elementwise.ts';
import { type DType, dtypes } from '../../common/dtype.ts';
import { type CasesOf, type OpCase, random, tableOf } from '../case.ts';
import type { BinaryOpAttrs, ElementwiseOps, UnaryGradOpAttrs, UnaryOpAttrs } from './attrs.ts';
import { bitwise, comparisons, floatOnly, logical } from './binary.ts';
import { takes, tests, unaryDefaults } from './unary.ts';
import { differentiableKinds } from './unary-grad.ts';

function binaryCases(kind: BinaryKind): OpCase<BinaryOpAttrs>[] {
  const whole = logical.includes(kind) || bitwise.includes(kind);
  const dtype: DType = logical.includes(kind) ? 'bool' : whole ? 'uint32' : 'float32';
  const range = (
    logical.includes(kind) ? [0, 1] : bitwise.includes(kind) ? [0, 20] : kind === 'pow' ? [0.1, 3] : [-4, 4]
  ) as [number, number];
  const shapes = [
    [
      [2, 5, 3, 7],
      [2, 5, 3, 7],
    ],
    [
      [1, 8, 3, 3],
      [8, 1, 1],
    ],
    [[1, 4, 2, 5], [1]],
    [[], [3, 2]],
    [
      [3, 1],
      [1, 4],
    ],
    [
      [2, 3, 4, 5],
      [2, 1, 1, 5],
    ],
    [
      [0, 3],
      [1, 3],
    ],
  ];
  const cases: OpCase<BinaryOpAttrs>[] = shapes.map(([a, b]) => ({
    attrs: {},
    inputs: [
      { shape: a, dtype, range },
      { shape: b, dtype, range },
    ],
  }));
  if (!whole && !floatOnly.includes(kind)) {
    const values = [7, -7, 7, -7, 5, 2];
    cases.push({
      attrs: {},
      inputs: [
        { shape: [6], dtype: 'int64', values },
        { shape: [6], dtype: 'int64', values: [3, 3, -3, -3, 5, 1] },
      ],
    });
    const activation = { kind: 'relu', alpha: 0, beta: 0 } as const;
    if (!comparisons.includes(kind)) {
      cases.push({
        attrs: { activation },
        inputs: [
          { shape: [2, 6, 5], range },
          { shape: [6, 1], range },
        ],
      });
    }
  }
  return cases;
}

const castValues = [0, 1, -1, 2.5, -2.5, 300, -300, 1.0009, 70000, 0.3];

const parameters: { readonly [K in UnaryKind]?: { alpha: number; beta: number } } = {
  clip: { alpha: -1, beta: 2 },
  leakyRelu: { alpha: 0.1, beta: 0 },
  selu: { alpha: 1.6732632423543772, beta: 1.0507009873554805 },
  hardSigmoid: { alpha: 0.2, beta: 0.5 },
  softplus: { alpha: 1.5, beta: 3 },
};

function unaryGradCases(kind: UnaryKind): OpCase<UnaryGradOpAttrs>[] {
  const attrs = { kind, ...(parameters[kind] ?? { alpha: 0.75, beta: 0 }) };
  const range = (
    ['asin', 'acos', 'atanh', 'log1p'].includes(kind) ? [-0.9, 0.9] : kind === 'acosh' ? [1.1, 4] : [0.1, 4]
  ) as readonly [number, number];
  const wide = [-4, 4] as const;
  const signed = ['sqrt', 'rsqrt', 'log', 'reciprocal', 'asin', 'acos', 'atanh', 'log1p', 'acosh'].includes(kind)
    ? range
    : wide;
  return [[1, 5, 3, 7], [33], [], [0, 3]].map((shape) => ({
    attrs,
    inputs: [{ shape, range: signed }, { shape }],
  }));
}

/** Ranges of seeded inputs inside the domain of the function. */
const ranges: { readonly [K in UnaryKind]?: readonly [number, number] } = {
  log: [0.1, 4],
  sqrt: [0, 4],
  rsqrt: [0.1, 4],
  reciprocal: [0.2, 3],
  log1p: [-0.9, 4],
  asin: [-1, 1],
  acos: [-1, 1],
  acosh: [1, 4],
  atanh: [-0.9, 0.9],
};

function unaryCases(kind: UnaryKind): OpCase<UnaryOpAttrs>[] {
  const attrs = kind === 'clip' ? { alpha: -1, beta: 2 } : {};
  if (kind === 'not') return [{ attrs, inputs: [{ shape: [2, 7], dtype: 'bool', range: [0, 1] }] }];
  if (kind === 'bitwiseNot') return [{ attrs, inputs: [{ shape: [2, 7], dtype: 'int32', range: [-100, 100] }] }];
  const range = ranges[kind] ?? ([-5, 5] as const);
  const cases: OpCase<UnaryOpAttrs>[] = [
    { attrs, inputs: [{ shape: [1, 5, 3, 7], range }] },
    { attrs, inputs: [{ shape: [33], range }] },
    { attrs, inputs: [{ shape: [], range }] },
    { attrs, inputs: [{ shape: [0, 3], range }] },
  ];
  if (takes[kind]?.includes('int')) cases.push({ attrs, inputs: [{ shape: [3, 5], dtype: 'int64', range: [-9, 9] }] });
  if (unaryDefaults[kind] !== undefined && kind !== 'isInf') {
    cases.push({ attrs: { alpha: 0.75, beta: 1.25 }, inputs: [{ shape: [2, 19], range }] });
  }
  if (tests.includes(kind)) {
    cases.push({ attrs, inputs: [{ shape: [6], values: [0, Number.NaN, Infinity, -Infinity, 1, -3] }] });
  }
  return cases;
}

export const elementwiseCases: CasesOf<keyof ElementwiseOps> = {
  assign: [{ attrs: {}, inputs: [random(2, 3, 4, 5), random(2, 3, 4, 5)] }],
  ...tableOf<BinaryKind, BinaryOpAttrs>(binaryKinds, binaryCases),
  where: [
    {
      attrs: {},
      inputs: [{ shape: [2, 3, 4, 5], dtype: 'bool', range: [0, 1] }, { shape: [2, 3, 4, 5] }, { shape: [3, 1, 1] }],
    },
    {
      attrs: {},
      inputs: [
        { shape: [4, 1], dtype: 'bool', range: [0, 1] },
        { shape: [5], dtype: 'int64', range: [-9, 9] },
        { shape: [], dtype: 'int64', values: [7] },
      ],
    },
  ],
  cast: [
    ...(Object.keys(dtypes) as DType[]).map((to) => ({ attrs: { to }, inputs: [{ shape: [10], values: castValues }] })),
    ...(['float32', 'uint8', 'bool', 'int64'] as const).map((to) => ({
      attrs: { to },
      inputs: [{ shape: [2, 3, 2, 3], dtype: 'int32' as const, range: [-300, 300] as const }],
    })),
    { attrs: { to: 'float32' }, inputs: [{ shape: [4], dtype: 'bool', range: [0, 1] }] },
    { attrs: { to: 'float32' }, inputs: [{ shape: [4], dtype: 'uint8', range: [0, 255] }] },
  ],
  unaryGrad: [
    ...differentiableKinds.flatMap(unaryGradCases),
    {
      attrs: { kind: 'clip', alpha: 0, beta: 6, exclusive: true },
      inputs: [{ shape: [9], values: [-1, 0, 1, 5, 6, 7, 3, 0, 6] }, { shape: [9] }],
    },
    {
      attrs: { kind: 'clip', alpha: 0, beta: 6 },
      inputs: [{ shape: [9], values: [-1, 0, 1, 5, 6, 7, 3, 0, 6] }, { shape: [9] }],
    },
    {
      attrs: { kind: 'relu', alpha: 0, beta: 0 },
      inputs: [
        { shape: [5], values: [-1, 0, 1, 0, 2] },
        { shape: [5], values: [Infinity, Infinity, Infinity, 1, 2] },
      ],
    },
  ],
  ...tableOf<UnaryKind, UnaryOpAttrs>(unaryKinds, unaryCases),
};
