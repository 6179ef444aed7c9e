import { describe, expect, test } from 'vitest';
import { useBackend, Variable, variable } from '../../../src/autograd/index.ts';
import { product } from '../../../src/common/numbers.ts';
import * as L from '../../../src/nn/loss.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { Random, seeds } from '../../kernels/harness.ts';
import { gradCheck, randomShape } from '../../support/gradcheck.ts';
import { jsBackend } from '../../support/js-backend.ts';

for (const op of ['softmaxCrossEntropy', 'nllLoss']) {
  gradCheck(
    op,
    (random) => {
      const shape = randomShape(random, random.int(1, 4), 6);
      const axis = shape.length === 1 ? 0 : 1;
      const classes = shape[axis];
      const target = {
        shape: shape.filter((_, i) => i !== axis),
        dtype: 'int64',
        range: [0, classes - 1],
      } as const;
      const reduction = random.pick(['mean', 'sum', 'none']);
      const attrs = {
        reduction,
        // A mean of which no target is left is NaN: nothing is ignored there.
        ignoreIndex: reduction === 'mean' ? -100 : 1,
        labelSmoothing: op === 'nllLoss' ? 0 : random.pick([0, 0.1, 0.4]),
      };
      return { attrs, inputs: [{ shape, range: [-4, 4] }, target, null] };
    },
    { count: 40 },
  );
}

/** Losses of variables by double-precision differences: js keeps float64. */
function lossCheck(
  name: string,
  of: (random: Random) => { inputs: Variable[]; loss: (...inputs: Variable[]) => Variable },
): void {
  describe(`gradient of ${name}`, () => {
    test.each(seeds(20))('seed %i', (seed) => {
      useBackend(jsBackend());
      const { inputs, loss } = of(new Random(seed * 131));
      const weight = (y: Variable): Variable => {
        const pattern = Float64Array.from({ length: y.size }, (_, i) => Math.cos(i + 1));
        return y.mul(variable(pattern, y.shape)).sum();
      };
      weight(loss(...inputs)).backward();
      const learned = inputs.filter((input) => input.requiresGrad);
      const grads = learned.map((input) => Float64Array.from(input.grad!.data));
      learned.forEach((input, k) => {
        const values = Float64Array.from(input.data);
        const scale = Math.max(1, ...grads[k].map(Math.abs));
        for (let i = 0; i < values.length; i++) {
          const at = (v: number): number => {
            input.set(values.with(i, v));
            return weight(loss(...inputs)).item();
          };
          const quotient = (at(values[i] + 1e-6) - at(values[i] - 1e-6)) / 2e-6;
          input.set(values);
          expect(Math.abs(quotient - grads[k][i]), `input ${k}, element ${i}`).toBeLessThan(1e-3 * scale);
        }
      });
    });
  });
}

const leaf = (values: Float64Array, shape: readonly number[], requiresGrad = true): Variable => {
  const host = tensor(values, shape);
  return new Variable(host, host, requiresGrad, 'persistent');
};

const uniform = (random: Random, shape: readonly number[], lo: number, hi: number, requiresGrad = true): Variable =>
  leaf(
    Float64Array.from({ length: product(shape) }, () => lo + random.next() * (hi - lo)),
    shape,
    requiresGrad,
  );

/** ±1. */
const signs = (random: Random, shape: readonly number[]): Variable =>
  leaf(
    Float64Array.from({ length: product(shape) }, () => (random.next() < 0.5 ? -1 : 1)),
    shape,
    false,
  );

const reductions = ['mean', 'sum', 'none'] as const;

type TwoInputs = (x: Variable, target: Variable, options: object) => Variable;
interface Range {
  readonly x: readonly [number, number];
  readonly target: readonly [number, number];
  readonly targetLearns?: boolean;
  readonly options?: (random: Random) => object;
}

const pairs: readonly [string, TwoInputs, Range][] = [
  [
    'crossEntropy of probabilities',
    L.crossEntropy,
    { x: [-3, 3], target: [0, 1], targetLearns: true, options: (r) => ({ labelSmoothing: r.pick([0, 0.2]) }) },
  ],
  ['binaryCrossEntropy', L.binaryCrossEntropy, { x: [0.05, 0.95], target: [0, 1] }],
  ['binaryCrossEntropyWithLogits', L.binaryCrossEntropyWithLogits, { x: [-5, 5], target: [0, 1], targetLearns: true }],
  ['mseLoss', L.mseLoss, { x: [-2, 2], target: [-2, 2], targetLearns: true }],
  ['l1Loss', L.l1Loss, { x: [-2, 2], target: [2.1, 3], targetLearns: true }],
  ['smoothL1Loss', L.smoothL1Loss, { x: [-2, 2], target: [-2, 2], options: (r) => ({ beta: r.pick([0.5, 1, 2]) }) }],
  ['huberLoss', L.huberLoss, { x: [-2, 2], target: [-2, 2], options: (r) => ({ delta: r.pick([0.5, 1, 2]) }) }],
  ['klDiv', L.klDiv, { x: [-4, -0.1], target: [0.1, 1], targetLearns: true }],
  [
    'klDiv of logarithms',
    L.klDiv,
    { x: [-4, -0.1], target: [-4, -0.1], targetLearns: true, options: () => ({ logTarget: true }) },
  ],
  [
    'poissonNllLoss',
    L.poissonNllLoss,
    { x: [0.2, 3], target: [0.2, 4], options: (r) => ({ logInput: r.next() < 0.5, full: r.next() < 0.5 }) },
  ],
  ['diceLoss', L.diceLoss as TwoInputs, { x: [-3, 3], target: [0, 1], targetLearns: true }],
];

for (const [name, loss, { x, target, targetLearns = false, options }] of pairs) {
  lossCheck(name, (random) => {
    const shape = randomShape(random, random.int(2, 3), 4);
    // The Dice loss is one number, whatever the batch.
    const given = { ...(name === 'diceLoss' ? {} : { reduction: random.pick(reductions) }), ...options?.(random) };
    const inputs = [uniform(random, shape, ...x), uniform(random, shape, ...target, targetLearns)];
    return { inputs, loss: (a, b) => loss(a, b, given) };
  });
}

for (const [name, loss] of [
  ['softMarginLoss', L.softMarginLoss],
  ['hingeEmbeddingLoss', L.hingeEmbeddingLoss],
] as const) {
  lossCheck(name, (random) => {
    const shape = randomShape(random, 2, 4);
    const reduction = random.pick(reductions);
    const target = signs(random, shape);
    return { inputs: [uniform(random, shape, -2, 0.9)], loss: (x) => loss(x, target, { reduction }) };
  });
}

lossCheck('gaussianNllLoss', (random) => {
  const shape = randomShape(random, 2, 4);
  const options = { reduction: random.pick(reductions), full: random.next() < 0.5 };
  const inputs = [uniform(random, shape, -2, 2), uniform(random, shape, -2, 2), uniform(random, shape, 0.3, 2)];
  return { inputs, loss: (x, t, v) => L.gaussianNllLoss(x, t, v, options) };
});

lossCheck('tripletMarginLoss', (random) => {
  const shape = randomShape(random, 2, 4).map((d) => d + 1);
  const options = {
    reduction: random.pick(reductions),
    p: random.pick([1, 2, 3]),
    swap: random.next() < 0.5,
    margin: 8,
  };
  const inputs = [0, 1, 2].map((k) => uniform(random, shape, 2 * k, 2 * k + 1.5));
  return { inputs, loss: (a, p, n) => L.tripletMarginLoss(a, p, n, options) };
});

lossCheck('cosineEmbeddingLoss', (random) => {
  const shape = [random.int(1, 5), random.int(2, 5)];
  const options = { reduction: random.pick(reductions), margin: -1.1 };
  const target = signs(random, shape.slice(0, 1));
  const inputs = [uniform(random, shape, -2, 2), uniform(random, shape, -2, 2)];
  return { inputs, loss: (a, b) => L.cosineEmbeddingLoss(a, b, target, options) };
});

lossCheck('focalLoss', (random) => {
  const shape = [random.int(1, 4), random.int(2, 5)];
  const target = variable(Int32Array.from({ length: shape[0] }, () => random.int(0, shape[1] - 1)));
  const options = { reduction: random.pick(reductions), gamma: random.pick([1, 2, 2.5]) };
  return { inputs: [uniform(random, shape, -3, 3)], loss: (x) => L.focalLoss(x, target, options) };
});

lossCheck('ctcLoss', (random) => {
  const [steps, n, classes, room] = [random.int(5, 8), random.int(1, 3), random.int(2, 4), 3];
  const blank = random.int(0, classes - 1);
  const labels = Array.from({ length: classes }, (_, i) => i).filter((i) => i !== blank);
  const ints = (length: number, of: () => number): Variable => variable(Int32Array.from({ length }, of));
  const targets = variable(
    Int32Array.from({ length: n * room }, () => random.pick(labels)),
    [n, room],
  );
  const lengths = ints(n, () => random.int(0, Math.min(room, 2)));
  const times = ints(n, () => random.int(4, steps));
  const options = { blank, reduction: random.pick(reductions) };
  const inputs = [uniform(random, [steps, n, classes], -3, -0.2)];
  return { inputs, loss: (x) => L.ctcLoss(x, targets, times, lengths, options) };
});
