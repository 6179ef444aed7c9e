import { ConvletError, shapeText } from '../../common/error.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { indexInput } from '../copy/gather.ts';
import { gradOf, mul, neg, reshapeTo } from '../core/gradient.ts';
import { defineOp, rowLayouts, type TensorInfo } from '../core/op.ts';

const check = checker('ctcLoss');

const logAdd = (a: number, b: number): number => {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log1p(Math.exp(-Math.abs(a - b)));
};

/** The labels with blanks before, between and after them. */
function withBlanks(target: ArrayLike<number>, blank: number): Int32Array {
  const labels = new Int32Array(2 * target.length + 1).fill(blank);
  for (let i = 0; i < target.length; i++) labels[2 * i + 1] = target[i];
  return labels;
}

/** Whether label s may directly follow label s − 2: it is not a blank, and the two differ. */
const mayJump = (labels: Int32Array, s: number, blank: number): boolean =>
  s >= 2 && labels[s] !== blank && labels[s] !== labels[s - 2];

/**
 * Forward and backward variables of one sequence in the log domain (Graves et al. 2006). Returns −log P and adds the
 * probability that step t emits class c, given the target, to occupancy[t, c] (`place` is the index of [t, c] in y and occupancy).
 */
function sequence(
  y: ArrayLike<number>,
  place: (t: number, c: number) => number,
  steps: number,
  labels: Int32Array,
  blank: number,
  occupancy: { [i: number]: number },
): number {
  const count = labels.length;
  const alpha = new Float64Array(steps * count).fill(-Infinity);
  if (steps === 0) return count === 1 ? 0 : Infinity;
  alpha[0] = y[place(0, labels[0])];
  if (count > 1) alpha[1] = y[place(0, labels[1])];
  for (let t = 1; t < steps; t++) {
    const [now, before] = [t * count, (t - 1) * count];
    for (let s = 0; s < count; s++) {
      let sum = alpha[before + s];
      if (s > 0) sum = logAdd(sum, alpha[before + s - 1]);
      if (mayJump(labels, s, blank)) sum = logAdd(sum, alpha[before + s - 2]);
      alpha[now + s] = sum + y[place(t, labels[s])];
    }
  }
  const end = (steps - 1) * count;
  const likelihood = logAdd(alpha[end + count - 1], count > 1 ? alpha[end + count - 2] : -Infinity);
  if (likelihood === -Infinity) return Infinity;
  // beta does not include the emission of its step.
  let beta = new Float64Array(count).fill(-Infinity);
  beta[count - 1] = 0;
  if (count > 1) beta[count - 2] = 0;
  for (let t = steps - 1; t >= 0; t--) {
    for (let s = 0; s < count; s++) {
      const share = Math.exp(alpha[t * count + s] + beta[s] - likelihood);
      if (share > 0) occupancy[place(t, labels[s])] += share;
    }
    const next = new Float64Array(count).fill(-Infinity);
    for (let s = 0; s < count; s++) {
      next[s] = beta[s] + y[place(t, labels[s])];
      if (s + 1 < count) next[s] = logAdd(next[s], beta[s + 1] + y[place(t, labels[s + 1])]);
      if (s + 2 < count && mayJump(labels, s + 2, blank))
        next[s] = logAdd(next[s], beta[s + 2] + y[place(t, labels[s + 2])]);
    }
    beta = next;
  }
  return -likelihood;
}

function expectRange(name: string, values: ArrayLike<number>, low: number, high: number, not?: number): void {
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v >= low && v <= high && v !== not) continue;
    const except = not === undefined ? '' : ` other than the blank ${not}`;
    throw new ConvletError(
      'index-range',
      `ctcLoss: ${name}[${i}] expects a number in ${low}…${high}${except}, got ${v}`,
    );
  }
}

/**
 * Connectionist temporal classification. Inputs: log-probabilities [T,N,C], targets [N,S] (padded), inputLengths [N],
 * targetLengths [N] (integers). Outputs: −log P(target) [N], and the occupancy [T,N,C], whose negative is the gradient.
 */
export const ctcLoss = defineOp({
  name: 'ctcLoss',
  infer(inputs, { blank }) {
    const y = check.required(inputs, 0, 'logProbs');
    check.rank('logProbs', y, 3);
    check.float('logProbs', y);
    const [, n, classes] = y.shape;
    check.whole('blank', [blank], 1, 0);
    if (blank >= classes)
      throw new ConvletError('argument', `ctcLoss: blank expects a class in 0…${classes - 1}, got ${blank}`);
    const targets: TensorInfo = indexInput('ctcLoss', inputs, 1, 'targets');
    if (targets.shape.length !== 2 || targets.shape[0] !== n)
      throw new ConvletError('shape', `ctcLoss: targets expects shape [${n},S], got ${shapeText(targets.shape)}`);
    check.shape('inputLengths', indexInput('ctcLoss', inputs, 2, 'inputLengths'), [n]);
    check.shape('targetLengths', indexInput('ctcLoss', inputs, 3, 'targetLengths'), [n]);
    return [
      { dtype: y.dtype, shape: [n] },
      { dtype: y.dtype, shape: y.shape },
    ];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { blank, zeroInfinity }) {
    emit.call('host', inputs, outputs, {
      name: 'ctcLoss',
      run: ([y, targets, inputLengths, targetLengths], [loss, occupancy]) => {
        const [steps, n, classes] = (y as Tensor).shape;
        const [, room] = (targets as Tensor).shape;
        const [labels, times, lengths] = [targets, inputLengths, targetLengths].map((t) => (t as Tensor).array);
        expectRange('inputLengths', times, 0, steps);
        expectRange('targetLengths', lengths, 0, room);
        occupancy.array.fill(0);
        for (let i = 0; i < n; i++) {
          const own = labels.subarray(i * room, i * room + lengths[i]);
          expectRange('targets', own, 0, classes - 1, blank);
          const place = (t: number, c: number): number => (t * n + i) * classes + c;
          const all = withBlanks(own, blank);
          const result = sequence((y as Tensor).array, place, times[i], all, blank, occupancy.array);
          loss.array[i] = zeroInfinity && result === Infinity ? 0 : result;
        }
      },
    });
  },
  backward(g) {
    const gy = reshapeTo(g, gradOf(g), [1, gradOf(g).shape[0], 1]);
    return [neg(g, mul(g, g.outputs[1], gy)), null, null, null];
  },
});
