import { convInputs } from '../../backend/prims/conv.ts';
import type { Activation } from '../../backend/prims/elementwise.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { caseSpatial, random } from '../case.ts';
import { checker, expectSameDType, expectWhole } from '../check.ts';
import { expectNoActivation, gradOf, inputOf } from '../core/gradient.ts';
import { channelsLastLayouts, defineOp, type OpCase, type TensorInfo } from '../core/op.ts';
import { checkSpatial, extent, spatialInput, spatialOf, windowAttrs, windowOutput } from '../window.ts';
import type { ConvOpAttrs } from './attrs.ts';
import { biasGrad } from './bias-grad.ts';

const check = checker('conv');

/**
 * Convolution over 1 to 3 spatial axes (cross-correlation, as in PyTorch and ONNX Conv):
 * y = activation(Σ x · weight + bias + residual). Inputs: x [N,C,…], weight [O,C/groups,k…], bias? [O], residual? like y.
 * Output [N,O,…], each axis floor((in + padBegin + padEnd − dilation·(k−1) − 1) / stride) + 1.
 */
export const conv = defineOp({
  name: 'conv',
  infer(inputs, attrs) {
    const x = spatialInput('conv', inputs);
    const weight = check.required(inputs, convInputs.weight, 'weight');
    checkConvWeight('conv', x, weight, attrs);
    const [outChannels, perGroup, ...kernel] = weight.shape;
    const channels = x.shape[1];
    if (perGroup * attrs.groups !== channels) {
      throw new ConvletError(
        'shape',
        `conv: weight expects ${perGroup * attrs.groups} input channels (${perGroup} × ${attrs.groups} groups), ` +
          `input has ${channels} (shape ${shapeText(x.shape)})`,
      );
    }
    if (outChannels % attrs.groups !== 0) {
      throw new ConvletError(
        'argument',
        `conv: groups expects a divisor of ${outChannels} output channels, got ${attrs.groups}`,
      );
    }
    check.perChannel('bias', inputs[convInputs.bias], x, outChannels);
    const shape = [x.shape[0], outChannels, ...windowOutput('conv', spatialOf(x.shape), kernel, attrs)];
    const residual = inputs[convInputs.residual];
    if (residual) {
      check.sameDType('residual', residual, x);
      check.shape('residual', residual, shape);
    }
    return [{ dtype: x.dtype, shape }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs, [convInputs.x, convInputs.residual]),
  forward(emit, inputs, outputs, attrs) {
    const [x, weight, bias = null, residual = null] = inputs;
    emit.call('conv', [x, weight, bias, residual], outputs, {
      ...windowAttrs(x!, spatialOf(outputs[0].shape), spatialOf(weight!.shape), attrs),
      channels: x!.shape[1],
      outChannels: weight!.shape[0],
      groups: attrs.groups,
      activation: attrs.activation,
    });
  },
  backward(g) {
    expectNoActivation('conv', g.attrs.activation);
    const [x, weight, gy] = [inputOf(g, 0), inputOf(g, 1), gradOf(g)];
    const [wantX, wantWeight, wantBias, wantResidual] = g.wants;
    const kernel = spatialOf(weight.shape);
    const { stride, padBegin, padEnd, dilation, groups } = g.attrs;
    // Cells behind the last window get no gradient from any: the transpose pads with them.
    const outputPadding = spatialOf(x.shape).map(
      (size, i) => (size + padBegin[i] + padEnd[i] - extent(kernel[i], dilation[i])) % stride[i],
    );
    const attrs = { stride, padBegin, padEnd, dilation, groups };
    return [
      wantX ? g.op('convTranspose', [gy, weight, null], { ...attrs, outputPadding, activation: null })[0] : null,
      wantWeight ? g.op('convWeightGrad', [x, gy], { ...attrs, kernel })[0] : null,
      wantBias ? biasGrad(g, gy) : null,
      wantResidual ? gy : null,
    ];
  },
  macs: (inputs, outputs) => product(outputs[0].shape) * product(inputs[convInputs.weight]!.shape.slice(1)),
  cases: () => convCases(),
});

/** What conv and convTranspose ask of weight, strides, padding and groups alike. */
export function checkConvWeight(op: string, x: TensorInfo, weight: TensorInfo, attrs: ConvOpAttrs): void {
  const rank = x.shape.length - 2;
  expectSameDType(op, 'weight', weight, x);
  if (weight.shape.length !== x.shape.length) {
    throw new ConvletError(
      'shape',
      `${op}: weight expects rank ${x.shape.length} like x (shape ${shapeText(x.shape)}), got shape ${shapeText(weight.shape)}`,
    );
  }
  if (weight.shape.some((d) => d < 1)) {
    throw new ConvletError('shape', `${op}: weight expects no empty axis, got shape ${shapeText(weight.shape)}`);
  }
  checkSpatial(op, attrs, rank);
  expectWhole(op, 'groups', [attrs.groups], 1, 1);
}

function convCases(): OpCase<ConvOpAttrs>[] {
  const relu: Activation = { kind: 'relu', alpha: 0, beta: 0 };
  const make = (
    x: number[],
    weight: number[],
    given: Partial<ConvOpAttrs> = {},
    bias = true,
    residual: number[] | null = null,
  ): OpCase<ConvOpAttrs> => ({
    attrs: { groups: 1, activation: null, ...caseSpatial(x.length - 2), ...given },
    inputs: [random(...x), random(...weight), bias ? random(weight[0]) : null, residual ? random(...residual) : null],
  });
  const pad = (n: number, rank = 2) => ({ padBegin: new Array(rank).fill(n), padEnd: new Array(rank).fill(n) });
  return [
    make([1, 1, 1, 1], [1, 1, 1, 1]),
    make([2, 8, 9, 7], [12, 8, 1, 1], { activation: relu }),
    make([1, 5, 6, 9], [7, 5, 1, 1], { stride: [2, 3] }, false),
    make([1, 3, 11, 13], [8, 3, 3, 3], { ...pad(1), stride: [2, 2], activation: relu }),
    make([1, 3, 23, 21], [16, 3, 7, 7], { ...pad(3), stride: [2, 2] }),
    make([2, 8, 7, 10], [9, 8, 3, 3], pad(1)),
    make([1, 16, 12, 12], [16, 16, 3, 3], { ...pad(1), activation: relu }, true, [1, 16, 12, 12]),
    make([1, 32, 9, 15], [24, 32, 3, 3], pad(1)),
    make([1, 4, 8, 8], [6, 4, 3, 3], { padBegin: [0, 2], padEnd: [1, 0] }),
    make([1, 6, 10, 11], [5, 6, 3, 2], { ...pad(2), dilation: [2, 3] }),
    make([1, 8, 9, 9], [12, 2, 3, 3], { ...pad(1), groups: 4 }),
    make([2, 6, 5, 5], [6, 3, 5, 5], { ...pad(4), groups: 2, stride: [3, 2] }, false),
    make([1, 8, 13, 11], [8, 1, 3, 3], { ...pad(1), groups: 8, activation: { kind: 'clip', alpha: 0, beta: 6 } }),
    make([2, 5, 12, 10], [5, 1, 5, 5], { ...pad(2), groups: 5, stride: [2, 2] }),
    make([1, 19, 9, 8], [19, 1, 3, 3], { ...pad(2), groups: 19, dilation: [2, 2] }, true, [1, 19, 9, 8]),
    make([1, 4, 7, 7], [12, 1, 3, 3], { ...pad(1), groups: 4 }),
    make([2, 3, 17], [8, 3, 5], { ...pad(2, 1), stride: [2] }),
    make([1, 12, 20], [12, 1, 3], { ...pad(1, 1), groups: 12, activation: { kind: 'silu', alpha: 0, beta: 0 } }),
    make([1, 3, 5, 6, 7], [4, 3, 3, 3, 3], { ...pad(1, 3), stride: [1, 2, 1] }),
    make([2, 4, 4, 5, 6], [4, 2, 2, 1, 3], { groups: 2, dilation: [2, 1, 1] }),
    make([1, 40, 1, 1], [70, 40, 1, 1], { activation: { kind: 'hardSwish', alpha: 0, beta: 0 } }),
    make([3, 2, 2, 2], [2, 2, 5, 5], pad(2), false, [3, 2, 2, 2]),
  ];
}
