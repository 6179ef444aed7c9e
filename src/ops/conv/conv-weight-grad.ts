import { ConvletError } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { checker } from '../check.ts';
import { gradOf, inputOf } from '../core/gradient.ts';
import { channelsLastLayouts, defineOp } from '../core/op.ts';
import { checkSpatial, extent, spatialInput, spatialOf, windowAttrs, windowOutput } from '../window.ts';

const check = checker('convWeightGrad');

/**
 * Gradient of conv by its weight: gw[o, c, k] = Σ over images and outputs i of x[i·stride + k·dilation − pad, c] · gy[i, o].
 * Inputs: x [N,C,…], gy [N,O,…] (the gradient by conv's output). Output: gw [O,C/groups,k…].
 */
export const convWeightGrad = defineOp({
  name: 'convWeightGrad',
  infer(inputs, attrs) {
    const x = spatialInput('convWeightGrad', inputs);
    const gy = check.required(inputs, 1, 'gy');
    const rank = x.shape.length - 2;
    check.sameDType('gy', gy, x);
    checkSpatial('convWeightGrad', attrs, rank);
    check.whole('kernel', attrs.kernel, rank, 1);
    check.whole('groups', [attrs.groups], 1, 1);
    const outChannels = gy.shape[1] ?? 0;
    for (const [name, channels] of Object.entries({ x: x.shape[1], gy: outChannels })) {
      if (channels % attrs.groups === 0) continue;
      throw new ConvletError(
        'argument',
        `convWeightGrad: groups expects a divisor of the ${channels} channels of ${name}, got ${attrs.groups}`,
      );
    }
    const output = windowOutput('convWeightGrad', spatialOf(x.shape), attrs.kernel, attrs);
    check.shape('gy', gy, [x.shape[0], outChannels, ...output]);
    return [{ dtype: x.dtype, shape: [outChannels, x.shape[1] / attrs.groups, ...attrs.kernel] }];
  },
  layouts: (inputs) => ({ ...channelsLastLayouts(inputs, [], [0, 1]), outputs: ['row'] }),
  forward(emit, [x, gy], outputs, attrs) {
    emit.call('convWeightGrad', [x, gy], outputs, {
      ...windowAttrs(x!, spatialOf(gy!.shape), attrs.kernel, attrs),
      channels: x!.shape[1],
      outChannels: gy!.shape[1],
      groups: attrs.groups,
    });
  },
  macs: (inputs, _outputs, attrs) =>
    product(inputs[1]!.shape) * (inputs[0]!.shape[1] / attrs.groups) * product(attrs.kernel),
  /** The op is linear in x and in gy: in the two rules of conv the gradient by the weight replaces the weight. */
  backward(g) {
    const [x, gy, weight] = [inputOf(g, 0), inputOf(g, 1), gradOf(g)];
    const { kernel, stride, padBegin, padEnd, dilation, groups } = g.attrs;
    const attrs = { stride, padBegin, padEnd, dilation, groups, activation: null };
    const outputPadding = spatialOf(x.shape).map(
      (size, i) => (size + padBegin[i] + padEnd[i] - extent(kernel[i], dilation[i])) % stride[i],
    );
    return [
      g.wants[0] ? g.op('convTranspose', [gy, weight, null], { ...attrs, outputPadding })[0] : null,
      g.wants[1] ? g.op('conv', [x, weight, null, null], attrs)[0] : null,
    ];
  },
});
