import { apply, noGrad, Variable, withoutHistory } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { anything, checkCall, flag, type KnownOf } from '../common/options.ts';
import { tensor } from '../tensor/tensor.ts';
import { share } from './checks.ts';

/** Of EMA. */
export interface EMAOptions {
  /** Share of the old average in the new one. Default 0.999. */
  readonly decay?: number;
  /** Smaller decays at first: min(decay, (1 + n) / (10 + n)) for update n. */
  readonly warmup?: boolean;
}

const emaKnown: KnownOf<EMAOptions> = { decay: share, warmup: flag };

/** An exponential moving average of weights, which often does better than the last ones: `update` after each step. */
export class EMA {
  static readonly name: string = 'EMA';

  /** Share of the old average in the new one. */
  readonly decay: number;
  /** Whether decays are smaller at first. */
  readonly warmup: boolean;
  /** Updates so far. */
  updates = 0;
  private readonly params: readonly Variable[];
  private readonly shadows: readonly Variable[];
  private swapped = false;

  constructor(params: Iterable<Variable>, options: EMAOptions = {}, ...surplus: never[]) {
    checkCall('EMA', { args: { params: anything }, options: emaKnown }, [params, options, ...surplus]);
    const { decay = 0.999, warmup = false } = options;
    this.decay = decay;
    this.warmup = warmup;
    this.params = [...params];
    this.shadows = this.params.map((param) => {
      const copy = tensor(param.data, param.shape, param.dtype);
      return new Variable(copy, copy, false, 'persistent');
    });
  }

  /** average := decay·average + (1 − decay)·weight. */
  update(): void {
    if (this.swapped)
      throw new ConvletError('argument', 'EMA: update while the averages are in use; call restore() first');
    this.updates++;
    const decay = this.warmup ? Math.min(this.decay, (1 + this.updates) / (10 + this.updates)) : this.decay;
    noGrad(() => {
      this.params.forEach((param, i) => {
        const shadow = this.shadows[i];
        apply('assign', [shadow, shadow.mul(decay).add(withoutHistory(param).mul(1 - decay))]);
      });
    });
  }

  /** Puts the averages where the weights are, until `restore`: to evaluate or save them. */
  use(): void {
    if (this.swapped) return;
    this.swap();
    this.swapped = true;
  }

  /** Puts the weights back where the averages are. */
  restore(): void {
    if (!this.swapped) return;
    this.swap();
    this.swapped = false;
  }

  /** Updates and averages. */
  stateDict(): { updates: number; averages: ArrayLike<number>[] } {
    const source = this.swapped ? this.params : this.shadows;
    return { updates: this.updates, averages: source.map((value) => value.data) };
  }

  /**
   * Continues from a state.
   *
   * @throws ConvletError `shape` where the averages are others; nothing has been written then
   */
  loadStateDict({ updates, averages }: { updates: number; averages: readonly ArrayLike<number>[] }): void {
    const fits = averages.length === this.shadows.length && this.shadows.every((s, i) => s.size === averages[i].length);
    if (!fits)
      throw new ConvletError('shape', `EMA: loadStateDict expects the averages of ${this.shadows.length} weights`);
    this.restore();
    this.updates = updates;
    this.shadows.forEach((shadow, i) => {
      shadow.set(averages[i]);
    });
  }

  /** Frees the memory of the averages. */
  dispose(): void {
    this.restore();
    for (const shadow of this.shadows) shadow.dispose();
  }

  private swap(): void {
    this.params.forEach((param, i) => {
      const [weight, average] = [param.data, this.shadows[i].data];
      param.set(average);
      this.shadows[i].set(weight);
    });
  }
}
