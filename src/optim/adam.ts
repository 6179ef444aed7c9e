import { flag, type KnownOf } from '../common/options.ts';
import { decays, notNegative } from './checks.ts';
import { KernelOptimizer } from './kernel-optimizer.ts';
import type { ParamGroup, Params } from './optimizer.ts';

type Betas = readonly [number, number];

/** Of Adam and AdamW. */
export interface AdamOptions {
  /** Learning rate; default 1e-3. */
  lr: number;
  /** Decays of the averages of gradients and of their squares; default [0.9, 0.999]. */
  betas: Betas;
  /** Added to the denominator; default 1e-8. */
  eps: number;
  /** Of Adam added to the gradient (default 0), of AdamW taken off the weights (default 1e-2). */
  weightDecay: number;
  /** Divides by the greatest average of squares so far. */
  amsgrad: boolean;
  /** Steps uphill: the loss is to grow. */
  maximize: boolean;
}

interface MomentOptions {
  /** Learning rate; default 1e-3 (NAdam and Adamax 2e-3). */
  lr: number;
  /** Decays of the averages of gradients and of their squares; default [0.9, 0.999]. */
  betas: Betas;
  /** Added to the denominator; default 1e-8 (Lamb 1e-6). */
  eps: number;
  /** L2 penalty added to the gradient: weightDecay · weight; default 0. */
  weightDecay: number;
  /** Steps uphill: the loss is to grow. */
  maximize: boolean;
}

const momentKnown: KnownOf<MomentOptions> = {
  lr: notNegative,
  betas: decays,
  eps: notNegative,
  weightDecay: notNegative,
  maximize: flag,
};
const { maximize, ...firstKnown } = momentKnown;
const adamKnown: KnownOf<AdamOptions> = { ...firstKnown, amsgrad: flag, maximize };
const nadamKnown: KnownOf<NAdamOptions> = { ...firstKnown, momentumDecay: notNegative, maximize };
const lionKnown: KnownOf<LionOptions> = { lr: notNegative, betas: decays, weightDecay: notNegative, maximize: flag };

const moments = { lr: 1e-3, betas: [0.9, 0.999] as Betas, eps: 1e-8, weightDecay: 0, maximize: false };

/** What optimizers with two moments have in common. */
function common({ betas: [beta1, beta2], eps, weightDecay, maximize }: MomentOptions, step: number) {
  const bias1 = 1 - beta1 ** step;
  const bias2 = 1 - beta2 ** step;
  const correction = 1 / Math.sqrt(bias2);
  return {
    beta1,
    rest1: 1 - beta1,
    beta2,
    rest2: 1 - beta2,
    epsilon: eps,
    weightDecay,
    maximize,
    bias1,
    bias2,
    correction,
  };
}

/** torch.optim.Adam (Kingma & Ba 2015; amsgrad: Reddi et al. 2018). Weight decay is added to the gradient. */
export class Adam extends KernelOptimizer<AdamOptions> {
  static override readonly name: string = 'Adam';

  protected readonly kind = 'adam';

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}, ...surplus: never[]) {
    super('Adam', params, [options, ...surplus], { ...moments, amsgrad: false }, adamKnown);
  }

  protected numbers(group: ParamGroup & AdamOptions, step: number) {
    const all = common(group, step);
    return { ...all, stepSize: group.lr / all.bias1, decay: 1 };
  }

  protected override has(name: string, group: AdamOptions): boolean {
    return name !== 'max_exp_avg_sq' || group.amsgrad;
  }
}

/** torch.optim.AdamW (Loshchilov & Hutter 2019): Adam with weight decay apart from the gradient. */
export class AdamW extends KernelOptimizer<AdamOptions> {
  static override readonly name: string = 'AdamW';

  protected readonly kind = 'adam';

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}, ...surplus: never[]) {
    super('AdamW', params, [options, ...surplus], { ...moments, weightDecay: 1e-2, amsgrad: false }, adamKnown);
  }

  protected numbers(group: ParamGroup & AdamOptions, step: number) {
    const all = common(group, step);
    return { ...all, stepSize: group.lr / all.bias1, weightDecay: 0, decay: 1 - group.lr * group.weightDecay };
  }

  protected override has(name: string, group: AdamOptions): boolean {
    return name !== 'max_exp_avg_sq' || group.amsgrad;
  }
}

/** Of Adamax. */
export type AdamaxOptions = MomentOptions;

/** torch.optim.Adamax: Adam with the infinity norm (Kingma & Ba 2015, section 7.1). */
export class Adamax extends KernelOptimizer<AdamaxOptions> {
  static override readonly name: string = 'Adamax';

  protected readonly kind = 'adamax';

  constructor(params: Params<AdamaxOptions>, options: Partial<AdamaxOptions> = {}, ...surplus: never[]) {
    super('Adamax', params, [options, ...surplus], { ...moments, lr: 2e-3 }, momentKnown);
  }

  protected numbers(group: ParamGroup & AdamaxOptions, step: number) {
    const all = common(group, step);
    return { ...all, stepSize: group.lr / all.bias1 };
  }
}

/** Of NAdam. */
export interface NAdamOptions extends MomentOptions {
  /** Decay of the momentum; default 4e-3. */
  momentumDecay: number;
}

/**
 * torch.optim.NAdam (Dozat 2016): Adam with Nesterov's momentum. As PyTorch 1.13, which counts μ(t) twice in the correction of the
 * first moment (later versions once).
 */
export class NAdam extends KernelOptimizer<NAdamOptions> {
  static override readonly name: string = 'NAdam';

  protected readonly kind = 'nadam';

  constructor(params: Params<NAdamOptions>, options: Partial<NAdamOptions> = {}, ...surplus: never[]) {
    super('NAdam', params, [options, ...surplus], { ...moments, lr: 2e-3, momentumDecay: 4e-3 }, nadamKnown);
  }

  protected numbers(group: ParamGroup & NAdamOptions, step: number) {
    const mu = (t: number): number => group.betas[0] * (1 - 0.5 * 0.96 ** (t * group.momentumDecay));
    let product = 1;
    for (let t = 1; t <= step; t++) product *= mu(t);
    const next = mu(step + 1);
    const ofGrad = (group.lr * (1 - mu(step))) / (1 - product);
    return { ...common(group, step), ofGrad, ofMean: (group.lr * next) / (1 - product * mu(step) * next) };
  }
}

/** Of RAdam. */
export type RAdamOptions = MomentOptions;

/** torch.optim.RAdam (Liu et al. 2020): Adam that does not trust its second moment at first. */
export class RAdam extends KernelOptimizer<RAdamOptions> {
  static override readonly name: string = 'RAdam';

  protected readonly kind = 'radam';

  constructor(params: Params<RAdamOptions>, options: Partial<RAdamOptions> = {}, ...surplus: never[]) {
    super('RAdam', params, [options, ...surplus], moments, momentKnown);
  }

  protected numbers(group: ParamGroup & RAdamOptions, step: number) {
    const all = common(group, step);
    const most = 2 / all.rest2 - 1;
    const length = most - (2 * step * all.beta2 ** step) / all.bias2;
    const adaptive = length > 5;
    const rectified = adaptive
      ? Math.sqrt((((length - 4) * (length - 2) * most) / ((most - 4) * (most - 2) * length)) * all.bias2)
      : 1;
    return { ...all, stepSize: (group.lr / all.bias1) * rectified, adaptive };
  }
}

/** Of Lion. */
export interface LionOptions {
  /** Learning rate; default 1e-4. */
  lr: number;
  /** Decays of the step and of the momentum; default [0.9, 0.99]. */
  betas: Betas;
  /** Taken off the weights: lr · weightDecay · weight; default 0. */
  weightDecay: number;
  /** Steps uphill: the loss is to grow. */
  maximize: boolean;
}

/** Lion (Chen et al. 2023): the sign of a momentum; weight decay apart from the gradient. */
export class Lion extends KernelOptimizer<LionOptions> {
  static override readonly name: string = 'Lion';

  protected readonly kind = 'lion';

  constructor(params: Params<LionOptions>, options: Partial<LionOptions> = {}, ...surplus: never[]) {
    super(
      'Lion',
      params,
      [options, ...surplus],
      { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false },
      lionKnown,
    );
  }

  protected numbers({ lr, betas: [beta1, beta2], weightDecay, maximize }: ParamGroup & LionOptions) {
    return { lr, beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, decay: 1 - lr * weightDecay, maximize };
  }
}

/** Of Lamb. */
export type LambOptions = MomentOptions;

/** LAMB (You et al. 2020): Adam's step scaled to the length of the parameter, for large batches. */
export class Lamb extends KernelOptimizer<LambOptions> {
  static override readonly name: string = 'Lamb';

  protected readonly kind = 'lamb';

  constructor(params: Params<LambOptions>, options: Partial<LambOptions> = {}, ...surplus: never[]) {
    super('Lamb', params, [options, ...surplus], { ...moments, eps: 1e-6 }, momentKnown);
  }

  protected numbers(group: ParamGroup & LambOptions, step: number) {
    const all = common(group, step);
    return { ...all, lr: group.lr, scale1: 1 / all.bias1 };
  }
}
