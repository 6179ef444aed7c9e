// Gradients of the normalisations. Statistics are computed again from x, which is as cheap as reading them and keeps no memory.

import { batchNormGradInputs, normalizeGradInputs } from '../../backend/prims/norm.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { canBeChannelsLast } from '../../tensor/layout.ts';
import { checker, expectFloat, expectNumber, expectSameDType, expectShape, required } from '../check.ts';
import { mul, reshapeTo } from '../core/gradient.ts';
import { channelsLastLayouts, defineOp, type Layouts, rowLayouts, type TensorInfo } from '../core/op.ts';
import { composedLrn, composedNormalize, parameterGrads } from './norm-composed.ts';

const ofBatchNormGrad = checker('batchNormGrad');
const ofGroupNormGrad = checker('groupNormGrad');
const ofLayerNormGrad = checker('layerNormGrad');
const ofLrnGrad = checker('lrnGrad');

type Inputs = readonly (TensorInfo | null)[];

/** Checks x (input 0), and gy (input `index`) of the same shape. */
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

/** x, gy and gx channels-last if their rank has that layout; parameters and their gradients in row order. */
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
  composed(g, [x, weight, gy, mean, variance], { epsilon }) {
    const { shape } = x!;
    const axes = shape.flatMap((_, i) => (i === 1 ? [] : [i]));
    const perChannel = (t: TensorInfo) =>
      reshapeTo(
        g,
        t,
        shape.map((d, i) => (i === 1 ? d : 1)),
      );
    const fixed = mean && variance ? ([perChannel(mean), perChannel(variance)] as const) : undefined;
    const weighted = weight ? mul(g, gy!, perChannel(weight)) : gy!;
    const [normalized, gx] = composedNormalize(g, x!, weighted, { axes, epsilon, subtractMean: true, fixed });
    return [gx, ...parameterGrads(g, gy!, normalized, axes, [shape[1]])];
  },
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
  composed(g, [x, weight, gy], { groups, epsilon }) {
    const { shape } = x!;
    const perChannel = (t: TensorInfo) =>
      reshapeTo(
        g,
        t,
        shape.map((d, i) => (i === 1 ? d : 1)),
      );
    const grouped = (t: TensorInfo) => reshapeTo(g, t, [shape[0], groups, product(shape.slice(1)) / groups]);
    const weighted = weight ? mul(g, gy!, perChannel(weight)) : gy!;
    const how = { axes: [2], epsilon, subtractMean: true };
    const [normalized, gx] = composedNormalize(g, grouped(x!), grouped(weighted), how);
    const axes = shape.flatMap((_, i) => (i === 1 ? [] : [i]));
    return [reshapeTo(g, gx, shape), ...parameterGrads(g, gy!, reshapeTo(g, normalized, shape), axes, [shape[1]])];
  },
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
  composed(g, [x, weight, gy], { axis, epsilon, subtractMean }) {
    const { shape } = x!;
    const all = shape.map((_, i) => i);
    const how = { axes: all.slice(axis), epsilon, subtractMean };
    const [normalized, gx] = composedNormalize(g, x!, weight ? mul(g, gy!, weight) : gy!, how);
    return [gx, ...parameterGrads(g, gy!, normalized, all.slice(0, axis), shape.slice(axis))];
  },
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
  composed: (g, [x, gy], attrs) => [composedLrn(g, x!, gy!, attrs)],
});
