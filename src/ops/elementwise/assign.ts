import { checker } from '../check.ts';
import { emitRelayout } from '../core/layout-conversion.ts';
import { defineOp, rowLayouts } from '../core/op.ts';

const check = checker('assign');

/** target := value, in place, of the same shape and type. Running statistics are updated by it. */
export const assign = defineOp({
  name: 'assign',
  inPlace: [0],
  infer(inputs) {
    const target = check.required(inputs, 0, 'target');
    const value = check.required(inputs, 1, 'value');
    check.shape('value', value, target.shape);
    check.sameDType('value', value, target);
    return [{ dtype: target.dtype, shape: target.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs) {
    emitRelayout(emit, inputs[1]!, outputs[0]);
  },
});
