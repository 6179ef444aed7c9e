// Updates of parameters, each one op that writes in place. What changes from step to step (learning rate, bias corrections)
// comes in a small tensor `hyper`, so that a compiled step reads the new values.
import type { Tensor } from '../tensor/tensor.ts';
import { defineOp, expectDType, required, rowLayouts, type TensorInfo } from './op.ts';
import { expectSameDType, expectShape } from './spatial.ts';

/** Entries of sgdStep's `hyper`, in this order; flags are 0 or 1. */
export const sgdHyper = ['lr', 'momentum', 'dampening', 'weightDecay', 'nesterov', 'maximize', 'first'] as const;

function checkUpdate(op: string, inputs: readonly (TensorInfo | null)[], states: number, entries: number): TensorInfo {
  const parameter = required(op, inputs, 0, 'parameter');
  expectDType(op, 'parameter', parameter, 'float32', 'float64');
  for (let i = 1; i <= states + 1; i++) {
    const input = i === 1 ? required(op, inputs, 1, 'grad') : inputs[i];
    if (input == null) continue;
    expectShape(op, i === 1 ? 'grad' : `state ${i - 1}`, input, parameter.shape);
    expectSameDType(op, i === 1 ? 'grad' : `state ${i - 1}`, input, parameter);
  }
  const hyper = required(op, inputs, states + 2, 'hyper');
  expectShape(op, 'hyper', hyper, [entries]);
  return { dtype: parameter.dtype, shape: parameter.shape };
}

/**
 * Stochastic gradient descent as torch.optim.SGD computes it. Inputs: parameter, grad, momentum buffer or null (no
 * momentum), hyper [7] (see sgdHyper). Outputs, in place: parameter, momentum buffer (the parameter again without one).
 */
export const sgdStep = defineOp<object>({
  name: 'sgdStep',
  inPlace: [0, 2],
  infer(inputs) {
    const info = checkUpdate('sgdStep', inputs, 1, sgdHyper.length);
    return inputs[2] ? [info, info] : [info];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs) {
    emit.call('host', inputs, outputs, { name: 'sgdStep', run: runSgd });
  },
  cases: [],
});

function runSgd([, grad, momentum, hyper]: readonly (Tensor | null)[], [parameter]: readonly Tensor[]): void {
  const [lr, momentumFactor, dampening, weightDecay, nesterov, maximize, first] = hyper!.array;
  const [p, g, b] = [parameter.array, grad!.array, momentum?.array];
  const sign = maximize === 1 ? -1 : 1;
  const taken = first === 1 ? 1 : 1 - dampening;
  const kept = first === 1 ? 0 : momentumFactor;
  const f = Math.fround;
  for (let i = 0; i < p.length; i++) {
    let step = f(sign * g[i]);
    if (weightDecay !== 0) step = f(step + f(weightDecay * p[i]));
    if (b !== undefined) {
      b[i] = f(f(kept * b[i]) + f(taken * step));
      step = nesterov === 1 ? f(step + f(momentumFactor * b[i])) : b[i];
    }
    p[i] -= f(lr * step);
  }
}
