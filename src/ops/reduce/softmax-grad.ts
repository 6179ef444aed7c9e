import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, mul, sub } from '../core/gradient.ts';
import { defineOp, followLayouts, type TensorInfo } from '../core/op.ts';
import { aroundAxis } from './softmax.ts';

const check = checker('softmaxGrad');

/** Gradient of softmax or logSoftmax (whose result is y) by its input. */
export const softmaxGrad = defineOp({
  name: 'softmaxGrad',
  infer(inputs, { axis }) {
    const [y, gy] = [check.required(inputs, 0, 'y'), check.required(inputs, 1, 'gy')];
    check.float('y', y);
    check.dtype('gy', gy, y.dtype);
    check.shape('gy', gy, y.shape);
    check.axis(axis, y.shape.length);
    return [{ dtype: y.dtype, shape: y.shape }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { axis, log }) {
    const y = inputs[0] as Tensor;
    emit.call('softmaxGrad', inputs, outputs, { ...aroundAxis(y, check.axis(axis, y.rank)), log });
  },
  composed(g, [y, gy], { axis, log }) {
    const over = (x: TensorInfo) =>
      apply(g, 'reduceSum', [x], { axes: [check.axis(axis, y!.shape.length)], keepDims: true });
    if (log) return [sub(g, gy!, mul(g, apply(g, 'exp', [y!], {}), over(gy!)))];
    return [mul(g, y!, sub(g, gy!, over(mul(g, gy!, y!))))];
  },
});
