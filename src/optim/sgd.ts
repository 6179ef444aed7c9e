import { apply, type Variable } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { sgdHyper } from '../ops/optimizer.ts';
import { Optimizer, type ParamGroup, type Params } from './optimizer.ts';

export interface SGDOptions {
  lr: number;
  momentum: number;
  dampening: number;
  weightDecay: number;
  nesterov: boolean;
  maximize: boolean;
}

const defaults: SGDOptions = { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false };

/** torch.optim.SGD: momentum, Nesterov, weight decay (added to the gradient). */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: Params<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super(params, { ...defaults, ...options });
    for (const { nesterov, momentum, dampening } of this.paramGroups) {
      if (nesterov && (momentum <= 0 || dampening !== 0))
        throw new ConvletError('argument', 'SGD: nesterov expects a momentum > 0 and no dampening');
    }
  }

  protected hyper(group: ParamGroup & SGDOptions, step: number): number[] {
    const values = { ...group, nesterov: Number(group.nesterov), maximize: Number(group.maximize) };
    return sgdHyper.map((name) => (name === 'first' ? Number(step === 1) : values[name]));
  }

  protected update(param: Variable, grad: Variable, hyper: Variable, group: ParamGroup & SGDOptions): void {
    apply('sgdStep', [param, grad, group.momentum === 0 ? null : this.slot(param, 'momentum_buffer'), hyper]);
  }
}
