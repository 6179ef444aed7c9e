import { product } from '../../common/numbers.ts';
import { checker, expectFloat, expectRank, expectSameDType, expectShape, required } from '../check.ts';
import { apply, gradOf, inputOf, mul, reshapeTo, scalar, zeros } from '../core/gradient.ts';
import { channelsLastLayouts, defineOp, type OpApplier, type TensorInfo } from '../core/op.ts';
import { spatialOf } from '../window.ts';
import { adaptiveAttrs, poolAttrs, pooledShape } from './pool.ts';

const ofAveragePoolGrad = checker('averagePoolGrad');
const ofLpPoolGrad = checker('lpPoolGrad');
const ofAdaptiveAveragePoolGrad = checker('adaptiveAveragePoolGrad');
const ofAdaptiveMaxPoolGrad = checker('adaptiveMaxPoolGrad');

type Inputs = readonly (TensorInfo | null)[];

/** Checks gy [N,C,…] against the shape of the pool's output. */
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

/** gy at the places of maxima in a tensor of zeros like x; `indices` count inside of each plane. */
function atMaxima(g: OpApplier, x: TensorInfo, gy: TensorInfo, indices: TensorInfo): TensorInfo {
  const planes = x.shape.slice(0, 2);
  const flat = (t: TensorInfo) => reshapeTo(g, t, [...planes, product(spatialOf(t.shape))]);
  const empty = zeros(g, [...planes, product(spatialOf(x.shape))], x.dtype);
  const placed = apply(g, 'scatterElements', [empty, flat(indices), flat(gy)], { axis: 2, reduction: 'add' });
  return reshapeTo(g, placed, x.shape);
}

/**
 * Gradient of maxPool: each window's gradient is added to its maximum, the first of equal ones. Inputs:
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
  composed(g, [x, gy], attrs) {
    const [, indices] = g.op('maxPool', [x], { ...attrs, indices: true, indexBase: 'plane', columnMajor: false });
    return [atMaxima(g, x!, gy!, indices)];
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
  backward(g) {
    const { inputShape: _, ...attrs } = g.attrs;
    return [apply(g, 'averagePool', [gradOf(g)], attrs)];
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
  composed(g, [x, gy], attrs) {
    const { p, ...window } = attrs;
    const y = apply(g, 'lpPool', [x], attrs);
    const power = (t: TensorInfo, exponent: number) => apply(g, 'pow', [t, scalar(g, exponent, t.dtype)], {});
    // 0 where y is 0.
    const isPositive = apply(g, 'greater', [y, scalar(g, 0, y.dtype)], {});
    const share = mul(g, gy!, power(apply(g, 'where', [isPositive, y, scalar(g, 1, y.dtype)]), 1 - p));
    const given = apply(g, 'where', [isPositive, share, scalar(g, 0, y.dtype)]);
    const spread = { ...window, inputShape: x!.shape, countIncludePad: false, divisorOverride: 1 };
    const sums = apply(g, 'averagePoolGrad', [given], spread);
    const slope = mul(g, apply(g, 'sign', [x], {}), power(apply(g, 'abs', [x], {}), p - 1));
    return [mul(g, sums, slope)];
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
  backward: (g) => [
    apply(g, 'adaptiveAveragePool', [gradOf(g)], { outputSize: spatialOf(inputOf(g).shape), indices: false }),
  ],
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
  composed(g, [x, gy]) {
    const [, indices] = g.op('adaptiveMaxPool', [x], { outputSize: spatialOf(gy!.shape), indices: true });
    return [atMaxima(g, x!, gy!, indices)];
  },
});
