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
  /** Tells the monitored value of an epoch. */
  step(metric: number): void;
  /** To go on from. */
  stateDict(): ScheduleState;
  /** Goes on from a state. */
  loadStateDict(state: ScheduleState): void;
}

/** Called while `fit` runs. Awaited; false ends training after the step or epoch. */
export interface Callback {
  /** After each update; false ends training. */
  step?(info: StepInfo): unknown;
  /** After each epoch; false ends training. */
  epoch?(record: EpochRecord, history: History): unknown;
}

/** What a callback is told of a step. */
export interface StepInfo {
  /** Steps so far, from the very beginning. */
  readonly step: number;
  /** 1 for the first. */
  readonly epoch: number;
  /** The batch's number in its epoch, from 0. */
  readonly batch: number;
  /** Mean over the batches of the update, before it. */
  readonly loss: number;
}

/** When `fit` gives up. */
export interface EarlyStopping {
  /** Epochs without an improvement that are waited for. Default 5. */
  readonly patience?: number;
  /** What counts as an improvement: more than this. Default 0. */
  readonly minDelta?: number;
  /** Ends with the weights of the best epoch. */
  readonly restoreBest?: boolean;
}

/** When and where `fit` writes checkpoints. */
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

/** Files that `fit` rewrites after each epoch. */
export interface LogOptions {
  /** A file with a line per epoch. */
  readonly csv?: string;
  /** A file with epochs and steps. */
  readonly json?: string;
  /** A page with curves, confusion matrix and configuration. */
  readonly html?: string;
  /** Title of the page. */
  readonly title?: string;
}

/** `O`: what the model returns, `T`: what the loader gives as targets. */
export interface FitOptions<O = Variable, T = Variable> {
  /** Batches to learn from. */
  readonly train: AnyLoader;
  /** Batches to look at after each epoch. */
  readonly validation?: AnyLoader;
  /** Of the model's output and the targets, a scalar: a function, or a module such as `new nn.CrossEntropyLoss()`. */
  readonly loss: Loss<Fixed<O>, [target: T]>;
  /** Made with the model's parameters. */
  readonly optimizer: Optimizer;
  /** Moves on after each epoch, or after each step where it is made for that (`scheduleBy`). */
  readonly schedule?: LRScheduler | PlateauSchedule;
  /** Default: 'step' for OneCycleLR and CyclicLR, 'epoch' for others. */
  readonly scheduleBy?: 'epoch' | 'step';
  /** Passes over the training set. */
  readonly epochs: number;
  /** Of training and validation. */
  readonly metrics?: readonly Metric[];
  /** What "best" is about: 'loss', 'val_loss', a metric or 'val_' and a metric. Default: the first metric, else the loss, of the
   * validation if there is one. */
  readonly monitor?: string;
  /** Called while training goes on. */
  readonly callbacks?: readonly Callback[];
  /** Gives up when the monitored value gets no better. */
  readonly earlyStopping?: EarlyStopping;
  /** Writes the state of training to files. */
  readonly checkpoint?: CheckpointOptions;
  /** Goes on from the checkpoint directory's last state if there is one (true), or from a file. */
  readonly resume?: boolean | string;
  /** Writes curves and figures to files. */
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

/** The result of fit. */
export interface FitResult {
  /** Losses and metrics of all epochs. */
  readonly history: History;
  /** The best epoch by the monitored value; null if there was no number. */
  readonly best: { readonly epoch: number; readonly monitor: string; readonly value: number } | null;
  /** Why it ended: all epochs, no improvement, a callback. */
  readonly ended: 'done' | 'early' | 'callback';
}
