import { batchNormInputs, type NormalizeAttrs } from '../../backend/prims/norm.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { canBeChannelsLast } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Ops } from '../attrs.ts';
import {
  checker,
  expectFloat,
  expectNumber,
  expectPerChannel,
  expectRank,
  expectSameDType,
  expectShape,
  required,
} from '../check.ts';
import { expectNoActivation, gradOf, inputOf } from '../core/gradient.ts';
import {
  channelsLastLayouts,
  defineOp,
  type Emitter,
  type GradContext,
  type Layouts,
  rowLayouts,
  type TensorInfo,
} from '../core/op.ts';
import type { BatchNormOpAttrs, LayerNormAttrs } from './attrs.ts';

const ofBatchNorm = checker('batchNorm');
const ofBatchNormTraining = checker('batchNormTraining');
const ofGroupNorm = checker('groupNorm');
const ofLrn = checker('lrn');

type Inputs = readonly (TensorInfo | null)[];

/** Checks x of one of `ranks` with channels in axis 1, and epsilon. */
function channelInput(op: string, inputs: Inputs, epsilon: number, ...ranks: number[]): TensorInfo {
  const x = required(op, inputs, 0, 'x');
  expectRank(op, 'x', x, ...ranks);
  expectFloat(op, 'x', x);
  expectNumber(op, 'epsilon', epsilon, 0);
  return x;
}

function perChannel(op: string, inputs: Inputs, x: TensorInfo, ...names: string[]): void {
  names.forEach((name, i) => {
    expectPerChannel(op, name, inputs[i + 1], x, x.shape[1]);
  });
}

/** Data channels-last if its rank has that layout, else in row order; parameters in row order. */
const dataChannelsLast = (inputs: Inputs, _attrs: unknown, outputs: readonly TensorInfo[]): Layouts =>
  canBeChannelsLast(inputs[0]!.shape.length) ? channelsLastLayouts(inputs, outputs) : rowLayouts(inputs, outputs);

/**
 * y = activation((x − mean) / √(variance + epsilon) · weight + bias) per channel (axis 1), inference form of batch
 * normalisation. Inputs: x [N,C,…] of rank 2 to 5, weight?, bias?, mean, variance, all [C].
 */
export const batchNorm = defineOp({
  name: 'batchNorm',
  infer(inputs, attrs) {
    const x = channelInput('batchNorm', inputs, attrs.epsilon, 2, 3, 4, 5);
    ofBatchNorm.required(inputs, batchNormInputs.mean, 'mean');
    ofBatchNorm.required(inputs, batchNormInputs.variance, 'variance');
    perChannel('batchNorm', inputs, x, 'weight', 'bias', 'mean', 'variance');
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  // The op works in either layout: it keeps that of x.
  layouts: (inputs) => ({
    inputs: inputs.map((_, i) => (i === 0 ? inputs[0]!.layout : 'row')),
    outputs: [inputs[0]!.layout],
  }),
  forward(emit, inputs, outputs, attrs) {
    const x = inputs[0]!;
    const [batch, channels] = x.shape;
    const last = x.layout === 'channelsLast';
    const spatial = product(x.shape.slice(2));
    const sizes = { outer: last ? batch * spatial : batch, channels, inner: last ? 1 : spatial };
    emit.call('batchNorm', inputs, outputs, { ...sizes, ...attrs });
  },
  /** Mean and variance are taken as fixed, as in PyTorch's evaluation mode. */
  backward(g) {
    expectNoActivation('batchNorm', g.attrs.activation);
    const [mean, variance] = [inputOf(g, 3), inputOf(g, 4)];
    return parameterGrads(g, 'batchNormGrad', { epsilon: g.attrs.epsilon }, mean, variance);
  },
});

/**
 * Training form of batch normalisation: statistics of the batch (biased variance) normalise x, and move the running
 * ones. Inputs: x [N,C,…], weight?, bias?, mean, variance (running, [C]). Outputs: y, runningMean, runningVariance.
 */
export const batchNormTraining = defineOp({
  name: 'batchNormTraining',
  infer(inputs, attrs) {
    const x = channelInput('batchNormTraining', inputs, attrs.epsilon, 2, 3, 4, 5);
    ofBatchNormTraining.required(inputs, batchNormInputs.mean, 'mean');
    ofBatchNormTraining.required(inputs, batchNormInputs.variance, 'variance');
    perChannel('batchNormTraining', inputs, x, 'weight', 'bias', 'mean', 'variance');
    ofBatchNormTraining.number('momentum', attrs.momentum);
    const count = product(x.shape) / x.shape[1];
    if (!(count > (attrs.unbiased ? 1 : 0))) {
      const least = attrs.unbiased ? 2 : 1;
      throw new ConvletError(
        'shape',
        `batchNormTraining: x expects at least ${least} values per channel, got shape ${shapeText(x.shape)}`,
      );
    }
    const perChannelInfo = { dtype: x.dtype, shape: [x.shape[1]] };
    return [{ dtype: x.dtype, shape: x.shape }, perChannelInfo, perChannelInfo];
  },
  layouts: (inputs, attrs, outputs) => {
    const { inputs: wanted, outputs: left } = dataChannelsLast(inputs, attrs, outputs);
    return { inputs: wanted, outputs: [left[0], 'row', 'row'] };
  },
  forward(emit, inputs, [y, runningMean, runningVariance], attrs) {
    const [x, weight = null, bias = null, mean, variance] = inputs;
    const channels = x!.shape[1];
    const rows = x!.size / channels;
    const { epsilon, momentum, unbiased } = attrs;
    const correction = unbiased ? rows / (rows - 1) : 1;
    const prim = { rows, channels, epsilon, momentum, correction };
    emit.call('batchNormTraining', [x, weight, bias, mean, variance], [y, runningMean, runningVariance], prim);
  },
  /** The running statistics carry no gradient, as in PyTorch. */
  backward: (g) => parameterGrads(g, 'batchNormGrad', { epsilon: g.attrs.epsilon }, null, null),
});

/** Applies a gradient op to x, weight, gy (and `more`). Returns the gradients of x, weight and bias that are needed. */
function parameterGrads<N extends 'batchNormGrad' | 'groupNormGrad' | 'layerNormGrad'>(
  g: GradContext<unknown>,
  op: N,
  attrs: Ops[N],
  ...more: (TensorInfo | null)[]
): (TensorInfo | null)[] {
  const grads = g.op(op, [inputOf(g), g.inputs[1] ?? null, gradOf(g), ...more], attrs);
  return g.inputs.map((_, i) => (g.wants[i] ? (grads[i] ?? null) : null));
}

interface Reduced {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Mean and biased variance along `length` of x as [outer, length, inner]. */
function momentsOf(emit: Emitter, x: Tensor, { outer, length, inner }: Reduced): [Tensor, Tensor] {
  const mean = emit.temp(x.dtype, [outer, inner]);
  const centred = emit.temp(x.dtype, [outer, length, inner]);
  const squared = emit.temp(x.dtype, [outer, length, inner]);
  const variance = emit.temp(x.dtype, [outer, inner]);
  emit.call('reduce', [x], [mean], { kind: 'mean', outer, length, inner });
  emit.call('binary', [x, mean], [centred], {
    kind: 'sub',
    dims: [outer, length, inner],
    aStrides: [length * inner, inner, 1],
    bStrides: [inner, 0, 1],
    activation: null,
  });
  emit.call('unary', [centred], [squared], { kind: 'square', alpha: 0, beta: 0, length: x.size });
  emit.call('reduce', [squared], [variance], { kind: 'mean', outer, length, inner });
  return [mean, variance];
}

/** Instance normalisation: each channel of each image by its own mean and variance. x [N,C,…], weight?, bias? [C]. */
export const instanceNorm = defineOp({
  name: 'instanceNorm',
  infer(inputs, attrs) {
    const x = channelInput('instanceNorm', inputs, attrs.epsilon, 3, 4, 5);
    perChannel('instanceNorm', inputs, x, 'weight', 'bias');
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: dataChannelsLast,
  forward(emit, inputs, outputs, attrs) {
    emitGroups(emit, inputs, outputs, inputs[0]!.shape[1], attrs);
  },
  backward(g) {
    expectNoActivation('instanceNorm', g.attrs.activation);
    return parameterGrads(g, 'groupNormGrad', { groups: inputOf(g).shape[1], epsilon: g.attrs.epsilon });
  },
});

/** Group normalisation (Wu & He 2018): channels in `groups` runs, each run of each image by its own mean and variance. */
export const groupNorm = defineOp({
  name: 'groupNorm',
  infer(inputs, attrs) {
    const x = channelInput('groupNorm', inputs, attrs.epsilon, 2, 3, 4, 5);
    ofGroupNorm.whole('groups', [attrs.groups], 1, 1);
    if (x.shape[1] % attrs.groups !== 0) {
      throw new ConvletError(
        'argument',
        `groupNorm: groups expects a divisor of ${x.shape[1]} channels, got ${attrs.groups}`,
      );
    }
    perChannel('groupNorm', inputs, x, 'weight', 'bias');
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: dataChannelsLast,
  forward(emit, inputs, outputs, attrs) {
    emitGroups(emit, inputs, outputs, attrs.groups, attrs);
  },
  backward(g) {
    expectNoActivation('groupNorm', g.attrs.activation);
    return parameterGrads(g, 'groupNormGrad', { groups: g.attrs.groups, epsilon: g.attrs.epsilon });
  },
});

function emitGroups(
  emit: Emitter,
  inputs: readonly (Tensor | null)[],
  outputs: readonly Tensor[],
  groups: number,
  { epsilon, activation }: BatchNormOpAttrs,
): void {
  const [x, weight = null, bias = null] = inputs;
  const [outer, channels, ...spatial] = x!.shape;
  const sizes = { outer, spatial: product(spatial), groups, size: channels / groups };
  emit.call('normalize', [x, weight, bias], outputs, { ...sizes, epsilon, subtractMean: true, activation });
}

function layerInput(op: string, inputs: Inputs, { axis, epsilon }: LayerNormAttrs): TensorInfo {
  const x = required(op, inputs, 0, 'x');
  expectFloat(op, 'x', x);
  expectNumber(op, 'epsilon', epsilon, 0);
  if (!Number.isInteger(axis) || axis < 0 || axis >= x.shape.length) {
    throw new ConvletError(
      'argument',
      `${op}: axis expects 0…${x.shape.length - 1} for shape ${shapeText(x.shape)}, got ${axis}`,
    );
  }
  ['weight', 'bias'].forEach((name, i) => {
    const parameter = inputs[i + 1];
    if (!parameter) return;
    expectSameDType(op, name, parameter, x);
    expectShape(op, name, parameter, x.shape.slice(axis));
  });
  return x;
}

function layerAttrs(x: Tensor, { axis, epsilon }: LayerNormAttrs, subtractMean: boolean): NormalizeAttrs {
  const outer = product(x.shape.slice(0, axis));
  const size = product(x.shape.slice(axis));
  return { outer, spatial: 1, groups: 1, size, epsilon, subtractMean, activation: null };
}

/**
 * Layer normalisation (Ba et al. 2016) over the axes from `axis` on. Inputs: x, weight?, bias? (shape of these axes).
 * Outputs: y, and with `statistics` mean and 1/√(variance + epsilon), with 1 in place of these axes.
 */
export const layerNorm = defineOp({
  name: 'layerNorm',
  infer(inputs, attrs) {
    const x = layerInput('layerNorm', inputs, attrs);
    const y = { dtype: x.dtype, shape: x.shape };
    if (!attrs.statistics) return [y];
    const one = { dtype: x.dtype, shape: x.shape.map((d, i) => (i < attrs.axis ? d : 1)) };
    return [y, one, one];
  },
  layouts: (inputs, _attrs, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const [x, weight = null, bias = null] = inputs;
    const prim = layerAttrs(x!, attrs, true);
    emit.call('normalize', [x, weight, bias], [outputs[0]], prim);
    if (!attrs.statistics) return;
    const [, mean, inverse] = outputs;
    const { outer, size, epsilon } = prim;
    const [batchMean, variance] = momentsOf(emit, x!, { outer, length: size, inner: 1 });
    const shifted = emit.temp(x!.dtype, [outer]);
    emit.call('unary', [batchMean], [mean], { kind: 'identity', alpha: 0, beta: 0, length: outer });
    emit.call('unary', [variance], [shifted], { kind: 'linear', alpha: 1, beta: epsilon, length: outer });
    emit.call('unary', [shifted], [inverse], { kind: 'rsqrt', alpha: 0, beta: 0, length: outer });
  },
  backward(g) {
    if (g.grads.slice(1).some((grad) => grad)) {
      throw new ConvletError('unsupported', 'layerNorm: its statistics have no gradient; compute them by reductions');
    }
    const { axis, epsilon } = g.attrs;
    return parameterGrads(g, 'layerNormGrad', { axis, epsilon, subtractMean: true });
  },
});

/** x / √(mean(x²) + epsilon) · weight + bias over the axes from `axis` on (Zhang & Sennrich 2019; ONNX RMSNormalization). */
export const rmsNorm = defineOp({
  name: 'rmsNorm',
  infer(inputs, attrs) {
    const x = layerInput('rmsNorm', inputs, attrs);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _attrs, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const [x, weight = null, bias = null] = inputs;
    emit.call('normalize', [x, weight, bias], outputs, layerAttrs(x!, attrs, false));
  },
  backward(g) {
    const { axis, epsilon } = g.attrs;
    return parameterGrads(g, 'layerNormGrad', { axis, epsilon, subtractMean: false });
  },
});

/**
 * Local response normalisation across channels (Krizhevsky et al. 2012, ONNX LRN): y = x / (bias + alpha/size · Σ x²)^beta,
 * the sum over `size` channels around each; if size is even, there is one more channel after it. x [N,C,…] of rank 2 to 5.
 */
export const lrn = defineOp({
  name: 'lrn',
  infer(inputs, attrs) {
    const x = channelInput('lrn', inputs, 0, 2, 3, 4, 5);
    ofLrn.whole('size', [attrs.size], 1, 1);
    for (const name of ['alpha', 'beta', 'bias'] as const) ofLrn.number(name, attrs[name]);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: dataChannelsLast,
  forward(emit, [x], outputs, { size, alpha, beta, bias }) {
    const channels = x!.shape[1];
    emit.call('lrn', [x], outputs, { outer: x!.size / Math.max(channels, 1), channels, size, alpha, beta, bias });
  },
  backward: (g) => [g.op('lrnGrad', [inputOf(g), gradOf(g)], g.attrs)[0]],
});
