// Pruning by magnitude, as torch.nn.utils.prune: masks of ones and zeros of the shape of a weight.
import { noGrad, Variable, variable } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { expectKind, number } from '../common/options.ts';
import { normalizeAxis } from '../ops/check.ts';
import { rowStrides } from '../tensor/layout.ts';

/** How many of `count` a share (0…1) or a whole number of them is; shares are rounded half to even, as Python does. */
function amountOf(op: string, amount: number, count: number): number {
  const share = amount >= 0 && amount <= 1 && !(Number.isInteger(amount) && amount === 1);
  if (!share && !(Number.isInteger(amount) && amount >= 0 && amount <= count))
    throw new ConvletError(
      'argument',
      `${op}: amount expects a share in 0…1 or a whole number up to ${count}, got ${amount}`,
    );
  if (!share) return amount;
  const exact = amount * count;
  const floor = Math.floor(exact);
  return exact - floor === 0.5 ? floor + (floor % 2) : Math.round(exact);
}

/** Positions of the `count` smallest, the earlier of equals first. */
function smallest(values: ArrayLike<number>, count: number): number[] {
  const order = Array.from(values, (_, i) => i);
  return order.sort((a, b) => values[a] - values[b] || a - b).slice(0, count);
}

/**
 * Mask without the elements of least magnitude.
 *
 * @param amount share of the elements (0…1), or their number
 */
export function l1UnstructuredMask(weight: Variable, amount: number): Variable {
  const data = weight.data;
  const mask = new Float32Array(data.length).fill(1);
  for (const i of smallest(Array.from(data, Math.abs), amountOf('l1UnstructuredMask', amount, data.length)))
    mask[i] = 0;
  return variable(mask, weight.shape);
}

/**
 * Mask without the slices along `dim` of least n-norm.
 *
 * @param amount share of the slices (0…1), or their number
 */
export function lnStructuredMask(weight: Variable, amount: number, n = 2, dim = 0): Variable {
  expectKind('lnStructuredMask', 'n', n, number);
  const axis = normalizeAxis('lnStructuredMask', dim, weight.rank);
  const { data, shape } = weight;
  const stride = rowStrides(shape)[axis];
  const sums = new Float64Array(shape[axis]);
  const sliceOf = (i: number): number => Math.floor(i / stride) % shape[axis];
  data.forEach((v: number, i: number) => {
    const at = sliceOf(i);
    if (n === Infinity) sums[at] = Math.max(sums[at], Math.abs(v));
    else sums[at] += Math.abs(v) ** n;
  });
  const gone = new Set(smallest(sums, amountOf('lnStructuredMask', amount, shape[axis])));
  return variable(
    Float32Array.from({ length: data.length }, (_, i) => (gone.has(sliceOf(i)) ? 0 : 1)),
    shape,
  );
}

/** Masks that weights keep through training: call `apply` after each optimizer step. */
export class Pruning {
  static readonly name: string = 'Pruning';

  private readonly masks = new Map<Variable, Float32Array>();

  /** Prunes `weight` now; a weight that is pruned already loses more. */
  prune(weight: Variable, mask: Variable): void {
    if (!(mask instanceof Variable) || mask.size !== weight.size)
      throw new ConvletError('shape', `prune: mask expects ${weight.size} elements, got ${mask.size}`);
    const before = this.masks.get(weight);
    this.masks.set(
      weight,
      Float32Array.from(mask.data, (v, i) => (v === 0 || before?.[i] === 0 ? 0 : 1)),
    );
    this.apply();
  }

  /** Sets what is pruned to zero. */
  apply(): void {
    noGrad(() => {
      for (const [weight, mask] of this.masks)
        weight.set(Float32Array.from(weight.data, (v, i) => (mask[i] === 0 ? 0 : v)));
    });
  }

  /** Share of zeros among all elements of the pruned weights. */
  get sparsity(): number {
    let [zeros, all] = [0, 0];
    for (const mask of this.masks.values()) {
      all += mask.length;
      for (const v of mask) zeros += v === 0 ? 1 : 0;
    }
    return all === 0 ? 0 : zeros / all;
  }
}
