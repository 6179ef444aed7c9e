// Options of the losses. Tables are in PyTorch's order.
import type { Variable } from '../autograd/index.ts';
import { anything, flag, type KnownOf, number, oneOf } from '../common/options.ts';
import type { Reduction } from '../ops/loss/attrs.ts';
import { reductions } from '../ops/loss/loss.ts';

const reduction = oneOf(...reductions);

export interface LossOptions {
  /** How the losses of the elements become one: their mean, their sum, or not at all. Default 'mean'. */
  readonly reduction?: Reduction;
}

export const lossKnown: KnownOf<LossOptions> = { reduction };

export interface NllOptions extends LossOptions {
  /** Of each class [C]. */
  readonly weight?: Variable | null;
  /** Targets of this value count for nothing. */
  readonly ignoreIndex?: number;
}

export const nllKnown: KnownOf<NllOptions> = { weight: anything, ignoreIndex: number, reduction };

export interface CrossEntropyOptions extends NllOptions {
  /** Share of the target that is spread evenly over all classes. */
  readonly labelSmoothing?: number;
}

export const crossEntropyKnown: KnownOf<CrossEntropyOptions> = { ...nllKnown, labelSmoothing: number };

export interface BceOptions extends LossOptions {
  /** Of each element; broadcasts. */
  readonly weight?: Variable | null;
}

export const bceKnown: KnownOf<BceOptions> = { weight: anything, reduction };

export interface BceWithLogitsOptions extends BceOptions {
  /** Of the positive answers, by class; broadcasts. */
  readonly posWeight?: Variable | null;
}

export const bceWithLogitsKnown: KnownOf<BceWithLogitsOptions> = { ...bceKnown, posWeight: anything };

export interface FocalOptions extends LossOptions {
  readonly gamma?: number;
  readonly alpha?: number;
}

export const focalKnown: KnownOf<FocalOptions> = { alpha: number, gamma: number, reduction };

export interface DiceOptions {
  /** Added above and below. Default 1. */
  readonly smooth?: number;
}

export const diceKnown: KnownOf<DiceOptions> = { smooth: number };

export interface CtcOptions extends LossOptions {
  readonly blank?: number;
  readonly zeroInfinity?: boolean;
}

export const ctcKnown: KnownOf<CtcOptions> = { blank: number, reduction, zeroInfinity: flag };

export interface SmoothL1Options extends LossOptions {
  readonly beta?: number;
}

export const smoothL1Known: KnownOf<SmoothL1Options> = { reduction, beta: number };

export interface HuberOptions extends LossOptions {
  readonly delta?: number;
}

export const huberKnown: KnownOf<HuberOptions> = { reduction, delta: number };

export interface KlDivOptions {
  /** 'batchmean': the sum divided by the first axis, which is the divergence's mean. Default 'mean', over all elements. */
  readonly reduction?: Reduction | 'batchmean';
  /** The targets are logarithms too. */
  readonly logTarget?: boolean;
}

export const klDivKnown: KnownOf<KlDivOptions> = { reduction: oneOf(...reductions, 'batchmean'), logTarget: flag };

export interface MarginOptions extends LossOptions {
  readonly margin?: number;
}

export const marginKnown: KnownOf<MarginOptions> = { margin: number, reduction };

export interface PoissonOptions extends LossOptions {
  /** x is the logarithm of the rate. Default true. */
  readonly logInput?: boolean;
  /** With Stirling's approximation of log target!. */
  readonly full?: boolean;
  readonly eps?: number;
}

export const poissonKnown: KnownOf<PoissonOptions> = { logInput: flag, full: flag, eps: number, reduction };

export interface GaussianOptions extends LossOptions {
  /** With the constant ½·log 2π. */
  readonly full?: boolean;
  /** Least variance. */
  readonly eps?: number;
}

export const gaussianKnown: KnownOf<GaussianOptions> = { full: flag, eps: number, reduction };

export interface PairwiseOptions {
  readonly p?: number;
  readonly eps?: number;
}

export const pairwiseKnown: KnownOf<PairwiseOptions> = { p: number, eps: number };

export interface TripletOptions extends MarginOptions {
  readonly p?: number;
  readonly eps?: number;
  /** The negative's distance is that to the positive where this is smaller (Balntas et al. 2016). */
  readonly swap?: boolean;
}

export const tripletKnown: KnownOf<TripletOptions> = { margin: number, p: number, eps: number, swap: flag, reduction };
