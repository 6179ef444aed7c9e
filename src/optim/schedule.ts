import { ConvletError } from '../common/error.ts';
import { callable, checkCall, type KnownOf, kind, number, whole } from '../common/options.ts';
import { checkSchedule, checkScheduleArgs } from './checks.ts';
import type { ParamGroup } from './optimizer.ts';

/** What a schedule needs of an optimizer. */
export interface Scheduled {
  /** Groups with a rate each. */
  readonly paramGroups: readonly ParamGroup[];
}

/** Everything that a schedule must find again after a restart. */
export type ScheduleState = Readonly<Record<string, unknown>> & { readonly lastEpoch: number };

/**
 * Base of the schedules that are functions of the number of steps: `step()` after each epoch (or batch) sets every group's
 * `lr`. As torch.optim.lr_scheduler; the group's rate when its first schedule is made is kept as `initialLr`.
 */
export abstract class LRScheduler {
  static readonly name: string = 'LRScheduler';

  /** Whose rates it sets. */
  readonly optimizer: Scheduled;
  /** Times that `step` was called. */
  lastEpoch = 0;

  constructor(optimizer: Scheduled) {
    this.optimizer = optimizer;
    for (const group of optimizer.paramGroups) group.initialLr ??= group.lr;
  }

  /** The rate after `epoch` steps of a group whose initial rate is `base`. */
  abstract rate(epoch: number, base: number, group: number): number;

  /** Further numbers of a group that change with the rate (momentum). */
  protected also(_epoch: number, _group: ParamGroup): void {}

  /** One epoch (or batch) is over. */
  step(): void {
    this.moveTo(this.lastEpoch + 1);
  }

  /** Sets the rates of `epoch`. */
  moveTo(epoch: number): void {
    // Computed before anything is changed: a rate may be refused.
    const rates = this.optimizer.paramGroups.map((group, i) => this.rate(epoch, group.initialLr as number, i));
    this.lastEpoch = epoch;
    this.optimizer.paramGroups.forEach((group, i) => {
      group.lr = rates[i];
      this.also(epoch, group);
    });
  }

  /** The rate of each group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** To go on from. */
  stateDict(): ScheduleState {
    return { lastEpoch: this.lastEpoch };
  }

  /** Goes on from a state. */
  loadStateDict(state: ScheduleState): void {
    if (!(Number.isInteger(state.lastEpoch) && state.lastEpoch >= 0)) {
      throw new ConvletError(
        'argument',
        `loadStateDict: lastEpoch expects a whole number ≥ 0, got ${String(state.lastEpoch)}`,
      );
    }
    this.moveTo(state.lastEpoch);
  }
}

/** base·factor(epoch), a function for all groups or one per group. */
export class LambdaLR extends LRScheduler {
  static override readonly name: string = 'LambdaLR';

  private readonly factors: readonly ((epoch: number) => number)[];

  constructor(optimizer: Scheduled, factor: ((epoch: number) => number) | readonly ((epoch: number) => number)[]) {
    super(optimizer);
    this.factors = typeof factor === 'function' ? optimizer.paramGroups.map(() => factor) : factor;
    if (this.factors.length !== optimizer.paramGroups.length) {
      throw new ConvletError(
        'argument',
        `LambdaLR: expects ${optimizer.paramGroups.length} functions, one per group, got ${this.factors.length}`,
      );
    }
    this.moveTo(0);
  }

  rate(epoch: number, base: number, group: number): number {
    return base * this.factors[group](epoch);
  }
}

/** base·factor(1)·…·factor(epoch). */
export class MultiplicativeLR extends LRScheduler {
  static override readonly name: string = 'MultiplicativeLR';

  private readonly factor: (epoch: number) => number;

  constructor(optimizer: Scheduled, factor: (epoch: number) => number, ...surplus: never[]) {
    checkScheduleArgs('MultiplicativeLR', { factor: callable }, [optimizer, factor, ...surplus]);
    super(optimizer);
    this.factor = factor;
    this.moveTo(0);
  }

  rate(epoch: number, base: number): number {
    let rate = base;
    for (let i = 1; i <= epoch; i++) rate *= this.factor(i);
    return rate;
  }
}

/** Of StepLR. */
export interface StepOptions {
  /** Epochs. */
  readonly stepSize: number;
  /** Default 0.1. */
  readonly gamma?: number;
}

const stepKnown: KnownOf<StepOptions> = { stepSize: whole(1), gamma: number };

/** Times gamma after every `stepSize` epochs. */
export class StepLR extends LRScheduler {
  static override readonly name: string = 'StepLR';

  private readonly stepSize: number;
  private readonly gamma: number;

  constructor(optimizer: Scheduled, options: StepOptions, ...surplus: never[]) {
    checkSchedule('StepLR', stepKnown, ['stepSize'], [optimizer, options, ...surplus]);
    super(optimizer);
    const { stepSize, gamma = 0.1 } = options;
    this.stepSize = stepSize;
    this.gamma = gamma;
    this.moveTo(0);
  }

  rate(epoch: number, base: number): number {
    return base * this.gamma ** Math.floor(epoch / this.stepSize);
  }
}

/** Of MultiStepLR. */
export interface MultiStepOptions {
  /** Epochs. */
  readonly milestones: readonly number[];
  /** Default 0.1. */
  readonly gamma?: number;
}

const multiStepKnown: KnownOf<MultiStepOptions> = {
  milestones: kind('an array of numbers', (v) => Array.isArray(v) && v.every((epoch) => typeof epoch === 'number')),
  gamma: number,
};

/** Times gamma at each of the milestones. */
export class MultiStepLR extends LRScheduler {
  static override readonly name: string = 'MultiStepLR';

  private readonly milestones: readonly number[];
  private readonly gamma: number;

  constructor(optimizer: Scheduled, options: MultiStepOptions, ...surplus: never[]) {
    checkSchedule('MultiStepLR', multiStepKnown, ['milestones'], [optimizer, options, ...surplus]);
    super(optimizer);
    const { milestones, gamma = 0.1 } = options;
    this.milestones = milestones;
    this.gamma = gamma;
    this.moveTo(0);
  }

  rate(epoch: number, base: number): number {
    return base * this.gamma ** this.milestones.filter((milestone) => milestone <= epoch).length;
  }
}

/** Of ConstantLR. */
export interface ConstantOptions {
  /** Default 1/3. */
  readonly factor?: number;
  /** Default 5. */
  readonly totalIters?: number;
}

const constantKnown: KnownOf<ConstantOptions> = { factor: number, totalIters: whole(0) };

/** Times `factor` until `totalIters`, then the initial rate. */
export class ConstantLR extends LRScheduler {
  static override readonly name: string = 'ConstantLR';

  private readonly factor: number;
  private readonly totalIters: number;

  constructor(optimizer: Scheduled, options: ConstantOptions = {}, ...surplus: never[]) {
    checkSchedule('ConstantLR', constantKnown, [], [optimizer, options, ...surplus]);
    super(optimizer);
    const { factor = 1 / 3, totalIters = 5 } = options;
    this.factor = factor;
    this.totalIters = totalIters;
    this.moveTo(0);
  }

  rate(epoch: number, base: number): number {
    return epoch < this.totalIters ? base * this.factor : base;
  }
}

/** The factor goes in a straight line from startFactor to endFactor in `totalIters` epochs: warm-up. */
export class LinearLR extends LRScheduler {
  static override readonly name: string = 'LinearLR';

  private readonly from: number;
  private readonly to: number;
  private readonly totalIters: number;

  constructor(optimizer: Scheduled, options: LinearLROptions = {}, ...surplus: never[]) {
    checkSchedule('LinearLR', linearKnown, [], [optimizer, options, ...surplus]);
    super(optimizer);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    this.from = startFactor;
    this.to = endFactor;
    this.totalIters = totalIters;
    this.moveTo(0);
  }

  rate(epoch: number, base: number): number {
    return base * (this.from + (this.to - this.from) * Math.min(1, epoch / this.totalIters));
  }
}

/** Of LinearLR. */
export interface LinearLROptions {
  /** Factor of the rate at first; default 1/3. */
  readonly startFactor?: number;
  /** Factor of the rate at last; default 1. */
  readonly endFactor?: number;
  /** Epochs between them; default 5. */
  readonly totalIters?: number;
}

const linearKnown: KnownOf<LinearLROptions> = { startFactor: number, endFactor: number, totalIters: whole(1) };

/** Of ExponentialLR. */
export interface ExponentialOptions {
  /** Factor of each epoch. */
  readonly gamma: number;
}

const exponentialKnown: KnownOf<ExponentialOptions> = { gamma: number };

/** Times gamma after every epoch. */
export class ExponentialLR extends LRScheduler {
  static override readonly name: string = 'ExponentialLR';

  private readonly gamma: number;

  constructor(optimizer: Scheduled, options: ExponentialOptions, ...surplus: never[]) {
    checkSchedule('ExponentialLR', exponentialKnown, ['gamma'], [optimizer, options, ...surplus]);
    super(optimizer);
    this.gamma = options.gamma;
    this.moveTo(0);
  }

  rate(epoch: number, base: number): number {
    return base * this.gamma ** epoch;
  }
}

/** Of PolynomialLR. */
export interface PolynomialOptions {
  /** Default 5. */
  readonly totalIters?: number;
  /** Default 1. */
  readonly power?: number;
}

const polynomialKnown: KnownOf<PolynomialOptions> = { totalIters: whole(1), power: number };

/** base·(1 − epoch/totalIters)^power, 0 from there on. */
export class PolynomialLR extends LRScheduler {
  static override readonly name: string = 'PolynomialLR';

  private readonly totalIters: number;
  private readonly power: number;

  constructor(optimizer: Scheduled, options: PolynomialOptions = {}, ...surplus: never[]) {
    checkSchedule('PolynomialLR', polynomialKnown, [], [optimizer, options, ...surplus]);
    super(optimizer);
    const { totalIters = 5, power = 1 } = options;
    this.totalIters = totalIters;
    this.power = power;
    this.moveTo(0);
  }

  rate(epoch: number, base: number): number {
    return base * (1 - Math.min(epoch, this.totalIters) / this.totalIters) ** this.power;
  }
}

const anArray = kind<never>('an array', Array.isArray);
const schedules = kind<never>(
  'an array of schedules',
  (value) => Array.isArray(value) && value.every((entry) => entry instanceof LRScheduler),
);

/** One schedule after another: number i + 1 starts from its first epoch at milestone i. */
export class SequentialLR extends LRScheduler {
  static override readonly name: string = 'SequentialLR';

  private readonly schedulers: readonly LRScheduler[];
  private readonly milestones: readonly number[];

  constructor(
    optimizer: Scheduled,
    schedulers: readonly LRScheduler[],
    milestones: readonly number[],
    ...surplus: never[]
  ) {
    const args = { schedulers: schedules, milestones: anArray };
    checkScheduleArgs('SequentialLR', args, [optimizer, schedulers, milestones, ...surplus]);
    super(optimizer);
    if (schedulers.length !== milestones.length + 1 || schedulers.some((s) => s.optimizer !== optimizer)) {
      throw new ConvletError(
        'argument',
        `SequentialLR: expects one milestone less than schedules, all of this optimizer; got ${schedulers.length} schedules and ${milestones.length} milestones`,
      );
    }
    this.schedulers = schedulers;
    this.milestones = milestones;
    this.moveTo(0);
  }

  private at(epoch: number): [LRScheduler, number] {
    const index = this.milestones.filter((milestone) => milestone <= epoch).length;
    return [this.schedulers[index], index === 0 ? epoch : epoch - this.milestones[index - 1]];
  }

  rate(epoch: number, base: number, group: number): number {
    const [scheduler, own] = this.at(epoch);
    return scheduler.rate(own, base, group);
  }

  override moveTo(epoch: number): void {
    const [scheduler, own] = this.at(epoch);
    scheduler.moveTo(own);
    this.lastEpoch = epoch;
  }
}

/** Several schedules at once: the initial rate times the factors of all of them. */
export class ChainedScheduler extends LRScheduler {
  static override readonly name: string = 'ChainedScheduler';

  private readonly schedulers: readonly LRScheduler[];

  constructor(schedulers: readonly LRScheduler[], ...surplus: never[]) {
    checkCall('ChainedScheduler', { args: { schedulers: schedules }, needed: 1 }, [schedulers, ...surplus]);
    if (schedulers.length === 0) throw new ConvletError('argument', 'ChainedScheduler: expects at least one schedule');
    super(schedulers[0].optimizer);
    this.schedulers = schedulers;
    this.moveTo(0);
  }

  rate(epoch: number, base: number, group: number): number {
    return this.schedulers.reduce((rate, scheduler) => rate * (scheduler.rate(epoch, base, group) / base), base);
  }
}
