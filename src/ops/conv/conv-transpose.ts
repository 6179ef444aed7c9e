import { convTransposeInputs } from '../../backend/prims/conv.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { checker } from '../check.ts';
import { expectNoActivation, gradOf, inputOf } from '../core/gradient.ts';
import { channelsLastLayouts, defineOp, type GradContext, type TensorInfo } from '../core/op.ts';
import { axisNames, extent, spatialInput, spatialOf, windowAttrs } from '../window.ts';
import type { ConvTransposeOpAttrs } from './attrs.ts';
import { biasGrad } from './bias-grad.ts';
import { checkConvWeight } from './conv.ts';

const check = checker('convTranspose');

/**
 * Transposed convolution (PyTorch ConvTranspose, ONNX ConvTranspose): every input cell adds its kernel-sized patch to
 * the output, y[i·stride + k·dilation − pad] += x[i] · weight[k]. Inputs: x [N,C,…], weight [C,O/groups,k…], bias? [O].
 * Output [N,O,…], each axis (in − 1)·stride − padBegin − padEnd + dilation·(k − 1) + outputPadding + 1.
 */
export const convTranspose = defineOp({
  name: 'convTranspose',
  infer(inputs, attrs) {
    const x = spatialInput('convTranspose', inputs);
    const weight = check.required(inputs, convTransposeInputs.weight, 'weight');
    check.sameDType('weight', weight, x);
    checkConvWeight('convTranspose', x, weight, attrs);
    const rank = x.shape.length - 2;
    const [channels, perGroup, ...kernel] = weight.shape;
    if (channels !== x.shape[1]) {
      throw new ConvletError(
        'shape',
        `convTranspose: weight expects ${channels} input channels, input has ${x.shape[1]} (shape ${shapeText(x.shape)})`,
      );
    }
    if (channels % attrs.groups !== 0) {
      throw new ConvletError(
        'argument',
        `convTranspose: groups expects a divisor of ${channels} input channels, got ${attrs.groups}`,
      );
    }
    const outChannels = perGroup * attrs.groups;
    check.perChannel('bias', inputs[convTransposeInputs.bias], x, outChannels);
    check.whole('outputPadding', attrs.outputPadding, rank, 0);
    const spatial = spatialOf(x.shape).map((size, i) => axisOutput(size, kernel[i], attrs, i, rank));
    return [{ dtype: x.dtype, shape: [x.shape[0], outChannels, ...spatial] }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const [x, weight, bias = null] = inputs;
    emit.call('convTranspose', [x, weight, bias], outputs, {
      ...windowAttrs(x!, spatialOf(outputs[0].shape), spatialOf(weight!.shape), attrs),
      channels: x!.shape[1],
      outChannels: outputs[0].shape[1],
      groups: attrs.groups,
      activation: attrs.activation,
    });
  },
  backward(g) {
    expectNoActivation('convTranspose', g.attrs.activation);
    const [x, weight, gy] = [inputOf(g, 0), inputOf(g, 1), gradOf(g)];
    const [wantX, wantWeight, wantBias] = g.wants;
    const kernel = spatialOf(weight.shape);
    const { read, attrs } = asConv(g, gy, x);
    return [
      wantX ? g.op('conv', [read, weight, null, null], { ...attrs, activation: null })[0] : null,
      wantWeight ? g.op('convWeightGrad', [read, x], { ...attrs, kernel })[0] : null,
      wantBias ? biasGrad(g, gy) : null,
    ];
  },
  macs: (inputs) => product(inputs[0]!.shape) * product(inputs[convTransposeInputs.weight]!.shape.slice(1)),
});

/**
 * The convolution whose transpose this is, and the part of gy that it reads. An outputPadding of a stride or more (dilation
 * allows it) would give that convolution more windows than x has cells: less padding, or a shorter gy, prevents that.
 */
function asConv(g: GradContext<ConvTransposeOpAttrs>, gy: TensorInfo, x: TensorInfo) {
  const { stride, padBegin, padEnd, dilation, groups, outputPadding } = g.attrs;
  const surplus = outputPadding.map((extra, i) => extra - (extra % stride[i]));
  const sizes = gy.shape.map((d, i) => (i < 2 ? d : d - Math.max(0, surplus[i - 2] - padEnd[i - 2])));
  const whole = sizes.every((d, i) => d === gy.shape[i]);
  const starts = x.shape.map(() => 0);
  const read = whole ? gy : g.op('slice', [gy], { starts, steps: x.shape.map(() => 1), sizes })[0];
  const attrs = { stride, padBegin, padEnd: padEnd.map((p, i) => Math.max(0, p - surplus[i])), dilation, groups };
  return { read, attrs };
}

function axisOutput(size: number, kernel: number, attrs: ConvTransposeOpAttrs, i: number, rank: number): number {
  const extra = attrs.outputPadding[i];
  const [stride, dilation] = [attrs.stride[i], attrs.dilation[i]];
  const axis = axisNames[rank][i];
  if (extra >= Math.max(stride, dilation)) {
    throw new ConvletError(
      'argument',
      `convTranspose: outputPadding of axis ${axis} expects less than stride ${stride} or dilation ${dilation}, got ${extra}`,
    );
  }
  const out = (size - 1) * stride - attrs.padBegin[i] - attrs.padEnd[i] + extent(kernel, dilation) + extra;
  if (out >= 1 && size >= 1) return out;
  throw new ConvletError(
    'shape',
    `convTranspose: output would be empty: axis ${axis} of ${size} cells gives ${out} (stride ${stride}, kernel ${kernel}, ` +
      `dilation ${dilation}, padding ${attrs.padBegin[i]} + ${attrs.padEnd[i]}, outputPadding ${extra})`,
  );
}
