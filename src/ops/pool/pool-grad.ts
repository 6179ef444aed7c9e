// Gradients of the pools by x. Places of maxima are looked for again in x: nothing is kept from the forward pass.

import type { AdaptivePoolAttrs, PoolAttrs } from '../../backend/prims/pool.ts';
import { caseSpatial, random } from '../case.ts';
import { checker, expectFloat, expectRank, expectSameDType, expectShape, expectWhole, required } from '../check.ts';
import { channelsLastLayouts, defineOp, type OpCase, type TensorInfo } from '../core/op.ts';
import { checkSpatial, spatialOf, triple, windowAttrs, windowOutput } from '../window.ts';
import type { PoolGradOpAttrs } from './attrs.ts';

const ofAveragePoolGrad = checker('averagePoolGrad');
const ofLpPoolGrad = checker('lpPoolGrad');
const ofAdaptiveAveragePoolGrad = checker('adaptiveAveragePoolGrad');
const ofAdaptiveMaxPoolGrad = checker('adaptiveMaxPoolGrad');

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

type Inputs = readonly (TensorInfo | null)[];

/** Checks gy [N,C,…] against the shape that it comes from. */
function expectGrad(op: string, inputs: Inputs, index: number, shape: readonly number[], x?: TensorInfo): TensorInfo {
  const gy = required(op, inputs, index, 'gy');
  expectFloat(op, 'gy', gy);
  if (x !== undefined) expectSameDType(op, 'gy', gy, x);
  expectShape(op, 'gy', gy, shape);
  return gy;
}

function floatInput(op: string, inputs: Inputs): TensorInfo {
  const x = required(op, inputs, 0, 'x');
  expectRank(op, 'x', x, 3, 4, 5);
  expectFloat(op, 'x', x);
  return x;
}

function pooledShape(op: string, shape: readonly number[], attrs: PoolGradOpAttrs): number[] {
  const rank = shape.length - 2;
  expectWhole(op, 'kernel', attrs.kernel, rank, 1);
  checkSpatial(op, attrs, rank);
  return [shape[0], shape[1], ...windowOutput(op, spatialOf(shape), attrs.kernel, attrs, attrs.ceilMode)];
}

function poolAttrs(x: TensorInfo, gy: TensorInfo, attrs: PoolGradOpAttrs, kind: PoolAttrs['kind']): PoolAttrs {
  return {
    ...windowAttrs(x, spatialOf(gy.shape), attrs.kernel, attrs),
    kind,
    channels: x.shape[1],
    padEnd: triple(attrs.padEnd, 0),
    countPad: false,
    divisor: 0,
    p: 0,
  };
}

function adaptiveAttrs(x: TensorInfo, gy: TensorInfo, kind: 'average' | 'max'): AdaptivePoolAttrs {
  const [batch, channels, ...spatial] = x.shape;
  return { kind, batch, channels, input: triple(spatial), output: triple(spatialOf(gy.shape)) };
}

/**
 * Gradient of maxPool: each window's goes to its maximum, the first of equal ones; windows that overlap add up. Inputs:
 * x [N,C,…], gy (like maxPool's y). Output: gx.
 */
export const maxPoolGrad = defineOp({
  name: 'maxPoolGrad',
  infer(inputs, attrs) {
    const x = floatInput('maxPoolGrad', inputs);
    expectGrad('maxPoolGrad', inputs, 1, pooledShape('maxPoolGrad', x.shape, attrs), x);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs, [0, 1]),
  forward(emit, [x, gy], outputs, attrs) {
    emit.call('poolGrad', [x, gy], outputs, poolAttrs(x!, gy!, attrs, 'max'));
  },
  cases: () => windowCases([0, 1], (attrs) => attrs),
});

/** Gradient of averagePool: gy divided among the cells of its window. Input: gy. Output: gx of `inputShape`. */
export const averagePoolGrad = defineOp({
  name: 'averagePoolGrad',
  infer(inputs, attrs) {
    ofAveragePoolGrad.whole('divisorOverride', [attrs.divisorOverride], 1, 0);
    ofAveragePoolGrad.whole('inputShape', attrs.inputShape, attrs.inputShape.length, 0);
    const shape = pooledShape('averagePoolGrad', attrs.inputShape, attrs);
    const gy = expectGrad('averagePoolGrad', inputs, 0, shape);
    return [{ dtype: gy.dtype, shape: attrs.inputShape }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs),
  forward(emit, [gy], [gx], attrs) {
    const prim = poolAttrs(gx, gy!, attrs, 'average');
    emit.call('poolGrad', [null, gy], [gx], {
      ...prim,
      countPad: attrs.countIncludePad,
      divisor: attrs.divisorOverride,
    });
  },
  cases: () => [
    ...windowCases([1], (attrs, inputShape, i) => ({
      ...attrs,
      inputShape,
      countIncludePad: i % 2 === 0,
      divisorOverride: 0,
    })),
    ...windowCases([1], (attrs, inputShape) => ({ ...attrs, inputShape, countIncludePad: false, divisorOverride: 5 })),
  ],
});

/** Gradient of lpPool: gy · sign(x)·|x|^(p−1) · y^(1−p), 0 where y is 0. Inputs: x, gy. Output: gx. */
export const lpPoolGrad = defineOp({
  name: 'lpPoolGrad',
  infer(inputs, attrs) {
    const x = floatInput('lpPoolGrad', inputs);
    ofLpPoolGrad.number('p', attrs.p, Number.MIN_VALUE);
    expectGrad('lpPoolGrad', inputs, 1, pooledShape('lpPoolGrad', x.shape, attrs), x);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs, [0, 1]),
  forward(emit, [x, gy], outputs, attrs) {
    emit.call('poolGrad', [x, gy], outputs, { ...poolAttrs(x!, gy!, attrs, 'lp'), p: attrs.p });
  },
  cases: () => windowCases([0, 1], (attrs, _shape, i) => ({ ...attrs, p: [1, 2, 3, 2.5][i % 4] })),
});

/** Gradient of adaptiveAveragePool. Input: gy [N,C,…]. Output: gx of `inputShape`. */
export const adaptiveAveragePoolGrad = defineOp({
  name: 'adaptiveAveragePoolGrad',
  infer(inputs, attrs) {
    const gy = floatInput('adaptiveAveragePoolGrad', inputs);
    ofAdaptiveAveragePoolGrad.whole('inputShape', attrs.inputShape, gy.shape.length, 1);
    ofAdaptiveAveragePoolGrad.shape('gy', gy, [...attrs.inputShape.slice(0, 2), ...spatialOf(gy.shape)]);
    return [{ dtype: gy.dtype, shape: attrs.inputShape }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs),
  forward(emit, [gy], [gx]) {
    emit.call('adaptivePoolGrad', [null, gy], [gx], adaptiveAttrs(gx, gy!, 'average'));
  },
  cases: () => adaptiveShapes.map(([x, y]) => ({ attrs: { inputShape: x }, inputs: [random(...y)] })),
});

/** Gradient of adaptiveMaxPool. Inputs: x [N,C,…], gy [N,C,…]. Output: gx. */
export const adaptiveMaxPoolGrad = defineOp({
  name: 'adaptiveMaxPoolGrad',
  infer(inputs) {
    const x = floatInput('adaptiveMaxPoolGrad', inputs);
    const gy = ofAdaptiveMaxPoolGrad.required(inputs, 1, 'gy');
    ofAdaptiveMaxPoolGrad.rank('gy', gy, x.shape.length);
    expectGrad('adaptiveMaxPoolGrad', inputs, 1, [...x.shape.slice(0, 2), ...spatialOf(gy.shape)], x);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs, [0, 1]),
  forward(emit, [x, gy], outputs) {
    emit.call('adaptivePoolGrad', [x, gy], outputs, adaptiveAttrs(x!, gy!, 'max'));
  },
  cases: () => adaptiveShapes.map(([x, y]) => ({ attrs: {}, inputs: [random(...x), random(...y)] })),
});

/** One case per geometry; `which` of x and gy are inputs. */
function windowCases<A>(
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
