import type { Variable } from '../autograd/index.ts';
import type { AnyLoader } from '../data/loader.ts';
import type { Fixed, Loss } from '../nn/call.ts';
import type { Metric } from '../nn/metrics.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import type { LRScheduler, ScheduleState } from '../optim/schedule.ts';
import type { EpochRecord, History } from './history.ts';
import type { Terminal } from './progress.ts';

/** A schedule that follows a monitored value: ReduceLROnPlateau. */
export interface PlateauSchedule {
  step(metric: number): void;
  stateDict(): ScheduleState;
  loadStateDict(state: ScheduleState): void;
}

/** Called while `fit` runs. Awaited; false ends training after the step or epoch. */
export interface Callback {
  step?(info: StepInfo): unknown;
  epoch?(record: EpochRecord, history: History): unknown;
}

export interface StepInfo {
  /** Steps so far, from the very beginning. */
  readonly step: number;
  /** 1 for the first. */
  readonly epoch: number;
  /** The batch's number in its epoch, from 0. */
  readonly batch: number;
  readonly loss: number;
}

export interface EarlyStopping {
  /** Epochs without an improvement that are waited for. Default 5. */
  readonly patience?: number;
  /** What counts as an improvement: more than this. Default 0. */
  readonly minDelta?: number;
  /** Ends with the weights of the best epoch. */
  readonly restoreBest?: boolean;
}

export interface CheckpointOptions {
  /** Where `last.safetensors` and `best.safetensors` are written. */
  readonly directory: string;
  /** The latest state, after every so many epochs (default 1); what `resume` goes on from. */
  readonly every?: number;
  /** The latest state, after every so many steps as well. */
  readonly everySteps?: number;
  /** Default true. */
  readonly last?: boolean;
  /** The state of the best epoch (default true); written in any case where `restoreBest` needs it after a restart. */
  readonly best?: boolean;
}

export interface LogOptions {
  /** A file with a line per epoch. */
  readonly csv?: string;
  /** A file with epochs and steps. */
  readonly json?: string;
  /** A page with curves, confusion matrix and configuration. */
  readonly html?: string;
  readonly title?: string;
}

/** `O`: what the model returns, `T`: what the loader gives as targets. */
export interface FitOptions<O = Variable, T = Variable> {
  readonly train: AnyLoader;
  readonly validation?: AnyLoader;
  /** Of the model's output and the targets, a scalar: a function, or a module such as `new nn.CrossEntropyLoss()`. */
  readonly loss: Loss<Fixed<O>, [target: T]>;
  readonly optimizer: Optimizer;
  /** Moves on after each epoch, or after each step where it is made for that (`scheduleBy`). */
  readonly schedule?: LRScheduler | PlateauSchedule;
  /** Default: 'step' for OneCycleLR and CyclicLR, 'epoch' for others. */
  readonly scheduleBy?: 'epoch' | 'step';
  readonly epochs: number;
  /** Of training and validation. */
  readonly metrics?: readonly Metric[];
  /** What "best" is about: 'loss', 'val_loss', a metric or 'val_' and a metric. Default: the first metric, else the loss, of the
   * validation if there is one. */
  readonly monitor?: string;
  readonly callbacks?: readonly Callback[];
  readonly earlyStopping?: EarlyStopping;
  readonly checkpoint?: CheckpointOptions;
  /** Goes on from the checkpoint directory's last state if there is one (true), or from a file. */
  readonly resume?: boolean | string;
  readonly log?: LogOptions;
  /**
   * Batches for one update (default 1): their gradients are added up, and the update uses the mean over all samples, as if they were one
   * batch. What is left at the end of an epoch makes an update of its own. A step is an update: callbacks, schedules by step,
   * `everySteps` and the history count those.
   */
  readonly accumulate?: number;
  /** Scales gradients so that their norm is at most this. */
  readonly clipGradNorm?: number;
  /** Steps as plans. Default: where the model can be compiled; true insists, false runs op by op. */
  readonly compiled?: boolean;
  /** Of dropout; weights have been drawn before, and loaders have seeds of their own. Default: the generator as it is. */
  readonly seed?: number;
  /** No progress bar, also on a terminal. */
  readonly quiet?: boolean;
  /** Where the progress bar goes. Default: standard error, if it is a terminal. */
  readonly terminal?: Terminal | null;
}

export interface FitResult {
  readonly history: History;
  readonly best: { readonly epoch: number; readonly monitor: string; readonly value: number } | null;
  /** Why it ended: all epochs, no improvement, a callback. */
  readonly ended: 'done' | 'early' | 'callback';
}
