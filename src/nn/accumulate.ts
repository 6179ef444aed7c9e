// Gradient accumulation: several small batches for one update, where a large one does not fit into memory.
import { apply, noGrad, Variable } from '../autograd/index.ts';
import { allocateArray } from '../common/dtype.ts';
import { tensor } from '../tensor/tensor.ts';
import { partsOf } from './traced.ts';

/** Samples of a batch: the first dimension of its first operand. Losses are taken for means over so many. */
export function samplesOf(what: string, batch: unknown): number {
  const [first] = partsOf(what, batch).parts;
  return first?.shape[0] ?? 1;
}

/** The loss whose gradients are added up: the sum over samples, where the loss is their mean. */
export const weighted = (loss: Variable, samples: number): Variable => loss.mul(samples);

const zeros = ({ dtype, shape, size }: Variable): Variable =>
  persistent(tensor(allocateArray(dtype, size), shape, dtype));
const persistent = (values: ReturnType<typeof tensor>): Variable => new Variable(values, values, false, 'persistent');

/** Gradients of the batches of one update. */
export class Accumulator {
  static readonly name: string = 'Accumulator';

  /** Samples so far. */
  samples = 0;
  /** Parameters that have a sum of this update: no other has a gradient. */
  private readonly touched = new Set<Variable>();
  /** Of gradients that compiled steps add up; op by op they are the parameters' `grad`. */
  private readonly sums = new Map<Variable, Variable>();
  /** 1 / samples. */
  private readonly share = persistent(tensor(new Float32Array(1)));

  /** Bytes of the sums. */
  get heldBytes(): number {
    let bytes = 0;
    for (const sum of this.sums.values()) bytes += sum.size * 4;
    return bytes;
  }

  /** Adds the parameters' gradients to the sums, by ops that a trace may contain; returns whose they are. */
  gather(params: Iterable<Variable>): Variable[] {
    const found = [...params].filter((param) => param.grad !== null);
    noGrad(() => {
      for (const param of found) {
        let sum = this.sums.get(param);
        if (sum === undefined) {
          sum = zeros(param);
          this.sums.set(param, sum);
        }
        apply('assign', [sum, sum.add(param.grad!)]);
      }
    });
    return found;
  }

  /** Which of the parameters have a sum, as a key. */
  keyOf(params: Iterable<Variable>): string {
    let text = '';
    for (const param of params) text += Number(this.touched.has(param));
    return text;
  }

  /** Makes the parameters' gradients, with what was gathered, the mean over all samples. */
  spread(params: Iterable<Variable>): void {
    noGrad(() => {
      for (const param of params) {
        const sum = this.touched.has(param) ? this.sums.get(param) : undefined;
        const total = sum === undefined ? param.grad : param.grad === null ? sum : sum.add(param.grad);
        if (total !== null) param.grad = total.mul(this.share);
      }
    });
  }

  /** Counts a batch, which gathered the gradients of `touched`. `isLast`: the mean over all samples comes next. */
  count(samples: number, isLast: boolean, touched: readonly Variable[] = []): void {
    for (const param of touched) this.touched.add(param);
    this.samples += samples;
    if (isLast) this.share.set([1 / this.samples]);
  }

  /** Begins the next update. */
  reset(): void {
    this.samples = 0;
    for (const param of this.touched) this.sums.get(param)!.set(new Float32Array(param.size));
    this.touched.clear();
  }

  dispose(): void {
    for (const sum of this.sums.values()) sum.dispose();
    this.sums.clear();
    this.share.dispose();
  }
}
