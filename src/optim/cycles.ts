// Schedules that go up and down, and the one that watches a metric; see schedule.ts.
import { ConvletError } from '../common/error.ts';
import { flag, type KnownOf, kind, number, oneOf, whole, withDefaults } from '../common/options.ts';
import { checkSchedule, expectAtLeast } from './checks.ts';
import type { ParamGroup } from './optimizer.ts';
import { LRScheduler, type Scheduled, type ScheduleState } from './schedule.ts';

/** From `from` to `to` along half a cosine, `share` of the way. */
const cosine = (from: number, to: number, share: number): number =>
  to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
const straight = (from: number, to: number, share: number): number => from + (to - from) * share;

/** Of CosineAnnealingLR. */
export interface CosineOptions {
  /** Epochs. */
  readonly tMax: number;
  /** Default 0. */
  readonly etaMin?: number;
}

const cosineKnown: KnownOf<CosineOptions> = { tMax: whole(1), etaMin: number };

/** Down to etaMin along half a cosine in tMax epochs, and up again (Loshchilov & Hutter 2017, without restarts). */
export class CosineAnnealingLR extends LRScheduler {
  static override readonly name: string = 'CosineAnnealingLR';

  private readonly tMax: number;
  private readonly etaMin: number;

  constructor(optimizer: Scheduled, options: CosineOptions, ...surplus: never[]) {
    checkSchedule('CosineAnnealingLR', cosineKnown, ['tMax'], [optimizer, options, ...surplus]);
    super(optimizer);
    const { tMax, etaMin = 0 } = options;
    this.tMax = tMax;
    this.etaMin = etaMin;
    this.moveTo(0);
  }

  rate(epoch: number, base: number): number {
    return cosine(base, this.etaMin, epoch / this.tMax);
  }
}

/** Of CosineAnnealingWarmRestarts. */
export interface WarmRestartsOptions {
  /** Epochs of the first half cosine. */
  readonly t0: number;
  /** How much longer each is than the one before. Default 1. */
  readonly tMult?: number;
  /** Default 0. */
  readonly etaMin?: number;
}

const warmRestartsKnown: KnownOf<WarmRestartsOptions> = { t0: whole(1), tMult: whole(1), etaMin: number };

/** Half cosines of t0, t0·tMult, t0·tMult², … epochs, each from the initial rate (Loshchilov & Hutter 2017). */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  static override readonly name: string = 'CosineAnnealingWarmRestarts';

  private readonly t0: number;
  private readonly tMult: number;
  private readonly etaMin: number;

  constructor(optimizer: Scheduled, options: WarmRestartsOptions, ...surplus: never[]) {
    checkSchedule('CosineAnnealingWarmRestarts', warmRestartsKnown, ['t0'], [optimizer, options, ...surplus]);
    super(optimizer);
    const { t0, tMult = 1, etaMin = 0 } = options;
    this.t0 = t0;
    this.tMult = tMult;
    this.etaMin = etaMin;
    this.moveTo(0);
  }

  rate(epoch: number, base: number): number {
    let length = this.t0;
    let at = epoch;
    if (this.tMult === 1) at %= length;
    for (; at >= length; length *= this.tMult) at -= length;
    return cosine(base, this.etaMin, at / length);
  }
}

/** Of OneCycleLR. */
export interface OneCycleOptions {
  /** For all groups, or one per group. */
  readonly maxLr: number | readonly number[];
  /** Steps of the whole cycle; or give epochs and stepsPerEpoch. */
  readonly totalSteps?: number;
  /** Instead of totalSteps: epochs times stepsPerEpoch. */
  readonly epochs?: number;
  /** Steps of an epoch. */
  readonly stepsPerEpoch?: number;
  /** Share of the cycle that goes up. */
  readonly pctStart?: number;
  /** How rates go down: 'cos' (default) or 'linear'. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** Momentum (SGD's, or the first of betas) goes the other way. */
  readonly cycleMomentum?: boolean;
  /** Momentum at the greatest rate; default 0.85. */
  readonly baseMomentum?: number;
  /** Momentum at the least rate; default 0.95. */
  readonly maxMomentum?: number;
  /** The first rate is maxLr / divFactor; default 25. */
  readonly divFactor?: number;
  /** The last rate is the first one / finalDivFactor; default 1e4. */
  readonly finalDivFactor?: number;
  /** Down as long as up, and then a phase to the last rate; default false: down to it at once. */
  readonly threePhase?: boolean;
}

const oneCycleKnown: KnownOf<OneCycleOptions> = {
  maxLr: kind('a number, or one per group', (v) => [v].flat().every((rate) => typeof rate === 'number')),
  totalSteps: number,
  epochs: number,
  stepsPerEpoch: number,
  pctStart: kind('a number in 0…1', (v) => typeof v === 'number' && v >= 0 && v <= 1),
  annealStrategy: oneOf('cos', 'linear'),
  cycleMomentum: flag,
  baseMomentum: number,
  maxMomentum: number,
  divFactor: number,
  finalDivFactor: number,
  threePhase: flag,
};

interface Phase {
  readonly end: number;
  readonly from: 'initial' | 'max';
  readonly to: 'initial' | 'max' | 'min';
}

/** Sets a group's momentum: `momentum`, or the first of `betas`. */
function setMomentum(group: ParamGroup, momentum: number): void {
  if (typeof group.momentum === 'number') group.momentum = momentum;
  else if (Array.isArray(group.betas)) group.betas = [momentum, group.betas[1]];
}

type OneCycle = Required<Omit<OneCycleOptions, 'epochs' | 'stepsPerEpoch'>>;

/** Up to maxLr and down far below the start (Smith & Topin 2018); `step` after each batch, `totalSteps` in all. */
export class OneCycleLR extends LRScheduler {
  static override readonly name: string = 'OneCycleLR';

  private readonly options: OneCycle;
  private readonly phases: readonly Phase[];

  constructor(optimizer: Scheduled, options: OneCycleOptions, ...surplus: never[]) {
    checkSchedule('OneCycleLR', oneCycleKnown, ['maxLr'], [optimizer, options, ...surplus]);
    super(optimizer);
    const totalSteps = options.totalSteps ?? (options.epochs ?? 0) * (options.stepsPerEpoch ?? 0);
    expectAtLeast('OneCycleLR', 'totalSteps (or epochs × stepsPerEpoch)', totalSteps, 1, true);
    const { epochs: _, stepsPerEpoch: __, ...given } = options;
    const rates = { maxLr: options.maxLr, divFactor: 25, finalDivFactor: 1e4, pctStart: 0.3 };
    const shape = { totalSteps, annealStrategy: 'cos', threePhase: false } as const;
    const momentum = { cycleMomentum: true, baseMomentum: 0.85, maxMomentum: 0.95 };
    this.options = withDefaults<OneCycle>({ ...rates, ...shape, ...momentum }, given);
    const { pctStart, threePhase } = this.options;
    const last = { end: totalSteps - 1, to: 'min' } as const;
    this.phases = threePhase
      ? [
          { end: pctStart * totalSteps - 1, from: 'initial', to: 'max' },
          { end: 2 * pctStart * totalSteps - 2, from: 'max', to: 'initial' },
          { ...last, from: 'initial' },
        ]
      : [
          { end: pctStart * totalSteps - 1, from: 'initial', to: 'max' },
          { ...last, from: 'max' },
        ];
    this.moveTo(0);
  }

  /** Phase of a step, and how far it has come. */
  private place(epoch: number): [Phase, number] {
    const { totalSteps } = this.options;
    if (epoch >= totalSteps)
      throw new ConvletError('argument', `OneCycleLR: step ${epoch} of a cycle of ${totalSteps} steps`);
    const index = this.phases.findIndex((phase, i) => epoch <= phase.end || i === this.phases.length - 1);
    const begin = index === 0 ? 0 : this.phases[index - 1].end;
    return [this.phases[index], (epoch - begin) / (this.phases[index].end - begin)];
  }

  private anneal(from: number, to: number, share: number): number {
    return (this.options.annealStrategy === 'cos' ? cosine : straight)(from, to, share);
  }

  rate(epoch: number, _base: number, group: number): number {
    const { maxLr, divFactor, finalDivFactor } = this.options;
    const max = typeof maxLr === 'number' ? maxLr : maxLr[group];
    const rates = { max, initial: max / divFactor, min: max / divFactor / finalDivFactor };
    const [phase, share] = this.place(epoch);
    return this.anneal(rates[phase.from], rates[phase.to], share);
  }

  protected override also(epoch: number, group: ParamGroup): void {
    const { cycleMomentum, baseMomentum, maxMomentum } = this.options;
    if (!cycleMomentum) return;
    const [phase, share] = this.place(epoch);
    const momentum = (name: string): number => (name === 'max' ? baseMomentum : maxMomentum);
    setMomentum(group, this.anneal(momentum(phase.from), momentum(phase.to), share));
  }
}

/** Of CyclicLR. */
export interface CyclicOptions {
  /** Least rate. */
  readonly baseLr: number;
  /** Greatest rate. */
  readonly maxLr: number;
  /** Steps from least to greatest; default 2000. */
  readonly stepSizeUp?: number;
  /** Steps back; default: as many as up. */
  readonly stepSizeDown?: number;
  /** 'triangular' (default); 'triangular2' halves the height in each cycle; 'expRange' multiplies it by gamma in each step. */
  readonly mode?: 'triangular' | 'triangular2' | 'expRange';
  /** Of 'expRange'; default 1. */
  readonly gamma?: number;
  /** Whether momentum goes against the rate. */
  readonly cycleMomentum?: boolean;
  /** Momentum at the greatest rate. */
  readonly baseMomentum?: number;
  /** Momentum at the least rate. */
  readonly maxMomentum?: number;
}

const cyclicKnown: KnownOf<CyclicOptions> = {
  baseLr: number,
  maxLr: number,
  stepSizeUp: number,
  stepSizeDown: number,
  mode: oneOf('triangular', 'triangular2', 'expRange'),
  gamma: number,
  cycleMomentum: flag,
  baseMomentum: number,
  maxMomentum: number,
};

/** Up and down between baseLr and maxLr (Smith 2017); triangular2 halves the height with each cycle. */
export class CyclicLR extends LRScheduler {
  static override readonly name: string = 'CyclicLR';

  private readonly options: Required<CyclicOptions>;

  constructor(optimizer: Scheduled, options: CyclicOptions, ...surplus: never[]) {
    checkSchedule('CyclicLR', cyclicKnown, ['baseLr', 'maxLr'], [optimizer, options, ...surplus]);
    super(optimizer);
    const stepSizeUp = options.stepSizeUp ?? 2000;
    expectAtLeast('CyclicLR', 'stepSizeUp', stepSizeUp, 1);
    const rates = { baseLr: options.baseLr, maxLr: options.maxLr, mode: 'triangular', gamma: 1 } as const;
    const momentum = { cycleMomentum: true, baseMomentum: 0.8, maxMomentum: 0.9 };
    const sizes = { stepSizeUp, stepSizeDown: stepSizeUp };
    this.options = withDefaults<Required<CyclicOptions>>({ ...rates, ...sizes, ...momentum }, options);
    expectAtLeast('CyclicLR', 'stepSizeDown', this.options.stepSizeDown, 1);
    this.moveTo(0);
  }

  /** Height above the base, 0…1, with the mode's shrinking. */
  private height(epoch: number): number {
    const { stepSizeUp, stepSizeDown, mode, gamma } = this.options;
    const total = stepSizeUp + stepSizeDown;
    const cycle = Math.floor(1 + epoch / total);
    const at = 1 + epoch / total - cycle;
    const ratio = stepSizeUp / total;
    const scale = at <= ratio ? at / ratio : (at - 1) / (ratio - 1);
    if (mode === 'triangular2') return scale / 2 ** (cycle - 1);
    return mode === 'expRange' ? scale * gamma ** epoch : scale;
  }

  rate(epoch: number): number {
    const { baseLr, maxLr } = this.options;
    return baseLr + (maxLr - baseLr) * this.height(epoch);
  }

  protected override also(epoch: number, group: ParamGroup): void {
    const { cycleMomentum, baseMomentum, maxMomentum } = this.options;
    if (cycleMomentum) setMomentum(group, maxMomentum - (maxMomentum - baseMomentum) * this.height(epoch));
  }
}

/** Of ReduceLROnPlateau. */
export interface PlateauOptions {
  /** Whether the metric should get smaller ('min', default) or greater ('max'). */
  readonly mode?: 'min' | 'max';
  /** The rate is multiplied by it; default 0.1. */
  readonly factor?: number;
  /** Epochs without an improvement before the rate is reduced; default 10. */
  readonly patience?: number;
  /** What counts as an improvement; default 1e-4. */
  readonly threshold?: number;
  /** 'rel' (default): a share of the best; 'abs': a difference. */
  readonly thresholdMode?: 'rel' | 'abs';
  /** Epochs after a reduction in which nothing is counted. */
  readonly cooldown?: number;
  /** No rate is lower; default 0. */
  readonly minLr?: number;
  /** A smaller change of the rate is not made. */
  readonly eps?: number;
}

const plateauKnown: KnownOf<PlateauOptions> = {
  mode: oneOf('min', 'max'),
  factor: kind('a number below 1', (v) => typeof v === 'number' && v < 1),
  patience: number,
  threshold: number,
  thresholdMode: oneOf('rel', 'abs'),
  cooldown: number,
  minLr: number,
  eps: number,
};

/** Times `factor` when a metric has stopped improving; `step(metric)` after each epoch. */
export class ReduceLROnPlateau {
  static readonly name: string = 'ReduceLROnPlateau';

  /** Whose rates change. */
  readonly optimizer: Scheduled;
  /** Best metric so far. */
  best: number;
  /** Epochs without an improvement. */
  numBadEpochs = 0;
  /** Epochs in which nothing is counted yet. */
  cooldownCounter = 0;
  /** Epochs so far. */
  lastEpoch = 0;
  private readonly options: Required<PlateauOptions>;

  constructor(optimizer: Scheduled, options: PlateauOptions = {}, ...surplus: never[]) {
    checkSchedule('ReduceLROnPlateau', plateauKnown, [], [optimizer, options, ...surplus]);
    this.optimizer = optimizer;
    const rates = { mode: 'min', factor: 0.1, minLr: 0, eps: 1e-8 } as const;
    const defaults = { ...rates, patience: 10, threshold: 1e-4, thresholdMode: 'rel', cooldown: 0 } as const;
    this.options = withDefaults<Required<PlateauOptions>>(defaults, options);
    this.best = this.options.mode === 'min' ? Infinity : -Infinity;
  }

  /** Tells the metric of an epoch. */
  step(metric: number): void {
    const { patience, cooldown, factor, minLr, eps } = this.options;
    this.lastEpoch++;
    if (this.improves(metric)) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs <= patience) return;
    for (const group of this.optimizer.paramGroups) {
      const lr = Math.max(group.lr * factor, minLr);
      if (group.lr - lr > eps) group.lr = lr;
    }
    this.cooldownCounter = cooldown;
    this.numBadEpochs = 0;
  }

  /** The rate of each group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** To go on from. */
  stateDict(): ScheduleState {
    const { best, numBadEpochs, cooldownCounter, lastEpoch } = this;
    return { lastEpoch, best, numBadEpochs, cooldownCounter, lrs: this.getLastLr() };
  }

  /** Goes on from a state. */
  loadStateDict(state: ScheduleState): void {
    const { lastEpoch, best, numBadEpochs, cooldownCounter, lrs } = state;
    Object.assign(this, { lastEpoch, best, numBadEpochs, cooldownCounter });
    this.optimizer.paramGroups.forEach((group, i) => {
      group.lr = (lrs as number[] | undefined)?.[i] ?? group.lr;
    });
  }

  private improves(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const sign = mode === 'min' ? 1 : -1;
    const bound = thresholdMode === 'rel' ? this.best * (1 - sign * threshold) : this.best - sign * threshold;
    return mode === 'min' ? metric < bound : metric > bound;
  }
}
