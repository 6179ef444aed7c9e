// Gradients of the normalisations. Statistics are computed again from x: as cheap as reading them would be, and nothing is kept.

import { batchNormGradInputs, normalizeGradInputs } from '../../backend/prims/norm.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { canBeChannelsLast } from '../../tensor/layout.ts';
import { random } from '../case.ts';
import { checker, expectFloat, expectNumber, expectSameDType, expectShape, required } from '../check.ts';
import {
  channelsLastLayouts,
  defineOp,
  type Layouts,
  type OpCase,
  type OpCaseInput,
  rowLayouts,
  type TensorInfo,
} from '../core/op.ts';
import type { BatchNormGradOpAttrs, GroupNormGradAttrs, LayerNormGradAttrs, LrnGradOpAttrs } from './attrs.ts';

const ofBatchNormGrad = checker('batchNormGrad');
const ofGroupNormGrad = checker('groupNormGrad');
const ofLayerNormGrad = checker('layerNormGrad');
const ofLrnGrad = checker('lrnGrad');

const offset = (...shape: number[]): OpCaseInput => ({ shape, range: [2, 5] });
const positive = (...shape: number[]): OpCaseInput => ({ shape, range: [0.5, 2] });

type Inputs = readonly (TensorInfo | null)[];

/** x and gy of the same shape, gy at `index`. */
function dataAndGrad(op: string, inputs: Inputs, index: number, epsilon: number): TensorInfo {
  const x = required(op, inputs, 0, 'x');
  expectFloat(op, 'x', x);
  const gy = required(op, inputs, index, 'gy');
  expectSameDType(op, 'gy', gy, x);
  expectShape(op, 'gy', gy, x.shape);
  expectNumber(op, 'epsilon', epsilon, 0);
  return x;
}

const dataInputs = [0, 2];

/** x, gy and gx channels-last where the rank has that; parameters and their gradients in row order. */
function gradLayouts(inputs: Inputs, data: readonly number[] = dataInputs): Layouts {
  const wanted = canBeChannelsLast(inputs[0]!.shape.length)
    ? channelsLastLayouts(inputs, [], data)
    : rowLayouts(inputs, []);
  return { inputs: wanted.inputs, outputs: [wanted.inputs[0], 'row', 'row'] };
}

/**
 * Gradients of batchNorm and batchNormTraining. Inputs: x [N,C,…], weight? [C], gy, and for batchNorm its fixed mean and
 * variance [C]; without them the statistics are those of x, as in training. Outputs: gx, gweight, gbias.
 */
export const batchNormGrad = defineOp({
  name: 'batchNormGrad',
  infer(inputs, { epsilon }) {
    const x = dataAndGrad('batchNormGrad', inputs, batchNormGradInputs.gy, epsilon);
    ofBatchNormGrad.rank('x', x, 2, 3, 4, 5);
    const channels = x.shape[1];
    ofBatchNormGrad.perChannel('weight', inputs[batchNormGradInputs.weight], x, channels);
    ofBatchNormGrad.perChannel('mean', inputs[batchNormGradInputs.mean], x, channels);
    ofBatchNormGrad.perChannel('variance', inputs[batchNormGradInputs.variance], x, channels);
    if (!inputs[batchNormGradInputs.mean] !== !inputs[batchNormGradInputs.variance]) {
      throw new ConvletError('missing-input', 'batchNormGrad: expects both mean and variance or neither');
    }
    const parameter = { dtype: x.dtype, shape: [channels] };
    return [{ dtype: x.dtype, shape: x.shape }, parameter, parameter];
  },
  layouts: (inputs) => gradLayouts(inputs),
  forward(emit, inputs, outputs, { epsilon }) {
    const [x, weight, gy, mean = null, variance = null] = inputs;
    const channels = x!.shape[1];
    const rows = channels === 0 ? 0 : x!.size / channels;
    emit.call('batchNormGrad', [x, weight, gy, mean, variance], outputs, { rows, channels, epsilon });
  },
  cases: () => batchNormGradCases(),
});

/** Gradients of groupNorm, and of instanceNorm (groups = C). Inputs: x [N,C,…], weight? [C], gy. Outputs: gx, gweight, gbias. */
export const groupNormGrad = defineOp({
  name: 'groupNormGrad',
  infer(inputs, { groups, epsilon }) {
    const x = dataAndGrad('groupNormGrad', inputs, normalizeGradInputs.gy, epsilon);
    ofGroupNormGrad.rank('x', x, 2, 3, 4, 5);
    const channels = x.shape[1];
    ofGroupNormGrad.whole('groups', [groups], 1, 1);
    if (channels % groups !== 0) {
      throw new ConvletError(
        'argument',
        `groupNormGrad: groups expects a divisor of ${channels} channels, got ${groups}`,
      );
    }
    ofGroupNormGrad.perChannel('weight', inputs[normalizeGradInputs.weight], x, channels);
    const parameter = { dtype: x.dtype, shape: [channels] };
    return [{ dtype: x.dtype, shape: x.shape }, parameter, parameter];
  },
  layouts: (inputs) => gradLayouts(inputs),
  forward(emit, inputs, outputs, { groups, epsilon }) {
    const [outer, channels, ...spatial] = inputs[0]!.shape;
    const sizes = { outer, spatial: product(spatial), groups, size: channels / groups };
    emit.call('normalizeGrad', inputs, outputs, { ...sizes, epsilon, subtractMean: true });
  },
  cases: () => groupNormGradCases(),
});

/** Gradients of layerNorm and rmsNorm. Inputs: x, weight? (shape of the axes from `axis` on), gy. Outputs: gx, gweight, gbias. */
export const layerNormGrad = defineOp({
  name: 'layerNormGrad',
  infer(inputs, { axis, epsilon }) {
    const x = dataAndGrad('layerNormGrad', inputs, normalizeGradInputs.gy, epsilon);
    if (!Number.isInteger(axis) || axis < 0 || axis >= x.shape.length) {
      throw new ConvletError(
        'argument',
        `layerNormGrad: axis expects 0…${x.shape.length - 1} for shape ${shapeText(x.shape)}, got ${axis}`,
      );
    }
    const shape = x.shape.slice(axis);
    const weight = inputs[1];
    if (weight) {
      ofLayerNormGrad.sameDType('weight', weight, x);
      ofLayerNormGrad.shape('weight', weight, shape);
    }
    const parameter = { dtype: x.dtype, shape };
    return [{ dtype: x.dtype, shape: x.shape }, parameter, parameter];
  },
  layouts: (inputs, _attrs, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { axis, epsilon, subtractMean }) {
    const { shape } = inputs[0]!;
    const sizes = { outer: product(shape.slice(0, axis)), spatial: 1, groups: 1, size: product(shape.slice(axis)) };
    emit.call('normalizeGrad', inputs, outputs, { ...sizes, epsilon, subtractMean });
  },
  cases: () => layerNormGradCases(),
});

/** Gradient of lrn. Inputs: x [N,C,…], gy. Output: gx. */
export const lrnGrad = defineOp({
  name: 'lrnGrad',
  infer(inputs, attrs) {
    const x = dataAndGrad('lrnGrad', inputs, 1, 0);
    ofLrnGrad.rank('x', x, 2, 3, 4, 5);
    ofLrnGrad.whole('size', [attrs.size], 1, 1);
    for (const name of ['alpha', 'beta', 'bias'] as const) ofLrnGrad.number(name, attrs[name]);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts(inputs) {
    const { inputs: wanted, outputs } = gradLayouts(inputs, [0, 1]);
    return { inputs: wanted, outputs: outputs.slice(0, 1) };
  },
  forward(emit, inputs, outputs, { size, alpha, beta, bias }) {
    const [x] = inputs;
    const channels = x!.shape[1];
    emit.call('lrnGrad', inputs, outputs, {
      ...{ outer: x!.size / Math.max(channels, 1), channels, size, alpha, beta, bias },
    });
  },
  cases: () => lrnGradCases(),
});

function batchNormGradCases(): OpCase<BatchNormGradOpAttrs>[] {
  const shapes = [
    [2, 1],
    [9, 5],
    [4, 3, 7],
    [2, 16, 6, 5],
    [3, 70, 9, 8],
    [2, 33, 4, 3, 5],
    [64, 8, 13, 12],
    [5, 600],
  ];
  return shapes.flatMap((shape) => {
    const c = shape[1];
    return [
      { attrs: { epsilon: 1e-5 }, inputs: [offset(...shape), random(c), random(...shape), null, null] },
      { attrs: { epsilon: 1e-3 }, inputs: [random(...shape), null, offset(...shape), random(c), positive(c)] },
    ];
  });
}

function groupNormGradCases(): OpCase<GroupNormGradAttrs>[] {
  const tried: [number[], number][] = [
    [[2, 4], 2],
    [[1, 6, 5], 6],
    [[2, 6, 5, 4], 3],
    [[2, 16, 6, 6], 16],
    [[3, 21, 4, 5], 21],
    [[2, 32, 5, 5], 8],
    [[1, 36, 4, 3], 3],
    [[2, 70, 3, 2, 4], 2],
    [[4, 96, 7, 6], 1],
  ];
  return tried.map(([shape, groups], i) => ({
    attrs: { groups, epsilon: 1e-5 },
    inputs: [offset(...shape), i % 3 === 1 ? null : random(shape[1]), random(...shape)],
  }));
}

function layerNormGradCases(): OpCase<LayerNormGradAttrs>[] {
  const tried: [number[], number, boolean][] = [
    [[3, 5], 1, true],
    [[2, 3, 70], 2, true],
    [[2, 3, 4, 5], 1, true],
    [[40, 256], 1, true],
    [[2, 1030], 1, true],
    [[7, 33], 1, false],
    [[2, 4, 16], 2, false],
  ];
  return tried.map(([shape, axis, subtractMean], i) => ({
    attrs: { axis, epsilon: 1e-5, subtractMean },
    inputs: [offset(...shape), i % 3 === 1 ? null : random(...shape.slice(axis)), random(...shape)],
  }));
}

function lrnGradCases(): OpCase<LrnGradOpAttrs>[] {
  const make = (shape: number[], size: number, beta: number, alpha = 0.5): OpCase<LrnGradOpAttrs> => ({
    attrs: { size, alpha, beta, bias: 1 },
    inputs: [random(...shape), random(...shape)],
  });
  return [
    make([1, 1, 1, 1], 1, 0.75),
    make([2, 7, 3, 4], 5, 0.75),
    make([1, 16, 5, 5], 4, 0.5),
    make([2, 33, 3], 3, 1.3),
    make([3, 5], 9, 0.75, 0.01),
  ];
}
