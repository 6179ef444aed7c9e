import { type DType, dtypes } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { rowStrides } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker, required } from '../check.ts';
import { gradOf } from '../core/gradient.ts';
import { defineOp, type Emitter, followLayouts, rowLayouts, type TensorInfo } from '../core/op.ts';
import { checkSpatial, spatialOf, windowAttrs, windowOutput } from '../window.ts';

const ofRoundThrough = checker('roundThrough');
const ofConvInteger = checker('convInteger');

/** Rounds half to even and lets gradients through as they are (straight-through estimator, Bengio et al. 2013). */
export const roundThrough = defineOp({
  name: 'roundThrough',
  infer(inputs) {
    const x = ofRoundThrough.required(inputs, 0, 'x');
    ofRoundThrough.float('x', x);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs) {
    emit.call('unary', inputs, outputs, { kind: 'round', alpha: 0, beta: 0, length: outputs[0].size });
  },
  backward: (g) => [gradOf(g)],
});

function integerInput(op: string, inputs: readonly (TensorInfo | null)[], index: number, name: string): TensorInfo {
  const input = required(op, inputs, index, name);
  if (dtypes[input.dtype].kind === 'int') return input;
  throw new ConvletError('dtype', `${op}: ${name} expects whole numbers, got ${input.dtype}`);
}

/** The elements less a zero point, as doubles: sums of their products are exact up to 2^53. */
function centred(emit: Emitter, t: Tensor, zeroPoint: number, channelsLast: boolean): Tensor {
  const dtype: DType = 'float64';
  const wide = emit.temp(dtype, t.shape);
  emit.call('cast', [t], [wide], { length: t.size, from: t.dtype, to: dtype });
  emit.call('unary', [wide], [wide], { kind: 'linear', alpha: 1, beta: -zeroPoint, length: t.size });
  if (!channelsLast) return wide;
  const moved = emit.temp(dtype, t.shape, 'channelsLast');
  const [dims, from] = [moved.shape, wide.strides];
  emit.call('copy', [wide], [moved], {
    dims,
    inputOffset: 0,
    inputStrides: from,
    outputOffset: 0,
    outputStrides: moved.strides,
  });
  return moved;
}

/** y = Σ (x − xZeroPoint)·(w − wZeroPoint), exactly, in int32 (which wraps around); x and w of any integer type. */
export const convInteger = defineOp({
  name: 'convInteger',
  infer(inputs, attrs) {
    const x = integerInput('convInteger', inputs, 0, 'x');
    const w = integerInput('convInteger', inputs, 1, 'weight');
    ofConvInteger.rank('x', x, 3, 4, 5);
    ofConvInteger.rank('weight', w, x.shape.length);
    checkSpatial('convInteger', attrs, x.shape.length - 2);
    ofConvInteger.whole('groups', [attrs.groups], 1, 1);
    ofConvInteger.whole('zero points', [attrs.xZeroPoint, attrs.wZeroPoint], 2, -0x80000000);
    const [channels, outChannels] = [x.shape[1], w.shape[0]];
    if (channels !== w.shape[1] * attrs.groups || outChannels % attrs.groups !== 0) {
      throw new ConvletError(
        'shape',
        `convInteger: weight of shape [${w.shape}] with ${attrs.groups} groups expects ${w.shape[1] * attrs.groups} input channels, x has ${channels}`,
      );
    }
    const output = windowOutput('convInteger', spatialOf(x.shape), spatialOf(w.shape), attrs);
    return [{ dtype: 'int32', shape: [x.shape[0], outChannels, ...output] }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const [x, w, y] = [inputs[0] as Tensor, inputs[1] as Tensor, outputs[0]];
    const wide = emit.temp('float64', y.shape, 'channelsLast');
    emit.call(
      'conv',
      [centred(emit, x, attrs.xZeroPoint, true), centred(emit, w, attrs.wZeroPoint, false), null, null],
      [wide],
      {
        ...windowAttrs(x, spatialOf(y.shape), spatialOf(w.shape), attrs),
        channels: x.shape[1],
        outChannels: y.shape[1],
        groups: attrs.groups,
        activation: null,
      },
    );
    const narrow = emit.temp('int32', y.shape, 'channelsLast');
    emit.call('cast', [wide], [narrow], { length: y.size, from: 'float64', to: 'int32' });
    emit.call('copy', [narrow], [y], {
      dims: y.shape,
      inputOffset: 0,
      inputStrides: narrow.strides,
      outputOffset: 0,
      outputStrides: rowStrides(y.shape),
    });
  },
});
