import { checker, expectFloat, expectRank, expectSameDType, expectShape, required } from '../check.ts';
import { channelsLastLayouts, defineOp, type TensorInfo } from '../core/op.ts';
import { spatialOf } from '../window.ts';
import { adaptiveAttrs, poolAttrs, pooledShape } from './pool.ts';

const ofAveragePoolGrad = checker('averagePoolGrad');
const ofLpPoolGrad = checker('lpPoolGrad');
const ofAdaptiveAveragePoolGrad = checker('adaptiveAveragePoolGrad');
const ofAdaptiveMaxPoolGrad = checker('adaptiveMaxPoolGrad');

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
});
