import { convInputs } from '../../backend/prims/conv.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { checker, expectWhole } from '../check.ts';
import { expectNoActivation, gradOf, inputOf } from '../core/gradient.ts';
import { channelsLastLayouts, defineOp, type TensorInfo } from '../core/op.ts';
import { checkSpatial, extent, spatialInput, spatialOf, windowAttrs, windowOutput } from '../window.ts';
import type { SpatialAttrs } from './attrs.ts';
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
    check.sameDType('weight', weight, x);
    const shape = convShape('conv', x, weight, attrs);
    check.perChannel('bias', inputs[convInputs.bias], x, shape[1]);
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
    // Cells after the last window get no gradient: they are outputPadding of the transpose.
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
});

/** The shape of a convolution's output, for any element types; checks weight, window and groups. */
export function convShape(
  op: string,
  x: TensorInfo,
  weight: TensorInfo,
  attrs: SpatialAttrs & { readonly groups: number },
): number[] {
  checkConvWeight(op, x, weight, attrs);
  const [outChannels, perGroup, ...kernel] = weight.shape;
  const channels = x.shape[1];
  if (perGroup * attrs.groups !== channels) {
    throw new ConvletError(
      'shape',
      `${op}: weight expects ${perGroup * attrs.groups} input channels (${perGroup} × ${attrs.groups} groups), ` +
        `input has ${channels} (shape ${shapeText(x.shape)})`,
    );
  }
  if (outChannels % attrs.groups !== 0) {
    throw new ConvletError(
      'argument',
      `${op}: groups expects a divisor of ${outChannels} output channels, got ${attrs.groups}`,
    );
  }
  return [x.shape[0], outChannels, ...windowOutput(op, spatialOf(x.shape), kernel, attrs)];
}

/** The checks of weight, strides, padding and groups that conv and convTranspose share. */
export function checkConvWeight(
  op: string,
  x: TensorInfo,
  weight: TensorInfo,
  attrs: SpatialAttrs & { readonly groups: number },
): void {
  const rank = x.shape.length - 2;
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
