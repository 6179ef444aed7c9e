// Updates of parameters, each one op that writes in place. Numbers that change from step to step (learning rate, bias corrections)
// are in a small tensor `hyper`, so that a compiled step reads the new values.

import { optimizerHyper } from '../../backend/prims/optimizer.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { expectDType, expectSameDType, expectShape, required } from '../check.ts';
import { defineOp, rowLayouts, type TensorInfo } from '../core/op.ts';
import type { UpdateKind } from './attrs.ts';

export { optimizerHyper };

/** States of a kind by PyTorch's names; those after `needed` may be absent. */
export const optimizerStates: Readonly<
  Record<UpdateKind, { readonly names: readonly string[]; readonly needed: number }>
> = {
  sgd: { names: ['momentum_buffer'], needed: 0 },
  adam: { names: ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'], needed: 2 },
  rmsprop: { names: ['square_avg', 'momentum_buffer', 'grad_avg'], needed: 1 },
  adagrad: { names: ['sum'], needed: 1 },
  adadelta: { names: ['square_avg', 'acc_delta'], needed: 2 },
  adamax: { names: ['exp_avg', 'exp_inf'], needed: 2 },
  nadam: { names: ['exp_avg', 'exp_avg_sq'], needed: 2 },
  radam: { names: ['exp_avg', 'exp_avg_sq'], needed: 2 },
  rprop: { names: ['prev', 'step_size'], needed: 2 },
  lion: { names: ['exp_avg'], needed: 1 },
  lamb: { names: ['exp_avg', 'exp_avg_sq'], needed: 2 },
};

/** Checks parameter, grad, states and hyper. Returns the infos of the outputs: the parameter and the states that are present. */
function checkUpdate(kind: UpdateKind, inputs: readonly (TensorInfo | null)[]): TensorInfo[] {
  const op = `${kind}Step`;
  const { names, needed } = optimizerStates[kind];
  const parameter = required(op, inputs, 0, 'parameter');
  expectDType(op, 'parameter', parameter, 'float32', 'float64');
  const written: TensorInfo[] = [{ dtype: parameter.dtype, shape: parameter.shape }];
  ['grad', ...names].forEach((name, i) => {
    const input = i <= needed ? required(op, inputs, i + 1, name) : inputs[i + 1];
    if (input == null) return;
    expectShape(op, name, input, parameter.shape);
    expectSameDType(op, name, input, parameter);
    if (i > 0) written.push(written[0]);
  });
  const hyper = required(op, inputs, names.length + 2, 'hyper');
  expectShape(op, 'hyper', hyper, [optimizerHyper[kind].length]);
  return written;
}

/**
 * sgdStep, adamStep, …: formulas of torch.optim (src/backend/js/optimizer/optimizer.ts). Inputs: parameter, grad, the kind's states
 * (optional states may be null, the last ones first), hyper (entries: `optimizerHyper`). Outputs, in place: the
 * parameter and the states that are present.
 */
export const optimizerOps = (Object.keys(optimizerStates) as UpdateKind[]).map((kind) => {
  const { length: states } = optimizerStates[kind].names;
  return defineOp({
    name: `${kind}Step`,
    inPlace: [0, ...optimizerStates[kind].names.map((_, i) => i + 2)],
    infer: (inputs) => checkUpdate(kind, inputs),
    layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
    forward(emit, inputs, outputs) {
      const [parameter, grad, ...rest] = inputs;
      const hyper = rest[states];
      const own = [0, 1, 2].map((i) => (i < states ? rest[i] : null));
      const length = (parameter as Tensor).size;
      if (kind !== 'lamb') {
        emit.call('optimizerStep', [parameter, grad, ...own, hyper], outputs, { kind, length });
        return;
      }
      // The step's length depends on the norms of the whole parameter and of the whole step.
      const { dtype, shape } = parameter as Tensor;
      const step = emit.temp(dtype, shape);
      const [, m, v] = outputs;
      emit.call('optimizerStep', [parameter, grad, own[0], own[1], step, hyper], [m, v, step], { kind, length });
      const norms = [parameter as Tensor, step].map((t) => {
        const norm = emit.temp(dtype, []);
        emit.call('reduce', [t], [norm], { kind: 'l2', outer: 1, length, inner: 1 });
        return norm;
      });
      const inputsOfApply = [parameter, step, norms[0], norms[1], null, hyper];
      emit.call('optimizerStep', inputsOfApply, [outputs[0]], { kind: 'lambApply', length });
    },
  });
});
