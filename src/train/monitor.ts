import { ConvletError } from '../common/error.ts';
import type { EpochRecord } from './history.ts';
import type { FitOptions, FitResult } from './options.ts';

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

/** Throws `argument` for what makes no sense. */
export function checkOptions(options: FitOptions): void {
  const { epochs, checkpoint, resume, clipGradNorm, earlyStopping, metrics = [] } = options;
  const whole: [string, unknown, number][] = [
    ['epochs', epochs, 1],
    ['checkpoint.every', checkpoint?.every ?? 1, 1],
    ['checkpoint.everySteps', checkpoint?.everySteps ?? 1, 1],
    ['earlyStopping.patience', earlyStopping?.patience ?? 1, 1],
  ];
  for (const [name, value, least] of whole) {
    if (!Number.isInteger(value) || (value as number) < least)
      throw new ConvletError('argument', `fit: ${name} expects a whole number ≥ ${least}, got ${String(value)}`);
  }
  if (clipGradNorm !== undefined && !(clipGradNorm > 0))
    throw new ConvletError('argument', `fit: clipGradNorm expects a number > 0, got ${clipGradNorm}`);
  if (resume === true && checkpoint === undefined)
    throw new ConvletError('argument', 'fit: resume: true expects checkpoint.directory; or give resume a file');
  const names = metrics.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i || name === 'loss');
  if (twice !== undefined)
    throw new ConvletError('argument', `fit: metrics expects different names, got '${twice}' twice`);
}

/** For the report. */
export function configurationOf(options: FitOptions): Record<string, string | number | boolean> {
  const { train, validation, optimizer, schedule, clipGradNorm, earlyStopping, seed, compiled, epochs } = options;
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
    'gradient norm at most': clipGradNorm,
    'early stopping': earlyStopping && `patience ${earlyStopping.patience ?? 5}`,
    compiled: compiled ?? 'where possible',
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Record<string, string>;
}
