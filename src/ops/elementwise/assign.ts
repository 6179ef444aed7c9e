import { expectSameDType, expectShape, required } from '../check.ts';
import { emitRelayout } from '../core/layout-conversion.ts';
import { defineOp, rowLayouts } from '../core/op.ts';

/** target := value, in place: how running statistics take their new values. Both of one shape and type. */
export const assign = defineOp({
  name: 'assign',
  inPlace: [0],
  infer(inputs) {
    const target = required('assign', inputs, 0, 'target');
    const value = required('assign', inputs, 1, 'value');
    expectShape('assign', 'value', value, target.shape);
    expectSameDType('assign', 'value', value, target);
    return [{ dtype: target.dtype, shape: target.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs) {
    emitRelayout(emit, inputs[1]!, outputs[0]);
  },
  cases: () => [],
});
