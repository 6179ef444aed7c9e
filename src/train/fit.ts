import type { Variable } from '../autograd/index.ts';
import { ConvletError, withContext } from '../common/error.ts';
import { files, joinPath } from '../common/files.ts';
import { defaultGenerator, type RandomState, seed as setSeed } from '../common/random.ts';
import type { Structure } from '../common/structure.ts';
import type { LoaderState } from '../data/loader.ts';
import { lossOf } from '../nn/call.ts';
import { expectTrainable } from '../nn/compile-step.ts';
import { RunningMean } from '../nn/metrics.ts';
import type { AnyModule, Module, StateDict } from '../nn/module.ts';
import { CyclicLR, OneCycleLR } from '../optim/cycles.ts';
import { LRScheduler, type ScheduleState } from '../optim/schedule.ts';
import { type Json, loadCheckpoint, saveCheckpoint, writeWhole } from './checkpoint.ts';
import { Recorder } from './diagnose.ts';
import { type Evaluation, Evaluator, updateMetrics } from './evaluate.ts';
import { type EpochRecord, History } from './history.ts';
import { checkFitOptions, configurationOf, Monitor } from './monitor.ts';
import type { FitOptions, FitResult, StepInfo } from './options.ts';
import { defaultTerminal, numberText, ProgressBar } from './progress.ts';
import { htmlReport } from './report.ts';
import { createStepper } from './step.ts';

/** What a checkpoint has beside model and optimizer. */
interface Progress {
  readonly loader: LoaderState;
  readonly step: number;
  readonly random: RandomState;
  readonly schedule: ScheduleState | null;
  readonly history: ReturnType<History['toJSON']>;
  readonly monitor: ReturnType<Monitor['stateDict']>;
  /** Of the epoch that has begun: seconds, mean of the loss, metrics. */
  readonly seconds: number;
  readonly mean: readonly number[];
  readonly metrics: readonly (readonly number[])[];
}

/** A loop of promises that are already fulfilled never lets timers and sockets have their turn. */
const mostBusy = 50;

/**
 * Trains a model: epochs with progress on a terminal, validation, metrics, schedules, early stopping, checkpoints, logs and a
 * report. With the same seeds it computes the same weights bit by bit, on any number of threads, and also when it is
 * interrupted and resumed.
 *
 * ```ts
 * const { history, best } = await fit(model, {
 *   train: new data.DataLoader(digits, { batchSize: 64, shuffle: true }),
 *   validation: new data.DataLoader(tests, { batchSize: 256 }),
 *   loss: F.crossEntropy,
 *   optimizer: new optim.AdamW(model.parameters(), { lr: 1e-3 }),
 *   epochs: 10,
 *   metrics: [metrics.accuracy()],
 *   checkpoint: { directory: 'runs/digits' },
 *   resume: true,
 * });
 * ```
 *
 * @throws ConvletError `argument` for wrong options; `non-finite` with step, batch and layer where a loss is no number (model
 * and optimizer are then as they were before the step in which it began); `shape` with all names for a checkpoint of another
 * architecture; `malformed`, `environment` for files
 */
export async function fit<O extends Structure<Variable> = Variable, T = Variable>(
  model: Module<O>,
  options: FitOptions<O, T>,
): Promise<FitResult> {
  const given = options as unknown as FitOptions;
  checkFitOptions(model, given);
  expectTrainable(model, given.optimizer, false, 'fit');
  lossOf('fit', given.loss);
  return new Run(model, given).run();
}

class Run {
  private readonly model: AnyModule;
  private readonly options: FitOptions;
  private readonly bar: ProgressBar;
  private readonly monitor: Monitor;
  private readonly mean = new RunningMean();
  /** Of the batches of one update. */
  private readonly ofStep = new RunningMean();
  private history = new History();
  /** Updates so far. */
  private step = 0;
  /** Batches since this process began. */
  private batches = 0;
  /** Of the present epoch, before the last restart. */
  private seconds = 0;
  private begun = 0;
  /** Since this process began, for the time left. */
  private readonly started = performance.now();
  private paused = performance.now();
  private best: StateDict | null = null;
  private confusion: Evaluation['confusion'] = null;
  private ended: FitResult['ended'] = 'done';

  constructor(model: AnyModule, options: FitOptions) {
    this.model = model;
    this.options = options;
    this.bar = new ProgressBar(
      options.quiet ? null : options.terminal !== undefined ? options.terminal : defaultTerminal(),
    );
    this.monitor = new Monitor(options);
  }

  async run(): Promise<FitResult> {
    const { model, options } = this;
    const { train, epochs } = options;
    if (options.seed !== undefined) setSeed(options.seed);
    train.state = { epoch: 0, batch: 0 };
    for (const metric of options.metrics ?? []) metric.reset();
    await this.resume();
    const stepper = createStepper({ ...options, model }, options.compiled);
    const evaluator = new Evaluator(model, options.compiled);
    try {
      while (train.state.epoch < epochs && this.ended === 'done' && !this.monitor.exhausted) {
        if (!(await this.epoch(stepper, evaluator))) break;
      }
      if (this.monitor.exhausted) this.ended = 'early';
    } finally {
      stepper.dispose();
      evaluator.dispose();
    }
    if (this.best !== null) model.loadStateDict(this.best);
    await this.log();
    return { history: this.history, best: this.monitor.best, ended: this.ended };
  }

  /** One epoch, or what is left of it. False: a callback has ended training in its middle. */
  private async epoch(stepper: ReturnType<typeof createStepper>, evaluator: Evaluator): Promise<boolean> {
    const { model, options } = this;
    const { train, metrics = [] } = options;
    const { epoch } = train.state;
    const recorder = new Recorder({ ...options, model }, train);
    this.begun = performance.now();
    model.train();
    for await (const batch of train) {
      const { number } = batch;
      const begins = !stepper.isWaiting;
      // Before the step, not after it: the last step of all needs no rate behind it, and OneCycleLR has none.
      if (begins && this.bySteps && this.step > 0) (options.schedule as LRScheduler).step();
      recorder.before({ epoch, batch: number }, this.step + 1, begins);
      const loss = stepper.step(batch);
      this.batches++;
      if (!Number.isFinite(loss)) await this.fail(recorder, loss, epoch, number, batch.indices);
      this.mean.add(loss, batch.indices.length);
      this.ofStep.add(loss, batch.indices.length);
      if (metrics.length > 0) updateMetrics(metrics, stepper.output(), batch.target);
      this.show(epoch, number);
      const isLast = number + 1 >= train.length;
      if (isLast) stepper.flush();
      if (!stepper.isWaiting) {
        await this.updated(epoch, number);
        // At the end of an epoch its validation comes first.
        if (!isLast && (this.due || this.ended === 'callback')) await this.save('last');
        if (!isLast && this.ended === 'callback') return false;
      }
      await this.pause();
    }
    // The last batch may have had no samples.
    if (stepper.flush()) await this.updated(epoch, train.length - 1);
    await this.finish(epoch, evaluator);
    return true;
  }

  /** Counts an update and tells of it. */
  private async updated(epoch: number, batch: number): Promise<void> {
    const { optimizer, callbacks = [] } = this.options;
    this.step++;
    const loss = this.ofStep.value;
    this.ofStep.reset();
    this.history.add({ step: this.step, loss, lr: optimizer.paramGroups[0].lr });
    const info: StepInfo = { step: this.step, epoch: epoch + 1, batch, loss };
    for (const callback of callbacks) if ((await callback.step?.(info)) === false) this.ended = 'callback';
  }

  private async finish(epoch: number, evaluator: Evaluator): Promise<void> {
    const { options } = this;
    const { metrics = [], validation, optimizer, checkpoint, callbacks = [], log } = options;
    const lr = optimizer.paramGroups[0].lr;
    const trained = Object.fromEntries(metrics.map((metric) => [metric.name, metric.compute()]));
    let evaluation: Evaluation | null = null;
    if (validation !== undefined) {
      const confusion = log?.html !== undefined && this.hasClasses;
      evaluation = await evaluator.run(validation, { loss: options.loss, metrics, confusion }, () => this.pause());
      this.confusion = evaluation.confusion;
    }
    const record: EpochRecord = {
      epoch: epoch + 1,
      step: this.step,
      seconds: this.seconds + (performance.now() - this.begun) / 1000,
      lr,
      loss: this.mean.value,
      metrics: trained,
      validation: evaluation === null ? null : { loss: evaluation.loss, metrics: evaluation.metrics },
    };
    this.history.epochs.push(record);
    for (const metric of metrics) metric.reset();
    this.mean.reset();
    this.seconds = 0;
    this.begun = performance.now();

    const better = this.monitor.update(record);
    const { schedule } = options;
    if (schedule instanceof LRScheduler) {
      if (!this.bySteps) schedule.step();
    } else schedule?.step(this.monitor.valueOf(record));
    if (better && options.earlyStopping?.restoreBest) this.best = this.model.stateDict();
    this.bar.line(lineOf(record, options.epochs, better));
    const { length: skipped } = options.train.skipped;
    if (skipped > 0) this.bar.line(`  ${skipped} samples of the training set were left out`);
    for (const callback of callbacks)
      if ((await callback.epoch?.(record, this.history)) === false) this.ended = 'callback';
    const over = epoch + 1 === options.epochs || this.monitor.exhausted || this.ended === 'callback';
    // After a restart this file is the only source of the best weights.
    if (better && (checkpoint?.best !== false || options.earlyStopping?.restoreBest)) await this.save('best');
    if (over || this.due || (epoch + 1) % (checkpoint?.every ?? 1) === 0) await this.save('last');
    if (!over) await this.log();
  }

  private get bySteps(): boolean {
    const { schedule, scheduleBy } = this.options;
    if (!(schedule instanceof LRScheduler)) return false;
    return (
      (scheduleBy ?? (schedule instanceof OneCycleLR || schedule instanceof CyclicLR ? 'step' : 'epoch')) === 'step'
    );
  }

  /** Whether the state is to be saved after this step. */
  private get due(): boolean {
    const steps = this.options.checkpoint?.everySteps;
    return steps !== undefined && this.step % steps === 0;
  }

  private get hasClasses(): boolean {
    const { dataset } = this.options.validation!;
    return dataset.classes !== undefined;
  }

  private show(epoch: number, number: number): void {
    this.bar.show(() => {
      const { train, epochs, metrics = [] } = this.options;
      const perBatch = (performance.now() - this.started) / 1000 / this.batches;
      const left = (epochs - epoch) * train.length - number - 1;
      const values: [string, number][] = [['loss', this.mean.value]];
      for (const metric of metrics) values.push([metric.name, metric.compute()]);
      return { epoch: epoch + 1, epochs, done: (number + 1) / train.length, values, secondsLeft: left * perBatch };
    });
  }

  private async pause(): Promise<void> {
    const now = performance.now();
    if (now - this.paused < mostBusy) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.paused = performance.now();
  }

  private async fail(
    recorder: Recorder,
    loss: number,
    epoch: number,
    batch: number,
    indices: Uint32Array,
  ): Promise<never> {
    const found = await recorder.find();
    const samples = indices.length > 8 ? `${indices.subarray(0, 8).join(', ')}, …` : indices.join(', ');
    const where = `step ${this.step + 1} (epoch ${epoch + 1}, batch ${batch}, samples ${samples})`;
    let first = 'repeated op by op, the same steps gave no such number';
    if (found !== null) {
      const when =
        found.ago === 0 ? '' : ` in step ${found.step} (epoch ${found.at.epoch + 1}, batch ${found.at.batch})`;
      first = `it first appeared in ${found.description}${when}`;
    }
    throw new ConvletError('non-finite', `fit: the loss is ${loss} at ${where}; ${first}`);
  }

  private async save(which: 'last' | 'best'): Promise<void> {
    const { checkpoint, optimizer, schedule, train, metrics = [] } = this.options;
    if (checkpoint === undefined || (which === 'last' && checkpoint.last === false)) return;
    const progress: Progress = {
      loader: train.state,
      step: this.step,
      random: defaultGenerator.state,
      schedule: schedule?.stateDict() ?? null,
      history: this.history.toJSON(),
      monitor: this.monitor.stateDict(),
      seconds: this.seconds + (performance.now() - this.begun) / 1000,
      mean: this.mean.stateDict(),
      metrics: metrics.map((metric) => metric.stateDict()),
    };
    const model = new Map(Object.entries(this.model.stateDict()));
    const metadata = { fit: progress } as unknown as Json;
    const path = joinPath(checkpoint.directory, `${which}.safetensors`);
    await saveCheckpoint(path, { model, optimizer: optimizer.stateDict(), metadata });
  }

  private async resume(): Promise<void> {
    const { resume = false, checkpoint, optimizer, schedule, train, metrics = [], earlyStopping } = this.options;
    if (resume === false) return;
    const path = resume === true ? joinPath(checkpoint!.directory, 'last.safetensors') : resume;
    const found = await loadCheckpoint(path);
    if (found === null) {
      if (resume === true) return;
      throw new ConvletError('environment', `fit: resume: there is no checkpoint '${path}'`);
    }
    const progress = (found.metadata as { fit?: Progress } | null)?.fit;
    if (progress === undefined || found.optimizer === null)
      throw new ConvletError('malformed', `fit: checkpoint '${path}' was not written by fit`);
    try {
      this.model.loadStateDict(found.model);
      optimizer.loadStateDict(found.optimizer);
      if (progress.schedule !== null) schedule?.loadStateDict(progress.schedule);
      train.state = progress.loader;
      metrics.forEach((metric, i) => {
        metric.loadStateDict(progress.metrics[i] ?? metric.stateDict());
      });
    } catch (error) {
      throw withContext(`checkpoint '${path}'`, error);
    }
    defaultGenerator.state = progress.random;
    this.history = History.from(progress.history);
    this.monitor.loadStateDict(progress.monitor);
    this.mean.loadStateDict(progress.mean);
    this.step = progress.step;
    this.seconds = progress.seconds;
    if (earlyStopping?.restoreBest && checkpoint !== undefined && this.monitor.best !== null) {
      const best = await loadCheckpoint(joinPath(checkpoint.directory, 'best.safetensors'));
      this.best = best === null ? null : (Object.fromEntries(best.model) as unknown as StateDict);
    }
  }

  private async log(): Promise<void> {
    const { log = {}, validation } = this.options;
    const { history } = this;
    const encoder = new TextEncoder();
    const confusion = this.confusion && { rows: this.confusion.rows(), classes: validation?.dataset.classes };
    const page = (): string =>
      htmlReport(history, {
        title: log.title,
        best: this.monitor.best,
        confusion,
        configuration: configurationOf(this.options),
        model: this.model.toString(),
        status: statusOf(history, this.options.epochs, this.ended),
      });
    const contents: [string | undefined, () => string][] = [
      [log.csv, () => history.toCsv()],
      [log.json, () => `${JSON.stringify(history, null, 1)}\n`],
      [log.html, page],
    ];
    for (const [path, text] of contents)
      if (path !== undefined) await writeWhole(path, encoder.encode(text()), files('fit: log'));
  }
}

function statusOf({ epochs }: History, planned: number, ended: FitResult['ended']): string {
  const done = `${epochs.length} of ${planned} epochs`;
  if (ended === 'early') return `Stopped after ${done}: no further improvement.`;
  if (ended === 'callback') return `Stopped by a callback after ${done}.`;
  return epochs.length < planned ? `Running: ${done}.` : `Finished: ${done}.`;
}

function lineOf({ epoch, loss, metrics, validation, seconds }: EpochRecord, epochs: number, better: boolean): string {
  const values = [['loss', loss], ...Object.entries(metrics)];
  if (validation !== null) {
    values.push(['val loss', validation.loss]);
    for (const [name, value] of Object.entries(validation.metrics)) values.push([`val ${name}`, value]);
  }
  const numbers = values.map(([name, value]) => `${name} ${numberText(value as number)}`).join('  ');
  return `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}  ${numbers}  ${seconds.toFixed(1)} s${better ? '  ★' : ''}`;
}
