// Which options the losses have, in PyTorch's order.
import { anything, flag, type KnownOf, number, oneOf } from '../common/options.ts';
import { reductions } from '../ops/loss/loss.ts';
import type {
  BceOptions,
  BceWithLogitsOptions,
  CrossEntropyOptions,
  CtcOptions,
  DiceOptions,
  FocalOptions,
  NllOptions,
} from './loss.ts';
import type {
  GaussianOptions,
  HuberOptions,
  KlDivOptions,
  MarginOptions,
  PairwiseOptions,
  PoissonOptions,
  SmoothL1Options,
  TripletOptions,
} from './loss-distance.ts';
import type { LossOptions } from './loss-reduction.ts';

const reduction = oneOf(...reductions);

export const lossKnown: KnownOf<LossOptions> = { reduction };
export const nllKnown: KnownOf<NllOptions> = { weight: anything, ignoreIndex: number, reduction };
export const crossEntropyKnown: KnownOf<CrossEntropyOptions> = { ...nllKnown, labelSmoothing: number };
export const bceKnown: KnownOf<BceOptions> = { weight: anything, reduction };
export const bceWithLogitsKnown: KnownOf<BceWithLogitsOptions> = { ...bceKnown, posWeight: anything };
export const focalKnown: KnownOf<FocalOptions> = { alpha: number, gamma: number, reduction };
export const diceKnown: KnownOf<DiceOptions> = { smooth: number };
export const ctcKnown: KnownOf<CtcOptions> = { blank: number, reduction, zeroInfinity: flag };
export const smoothL1Known: KnownOf<SmoothL1Options> = { reduction, beta: number };
export const huberKnown: KnownOf<HuberOptions> = { reduction, delta: number };
export const klDivKnown: KnownOf<KlDivOptions> = { reduction: oneOf(...reductions, 'batchmean'), logTarget: flag };
export const marginKnown: KnownOf<MarginOptions> = { margin: number, reduction };
export const poissonKnown: KnownOf<PoissonOptions> = { logInput: flag, full: flag, eps: number, reduction };
export const gaussianKnown: KnownOf<GaussianOptions> = { full: flag, eps: number, reduction };
export const pairwiseKnown: KnownOf<PairwiseOptions> = { p: number, eps: number };
export const tripletKnown: KnownOf<TripletOptions> = { margin: number, p: number, eps: number, swap: flag, reduction };
