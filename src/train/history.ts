/** What an epoch came to. */
export interface EpochRecord {
  /** 1 for the first. */
  readonly epoch: number;
  /** Steps from the very beginning. */
  readonly step: number;
  /** Of the epoch, validation included. */
  readonly seconds: number;
  /** Of the first parameter group, at the epoch's end before the schedule's step. */
  readonly lr: number;
  /** Mean over the epoch's samples, each as it was when its batch was trained on. */
  readonly loss: number;
  /** Of the training set, by name. */
  readonly metrics: { readonly [name: string]: number };
  /** Loss and metrics of the validation set; null without one. */
  readonly validation: { readonly loss: number; readonly metrics: { readonly [name: string]: number } } | null;
}

/** One update. */
export interface TracePoint {
  /** Number of the update, from 1. */
  readonly step: number;
  /** Of its batches, before the update. */
  readonly loss: number;
  /** Learning rate of the first group. */
  readonly lr: number;
}

/** Most points that a trace keeps; it then keeps every second one. */
const mostPoints = 512;

/** What `fit` returns and logs. */
export class History {
  static readonly name: string = 'History';

  /** One record for each epoch. */
  readonly epochs: EpochRecord[] = [];
  /** Loss and learning rate of steps at equal distances, a few hundred of them for a run of any length. */
  readonly trace: TracePoint[] = [];

  /** Notes an update. */
  add(point: TracePoint): void {
    if (point.step % this.stride !== 0) return;
    this.trace.push(point);
    if (this.trace.length < mostPoints) return;
    const { stride } = this;
    this.trace.splice(0, this.trace.length, ...this.trace.filter(({ step }) => step % (2 * stride) === 0));
  }

  /** Steps between two points of the trace. */
  private get stride(): number {
    return this.trace.length < 2 ? 1 : this.trace[1].step - this.trace[0].step;
  }

  /** Names of the metrics, in order. */
  get metrics(): string[] {
    return Object.keys(this.epochs[0]?.metrics ?? {});
  }

  /** Columns: epoch, step, seconds, lr, loss, metrics, val_loss, val_ metrics. */
  toCsv(): string {
    const names = this.metrics;
    const validated = this.epochs.some(({ validation }) => validation !== null);
    const header = ['epoch', 'step', 'seconds', 'lr', 'loss', ...names];
    if (validated) header.push('val_loss', ...names.map((name) => `val_${name}`));
    const rows = this.epochs.map(({ epoch, step, seconds, lr, loss, metrics, validation }) => {
      const row: (number | string)[] = [
        epoch,
        step,
        Number(seconds.toFixed(3)),
        lr,
        loss,
        ...names.map((n) => metrics[n]),
      ];
      if (validated) row.push(validation?.loss ?? '', ...names.map((name) => validation?.metrics[name] ?? ''));
      return row;
    });
    return `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`;
  }

  /** Everything, for JSON.stringify. */
  toJSON(): { epochs: readonly EpochRecord[]; trace: readonly TracePoint[] } {
    return { epochs: this.epochs, trace: this.trace };
  }

  /** Of what toJSON gave. */
  static from({ epochs, trace }: { epochs: readonly EpochRecord[]; trace: readonly TracePoint[] }): History {
    const history = new History();
    history.epochs.push(...epochs);
    history.trace.push(...trace);
    return history;
  }
}
