import { checker } from '../check.ts';
import { gradOf } from '../core/gradient.ts';
import { defineOp, followLayouts } from '../core/op.ts';

const check = checker('roundThrough');

/** Rounds half to even, and passes gradients on unchanged (straight-through estimator, Bengio et al. 2013). */
export const roundThrough = defineOp({
  name: 'roundThrough',
  infer(inputs) {
    const x = check.required(inputs, 0, 'x');
    check.float('x', x);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs) {
    emit.call('unary', inputs, outputs, { kind: 'round', alpha: 0, beta: 0, length: outputs[0].size });
  },
  backward: (g) => [gradOf(g)],
});
