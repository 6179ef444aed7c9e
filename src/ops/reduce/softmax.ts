import { memoryOrder } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { expectDType, normalizeAxis, required } from '../check.ts';
import { apply, gradOf } from '../core/gradient.ts';
import { defineOp, followLayouts } from '../core/op.ts';

/** `t` as [outer, length, inner] in memory order, where `length` is that of `axis`. */
export function aroundAxis(t: Tensor, axis: number): { outer: number; length: number; inner: number } {
  const order = memoryOrder(t.rank, t.layout);
  const at = order.indexOf(axis);
  const sizeOf = (axes: readonly number[]): number => axes.reduce((n, a) => n * t.shape[a], 1);
  return { outer: sizeOf(order.slice(0, at)), length: t.shape[axis], inner: sizeOf(order.slice(at + 1)) };
}

export const softmaxOps = (['softmax', 'logSoftmax'] as const).map((name) => {
  return defineOp({
    name,
    infer(inputs, { axis }) {
      const x = required(name, inputs, 0, 'x');
      expectDType(name, 'x', x, 'float32', 'float64', 'float16', 'bfloat16');
      normalizeAxis(name, axis, x.shape.length);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
    layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
    forward(emit, inputs, outputs, { axis }) {
      const x = inputs[0] as Tensor;
      emit.call('softmax', inputs, outputs, {
        ...aroundAxis(x, normalizeAxis(name, axis, x.rank)),
        log: name === 'logSoftmax',
      });
    },
    backward: (g) => [
      apply(g, 'softmaxGrad', [g.outputs[0], gradOf(g)], { axis: g.attrs.axis, log: name === 'logSoftmax' }),
    ],
  });
});
