import { ConvletError } from '../common/error.ts';
import { flag, type KnownOf, number } from '../common/options.ts';
import { notNegative, pair, share } from './checks.ts';
import { KernelOptimizer } from './kernel-optimizer.ts';
import type { ParamGroup, Params } from './optimizer.ts';

/** Of SGD. */
export interface SGDOptions {
  /** Learning rate; default 1e-3. */
  lr: number;
  /** Share of the last step in the next; default 0. */
  momentum: number;
  /** Share of the gradient that the momentum leaves out; default 0. */
  dampening: number;
  /** L2 penalty added to the gradient: weightDecay · weight; default 0. */
  weightDecay: number;
  /** Nesterov momentum (Sutskever et al. 2013). */
  nesterov: boolean;
  /** Steps uphill: the loss is to grow. */
  maximize: boolean;
}

const sgdKnown: KnownOf<SGDOptions> = {
  lr: notNegative,
  momentum: notNegative,
  dampening: number,
  weightDecay: notNegative,
  nesterov: flag,
  maximize: flag,
};

/** torch.optim.SGD: momentum, Nesterov, weight decay (added to the gradient). */
export class SGD extends KernelOptimizer<SGDOptions> {
  static override readonly name: string = 'SGD';

  protected readonly kind = 'sgd';

  constructor(params: Params<SGDOptions>, options: Partial<SGDOptions> = {}, ...surplus: never[]) {
    const plain = { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false };
    super('SGD', params, [options, ...surplus], plain, sgdKnown);
    for (const { nesterov, momentum, dampening } of this.paramGroups) {
      if (nesterov && (momentum <= 0 || dampening !== 0))
        throw new ConvletError('argument', 'SGD: nesterov expects a momentum > 0 and no dampening');
    }
  }

  protected numbers(group: ParamGroup & SGDOptions, step: number) {
    return { ...group, first: step === 1 };
  }

  protected override has(name: string, group: SGDOptions): boolean {
    return name !== 'momentum_buffer' || group.momentum !== 0;
  }
}

/** Of RMSprop. */
export interface RMSpropOptions {
  /** Learning rate; default 1e-2. */
  lr: number;
  /** Decay of the average of squares; default 0.99. */
  alpha: number;
  /** Added to the denominator; default 1e-8. */
  eps: number;
  /** L2 penalty added to the gradient: weightDecay · weight; default 0. */
  weightDecay: number;
  /** Share of the last step in the next; default 0. */
  momentum: number;
  /** Divides by the deviation instead of the root of the mean square. */
  centered: boolean;
  /** Steps uphill: the loss is to grow. */
  maximize: boolean;
}

const rmspropKnown: KnownOf<RMSpropOptions> = {
  lr: notNegative,
  alpha: notNegative,
  eps: notNegative,
  weightDecay: notNegative,
  momentum: notNegative,
  centered: flag,
  maximize: flag,
};

/** torch.optim.RMSprop (Hinton's lecture 6e; centred: Graves 2013). */
export class RMSprop extends KernelOptimizer<RMSpropOptions> {
  static override readonly name: string = 'RMSprop';

  protected readonly kind = 'rmsprop';

  constructor(params: Params<RMSpropOptions>, options: Partial<RMSpropOptions> = {}, ...surplus: never[]) {
    const plain = { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false, maximize: false };
    super('RMSprop', params, [options, ...surplus], plain, rmspropKnown);
  }

  protected numbers(group: ParamGroup & RMSpropOptions) {
    return { ...group, rest: 1 - group.alpha, epsilon: group.eps };
  }

  protected override has(name: string, { momentum, centered }: RMSpropOptions): boolean {
    // A later state is only taken with those before it.
    return name === 'grad_avg' ? centered : name !== 'momentum_buffer' || centered || momentum !== 0;
  }
}

/** Of Adagrad. */
export interface AdagradOptions {
  /** Learning rate; default 1e-2. */
  lr: number;
  /** The rate is lr / (1 + (step − 1) · lrDecay); default 0. */
  lrDecay: number;
  /** L2 penalty added to the gradient: weightDecay · weight; default 0. */
  weightDecay: number;
  /** The sum of squares at first; default 0. */
  initialAccumulatorValue: number;
  /** Added to the denominator; default 1e-10. */
  eps: number;
  /** Steps uphill: the loss is to grow. */
  maximize: boolean;
}

const adagradKnown: KnownOf<AdagradOptions> = {
  lr: notNegative,
  lrDecay: notNegative,
  weightDecay: notNegative,
  initialAccumulatorValue: notNegative,
  eps: notNegative,
  maximize: flag,
};

/** torch.optim.Adagrad (Duchi et al. 2011). */
export class Adagrad extends KernelOptimizer<AdagradOptions> {
  static override readonly name: string = 'Adagrad';

  protected readonly kind = 'adagrad';

  constructor(params: Params<AdagradOptions>, options: Partial<AdagradOptions> = {}, ...surplus: never[]) {
    const plain = { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10, maximize: false };
    super('Adagrad', params, [options, ...surplus], plain, adagradKnown);
  }

  protected numbers(group: ParamGroup & AdagradOptions, step: number) {
    return { ...group, lr: group.lr / (1 + (step - 1) * group.lrDecay), epsilon: group.eps };
  }

  protected override initial(_: string, group: AdagradOptions): number {
    return group.initialAccumulatorValue;
  }
}

/** Of Adadelta. */
export interface AdadeltaOptions {
  /** Learning rate; default 1. */
  lr: number;
  /** Decay of the averages; default 0.9. */
  rho: number;
  /** Added to the denominator; default 1e-6. */
  eps: number;
  /** L2 penalty added to the gradient: weightDecay · weight; default 0. */
  weightDecay: number;
  /** Steps uphill: the loss is to grow. */
  maximize: boolean;
}

const adadeltaKnown: KnownOf<AdadeltaOptions> = {
  lr: notNegative,
  rho: share,
  eps: notNegative,
  weightDecay: notNegative,
  maximize: flag,
};

/** torch.optim.Adadelta (Zeiler 2012). */
export class Adadelta extends KernelOptimizer<AdadeltaOptions> {
  static override readonly name: string = 'Adadelta';

  protected readonly kind = 'adadelta';

  constructor(params: Params<AdadeltaOptions>, options: Partial<AdadeltaOptions> = {}, ...surplus: never[]) {
    super(
      'Adadelta',
      params,
      [options, ...surplus],
      { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false },
      adadeltaKnown,
    );
  }

  protected numbers(group: ParamGroup & AdadeltaOptions) {
    return { ...group, rest: 1 - group.rho, epsilon: group.eps };
  }
}

/** Of Rprop. */
export interface RpropOptions {
  /** First step of each weight; default 1e-2. */
  lr: number;
  /** Factors of the step size where the sign changed and where it did not. */
  etas: readonly [number, number];
  /** Least and greatest step; default [1e-6, 50]. */
  stepSizes: readonly [number, number];
  /** Steps uphill: the loss is to grow. */
  maximize: boolean;
}

const rpropKnown: KnownOf<RpropOptions> = { lr: notNegative, etas: pair, stepSizes: pair, maximize: flag };

/** torch.optim.Rprop (Riedmiller & Braun 1993): step sizes from the signs alone; for full batches. */
export class Rprop extends KernelOptimizer<RpropOptions> {
  static override readonly name: string = 'Rprop';

  protected readonly kind = 'rprop';

  constructor(params: Params<RpropOptions>, options: Partial<RpropOptions> = {}, ...surplus: never[]) {
    super(
      'Rprop',
      params,
      [options, ...surplus],
      { lr: 1e-2, etas: [0.5, 1.2], stepSizes: [1e-6, 50], maximize: false },
      rpropKnown,
    );
    for (const { etas } of this.paramGroups) {
      if (etas[0] > 0 && etas[0] < 1 && etas[1] > 1) continue;
      throw new ConvletError('argument', `Rprop: etas expects numbers in 0…1 and above 1, got ${String(etas)}`);
    }
  }

  protected numbers({ etas, stepSizes, maximize }: ParamGroup & RpropOptions) {
    return { etaMinus: etas[0], etaPlus: etas[1], least: stepSizes[0], most: stepSizes[1], maximize };
  }

  protected override initial(name: string, group: ParamGroup & RpropOptions): number {
    return name === 'step_size' ? group.lr : 0;
  }
}
