import { product } from '../../common/numbers.ts';
import { type CasesOf, caseSpatial, type OpCase, random } from '../case.ts';
import type { NoAttrs } from '../no-attrs.ts';
import type {
  AdaptivePoolOpAttrs,
  AveragePoolAttrs,
  LpPoolAttrs,
  MaxPoolAttrs,
  MaxUnpoolAttrs,
  PoolGradOpAttrs,
  PoolOps,
  WindowPoolAttrs,
} from './attrs.ts';
import { pooledShape } from './pool.ts';

type Window = Partial<WindowPoolAttrs>;

/** Cases of all window pools: input shape, kernel, other attributes. */
const windows: readonly (readonly [number[], number[], Window])[] = [
  [[1, 1, 1, 1], [1, 1], {}],
  [[2, 8, 9, 7], [2, 2], { stride: [2, 2] }],
  [[1, 16, 13, 11], [3, 3], { stride: [2, 2], padBegin: [1, 1], padEnd: [1, 1] }],
  [[1, 5, 10, 12], [3, 2], { stride: [1, 3], padBegin: [0, 1], padEnd: [2, 0] }],
  [[1, 7, 11, 10], [3, 3], { stride: [3, 2], ceilMode: true }],
  [[2, 3, 6, 7], [4, 3], { stride: [4, 3], padBegin: [1, 1], padEnd: [1, 1], ceilMode: true }],
  [[1, 20, 12, 9], [2, 3], { dilation: [3, 2], padBegin: [2, 1], padEnd: [1, 2] }],
  [[1, 33, 5, 5], [5, 5], { padBegin: [2, 2], padEnd: [2, 2] }],
  [[1, 4, 6, 6], [6, 6], {}],
  [[2, 6, 15], [4], { stride: [3], padBegin: [2], padEnd: [1], ceilMode: true }],
  [[1, 12, 9], [2], { dilation: [4] }],
  [[1, 5, 4, 6], [3, 3], { stride: [3, 3], dilation: [2, 1], ceilMode: true }],
  [[1, 4, 6, 5, 7], [2, 3, 2], { stride: [2, 1, 2], padBegin: [0, 1, 1], padEnd: [1, 1, 0] }],
  [[2, 9, 4, 4, 4], [3, 3, 3], { stride: [2, 2, 2], padBegin: [1, 1, 1], padEnd: [1, 1, 1], ceilMode: true }],
];

function windowCases<A extends WindowPoolAttrs>(...variants: Omit<A, keyof WindowPoolAttrs>[]): OpCase<A>[] {
  return windows.map(([x, kernel, given], i) => {
    const base = { kernel, ceilMode: false, ...caseSpatial(x.length - 2), ...given };
    return { attrs: { ...base, ...variants[i % variants.length] } as unknown as A, inputs: [random(...x)] };
  });
}

const maxPoolCases = (): OpCase<MaxPoolAttrs>[] => [
  ...windowCases<MaxPoolAttrs>(
    { indices: false, indexBase: 'plane', columnMajor: false },
    { indices: true, indexBase: 'plane', columnMajor: false },
    { indices: false, indexBase: 'plane', columnMajor: false },
    { indices: true, indexBase: 'tensor', columnMajor: false },
    { indices: true, indexBase: 'tensor', columnMajor: true },
  ),
  {
    attrs: {
      ...{ kernel: [3, 3], ceilMode: false, indices: true, indexBase: 'plane', columnMajor: false },
      ...{ stride: [2, 2], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1] },
    },
    inputs: [{ shape: [1, 8, 9, 9], dtype: 'uint8', range: [0, 255] }],
  },
];

const averagePoolCases = (): OpCase<AveragePoolAttrs>[] =>
  windowCases<AveragePoolAttrs>(
    { countIncludePad: true, divisorOverride: 0 },
    { countIncludePad: false, divisorOverride: 0 },
    { countIncludePad: false, divisorOverride: 5 },
    { countIncludePad: true, divisorOverride: 0 },
    { countIncludePad: false, divisorOverride: 0 },
  );

const lpPoolCases = (): OpCase<LpPoolAttrs>[] => windowCases<LpPoolAttrs>({ p: 2 }, { p: 1 }, { p: 2.5 }, { p: 3 });

const globalShapes = [
  [1, 1, 1, 1],
  [2, 16, 7, 7],
  [1, 5, 3, 11],
  [3, 33, 1, 2],
  [1, 70, 6, 5],
  [2, 4, 9],
  [1, 3, 4, 5, 2],
  [1, 130, 1, 1],
];

const globalCases = (): OpCase<NoAttrs>[] => globalShapes.map((shape) => ({ attrs: {}, inputs: [random(...shape)] }));

const globalLpCases = (): OpCase<{ readonly p: number }>[] =>
  globalShapes.map((shape, i) => ({ attrs: { p: [2, 1, 3, 2.5][i % 4] }, inputs: [random(...shape)] }));

function adaptiveCases(max: boolean): OpCase<AdaptivePoolOpAttrs>[] {
  const tried: [number[], number[]][] = [
    [
      [1, 1, 1, 1],
      [1, 1],
    ],
    [
      [2, 8, 9, 7],
      [1, 1],
    ],
    [
      [1, 16, 7, 11],
      [3, 3],
    ],
    [
      [1, 5, 6, 6],
      [6, 6],
    ],
    [
      [2, 3, 4, 5],
      [7, 9],
    ],
    [
      [1, 33, 13, 8],
      [5, 1],
    ],
    [[2, 6, 15], [4]],
    [
      [1, 4, 6, 5, 7],
      [2, 3, 4],
    ],
    [
      [2, 9, 4, 4, 4],
      [1, 1, 1],
    ],
  ];
  return tried.map(([x, outputSize], i) => ({
    attrs: { outputSize, indices: max && i % 2 === 0 },
    inputs: [random(...x)],
  }));
}

function maxUnpoolCases(): OpCase<MaxUnpoolAttrs>[] {
  const tried: [number[], MaxUnpoolAttrs][] = [
    [[1, 1, 1, 1], { outputSize: [1, 1], indexBase: 'plane' }],
    [[2, 4, 3, 3], { outputSize: [6, 6], indexBase: 'plane' }],
    [[1, 5, 2, 3], { outputSize: [5, 7], indexBase: 'plane' }],
    [[2, 3, 2, 2], { outputSize: [4, 5], indexBase: 'tensor' }],
    [[1, 2, 2, 2], { outputSize: [5, 5], indexSize: [4, 4], indexBase: 'tensor' }],
    [[2, 3, 5], { outputSize: [11], indexBase: 'plane' }],
    [[1, 4, 2, 2, 2], { outputSize: [4, 5, 4], indexBase: 'plane' }],
    [[1, 16, 4, 4], { outputSize: [8, 8], indexBase: 'tensor' }],
  ];
  return tried.map(([shape, attrs]) => ({ attrs, inputs: [random(...shape), unpoolIndices(shape, attrs)] }));
}

/** Distinct indices, spread over the plane of each channel. */
function unpoolIndices(shape: readonly number[], { outputSize, indexSize, indexBase }: MaxUnpoolAttrs) {
  const plane = product(indexSize ?? outputSize);
  const cells = product(shape.slice(2));
  const values = Array.from({ length: product(shape) }, (_, i) => {
    const image = Math.floor(i / cells);
    const index = (Math.floor((i % cells) * (plane / cells)) + image) % plane;
    return indexBase === 'tensor' ? image * plane + index : index;
  });
  return { shape, dtype: 'int64' as const, values };
}

/** x and y of the adaptive cases. */
const adaptiveShapes: readonly (readonly [number[], number[]])[] = [
  [
    [1, 1, 1, 1],
    [1, 1, 1, 1],
  ],
  [
    [2, 16, 7, 7],
    [2, 16, 1, 1],
  ],
  [
    [1, 5, 7, 11],
    [1, 5, 3, 4],
  ],
  [
    [1, 20, 3, 2],
    [1, 20, 5, 5],
  ],
  [
    [2, 3, 13],
    [2, 3, 4],
  ],
  [
    [1, 4, 5, 4, 6],
    [1, 4, 2, 3, 4],
  ],
];

/** One case per geometry; `which` of x and gy are inputs. */
function windowGradCases<A>(
  which: readonly number[],
  attrsOf: (attrs: PoolGradOpAttrs, inputShape: number[], i: number) => A,
): OpCase<A>[] {
  const tried: [number[], number[], Partial<PoolGradOpAttrs>][] = [
    [[1, 1, 1, 1], [1, 1], {}],
    [[2, 16, 8, 8], [2, 2], { stride: [2, 2] }],
    [[1, 6, 9, 7], [2, 2], { stride: [2, 2] }],
    [[2, 21, 7, 10], [3, 3], { stride: [2, 2], padBegin: [1, 1], padEnd: [1, 1] }],
    [[1, 5, 6, 6], [3, 2], { padBegin: [1, 0], padEnd: [0, 1] }],
    [[1, 4, 9, 9], [2, 3], { dilation: [3, 2], padBegin: [1, 1], padEnd: [1, 1] }],
    [[1, 19, 10, 7], [3, 3], { stride: [3, 2], ceilMode: true }],
    [[2, 3, 14], [4], { stride: [3], padBegin: [1], padEnd: [2] }],
    [[1, 8, 5, 6, 4], [2, 3, 2], { stride: [2, 1, 2], padBegin: [1, 1, 0], padEnd: [0, 1, 1] }],
  ];
  return tried.map(([shape, kernel, given], i) => {
    const attrs = { kernel, ceilMode: false, ...caseSpatial(kernel.length), ...given };
    const y = pooledShape('poolGrad', shape, attrs);
    const inputs = [random(...shape), random(...y)];
    return { attrs: attrsOf(attrs, shape, i), inputs: which.map((at) => inputs[at]) };
  });
}

export const poolCases: CasesOf<keyof PoolOps> = {
  maxUnpool: maxUnpoolCases(),
  maxPoolGrad: windowGradCases([0, 1], (attrs) => attrs),
  averagePoolGrad: [
    ...windowGradCases([1], (attrs, inputShape, i) => ({
      ...attrs,
      inputShape,
      countIncludePad: i % 2 === 0,
      divisorOverride: 0,
    })),
    ...windowGradCases([1], (attrs, inputShape) => ({
      ...attrs,
      inputShape,
      countIncludePad: false,
      divisorOverride: 5,
    })),
  ],
  lpPoolGrad: windowGradCases([0, 1], (attrs, _shape, i) => ({ ...attrs, p: [1, 2, 3, 2.5][i % 4] })),
  adaptiveAveragePoolGrad: adaptiveShapes.map(([x, y]) => ({ attrs: { inputShape: x }, inputs: [random(...y)] })),
  adaptiveMaxPoolGrad: adaptiveShapes.map(([x, y]) => ({ attrs: {}, inputs: [random(...x), random(...y)] })),
  maxPool: maxPoolCases(),
  averagePool: averagePoolCases(),
  lpPool: lpPoolCases(),
  globalAveragePool: globalCases(),
  globalMaxPool: globalCases(),
  globalLpPool: globalLpCases(),
  adaptiveAveragePool: adaptiveCases(false),
  adaptiveMaxPool: adaptiveCases(true),
};
