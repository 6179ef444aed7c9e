import { ConvletError } from '../common/error.ts';
import {
  anything,
  checkCall,
  expectKind,
  flag,
  inside,
  type KnownOf,
  kind,
  number,
  oneOf,
  whole,
} from '../common/options.ts';
import { loaderKind, metricList } from './evaluate.ts';
import type { EpochRecord } from './history.ts';
import type { Callback, CheckpointOptions, EarlyStopping, FitOptions, FitResult, LogOptions } from './options.ts';

interface MonitorState {
  readonly best: FitResult['best'];
  /** Epochs since the best. */
  readonly waited: number;
}

/** Which epoch is the best, and whether to go on waiting for a better one. */
export class Monitor {
  static readonly name: string = 'Monitor';

  private readonly name: string;
  private readonly sign: 1 | -1;
  private readonly patience: number;
  private readonly minDelta: number;
  private state: MonitorState = { best: null, waited: 0 };

  constructor({ monitor, metrics = [], validation, earlyStopping }: FitOptions) {
    const names = ['loss', ...metrics.map(({ name }) => name)];
    const possible = validation === undefined ? names : [...names, ...names.map((name) => `val_${name}`)];
    const preferred = metrics.length > 0 ? metrics[0].name : 'loss';
    this.name = monitor ?? (validation === undefined ? preferred : `val_${preferred}`);
    if (!possible.includes(this.name))
      throw new ConvletError('argument', `fit: monitor expects ${possible.join(' or ')}, got '${this.name}'`);
    const metric = metrics.find(({ name }) => name === this.name.replace(/^val_/, ''));
    this.sign = metric?.better === 'higher' ? 1 : -1;
    this.patience = earlyStopping === undefined ? Number.POSITIVE_INFINITY : (earlyStopping.patience ?? 5);
    this.minDelta = earlyStopping?.minDelta ?? 0;
  }

  get best(): FitResult['best'] {
    return this.state.best;
  }

  /** No improvement for longer than is waited. */
  get exhausted(): boolean {
    return this.state.waited > 0 && this.state.waited >= this.patience;
  }

  valueOf({ loss, metrics, validation }: EpochRecord): number {
    const part = this.name.startsWith('val_') ? validation! : { loss, metrics };
    const name = this.name.replace(/^val_/, '');
    return name === 'loss' ? part.loss : part.metrics[name];
  }

  /** Whether the epoch is the best so far. */
  update(record: EpochRecord): boolean {
    const value = this.valueOf(record);
    const { best, waited } = this.state;
    const better = best === null ? !Number.isNaN(value) : (value - best.value) * this.sign > this.minDelta;
    this.state = better
      ? { best: { epoch: record.epoch, monitor: this.name, value }, waited: 0 }
      : { best, waited: waited + 1 };
    return better;
  }

  stateDict(): MonitorState {
    return this.state;
  }

  loadStateDict(state: MonitorState): void {
    this.state = state;
  }
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
const text = kind<string>('a text', (value) => typeof value === 'string');
const isCallback = (value: Callback | null | undefined): boolean =>
  isFunction(value?.step ?? value?.epoch) && isFunction(value?.epoch ?? value?.step);

const stoppingKnown: KnownOf<EarlyStopping> = { patience: whole(1), minDelta: number, restoreBest: flag };
const checkpointKnown: KnownOf<CheckpointOptions> = {
  directory: text,
  every: whole(1),
  everySteps: whole(1),
  last: flag,
  best: flag,
};
const logKnown: KnownOf<LogOptions> = { csv: text, json: text, html: text, title: text };

const fitKnown: KnownOf<FitOptions> = {
  train: loaderKind,
  validation: loaderKind,
  loss: anything,
  optimizer: anything,
  schedule: anything,
  scheduleBy: oneOf('epoch', 'step'),
  epochs: whole(1),
  metrics: metricList,
  monitor: text,
  callbacks: kind('an array of objects with functions step or epoch', (v) => Array.isArray(v) && v.every(isCallback)),
  earlyStopping: inside(stoppingKnown),
  checkpoint: inside(checkpointKnown),
  resume: kind('true, false or the path of a checkpoint', (v) => typeof v === 'boolean' || typeof v === 'string'),
  log: inside(logKnown),
  accumulate: whole(1),
  clipGradNorm: kind('a number > 0', (v) => typeof v === 'number' && v > 0),
  compiled: flag,
  seed: whole(0),
  quiet: flag,
  terminal: anything,
};

/** Throws `argument` for what makes no sense. */
export function checkFitOptions(model: unknown, options: FitOptions): void {
  checkCall('fit', { args: { model: anything }, options: fitKnown, required: ['train', 'epochs'] }, [model, options]);
  const { checkpoint, resume, metrics = [] } = options;
  if (checkpoint !== undefined) expectKind('fit', 'checkpoint.directory', checkpoint.directory, text);
  if (resume === true && checkpoint === undefined)
    throw new ConvletError('argument', 'fit: resume: true expects checkpoint.directory; or give resume a file');
  const names = metrics.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i || name === 'loss');
  if (twice !== undefined)
    throw new ConvletError('argument', `fit: metrics expects different names, got '${twice}' twice`);
}

/** For the report. */
export function configurationOf(options: FitOptions): Record<string, string | number | boolean> {
  const { train, validation, optimizer, schedule, accumulate, clipGradNorm, earlyStopping, seed, compiled, epochs } =
    options;
  const { params: _, stepCount: __, initialLr, lr, ...rest } = optimizer.paramGroups[0];
  const numbers = Object.entries({ lr: initialLr ?? lr, ...rest }).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  const found: Record<string, string | number | boolean | undefined> = {
    'training samples': train.dataset.length,
    'validation samples': validation?.dataset.length,
    'batch size': train.batchSize,
    epochs,
    shuffle: train.shuffle,
    'loader seed': train.seed,
    seed,
    optimizer: `${optimizer.constructor.name} (${numbers.map(([name, value]) => `${name} ${String(value)}`).join(', ')})`,
    schedule: schedule?.constructor.name,
    'batches for an update': accumulate,
    'gradient norm at most': clipGradNorm,
    'early stopping': earlyStopping && `patience ${earlyStopping.patience ?? 5}`,
    compiled: compiled ?? 'where possible',
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Record<string, string>;
}
