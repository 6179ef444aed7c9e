import { elementCount } from '../../../src/tensor/layout.ts';
import type { Random } from '../../kernels/harness.ts';
import { type GradInput, gradCheck } from '../../support/gradcheck.ts';

const each = (rank: number, f: (axis: number) => number): number[] => Array.from({ length: rank }, (_, i) => f(i));
const images = (random: Random): number[] => [random.int(1, 2), random.pick([1, 2, 3, 4, 5, 16, 17])];

/** Distinct values in random order: no two of a window are equal. */
function distinct(random: Random, shape: readonly number[]): GradInput {
  const values = Array.from({ length: elementCount(shape) }, (_, i) => (i - elementCount(shape) / 3) / 8);
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.int(0, i);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return { shape, values };
}

function windows(random: Random, dilated = true) {
  const rank = random.pick([1, 2, 2, 3]);
  const kernel = each(rank, () => random.int(1, 3));
  const dilation = each(rank, () => (dilated ? random.pick([1, 1, 2]) : 1));
  const padBegin = each(rank, (i) => random.int(0, Math.floor(kernel[i] / 2)));
  const padEnd = each(rank, (i) => random.int(0, Math.floor(kernel[i] / 2)));
  const shape = [...images(random), ...each(rank, (i) => dilation[i] * kernel[i] + random.int(0, rank === 3 ? 1 : 4))];
  const stride = each(rank, () => random.int(1, 3));
  return { shape, attrs: { kernel, stride, padBegin, padEnd, dilation, ceilMode: random.next() < 0.5 } };
}

gradCheck(
  'maxPool',
  (random) => {
    const { shape, attrs } = windows(random);
    const indices = random.next() < 0.5;
    return { attrs: { ...attrs, indices, indexBase: 'plane', columnMajor: false }, inputs: [distinct(random, shape)] };
  },
  { count: 40 },
);

gradCheck(
  'averagePool',
  (random) => {
    const { shape, attrs } = windows(random, false);
    const given = { ...attrs, countIncludePad: random.next() < 0.5, divisorOverride: random.pick([0, 0, 3]) };
    return { attrs: given, inputs: [{ shape }] };
  },
  { count: 40 },
);

/** Away from 0, where |x| has a corner. */
const apart = (v: number): number => v + Math.sign(v || 1) * 0.2;

gradCheck(
  'lpPool',
  (random) => {
    const { shape, attrs } = windows(random);
    return { attrs: { ...attrs, p: random.pick([1, 2, 3, 2.5]) }, inputs: [{ shape, avoid: apart }] };
  },
  { count: 40 },
);

const globalShape = (random: Random): number[] => [
  ...images(random),
  ...each(random.int(1, 3), () => random.int(1, 4)),
];

gradCheck('globalAveragePool', (random) => ({ attrs: {}, inputs: [{ shape: globalShape(random) }] }));
gradCheck('globalMaxPool', (random) => ({ attrs: {}, inputs: [distinct(random, globalShape(random))] }));
gradCheck('globalLpPool', (random) => ({
  attrs: { p: random.pick([1, 2, 3]) },
  inputs: [{ shape: globalShape(random), avoid: apart }],
}));

for (const kind of ['Average', 'Max']) {
  gradCheck(`adaptive${kind}Pool`, (random) => {
    const rank = random.int(1, 3);
    const shape = [...images(random), ...each(rank, () => random.int(1, 6))];
    const attrs = { outputSize: each(rank, () => random.int(1, 5)), indices: kind === 'Max' && random.next() < 0.5 };
    return { attrs, inputs: [distinct(random, shape)] };
  });
}

gradCheck('maxUnpool', (random) => {
  const rank = random.int(1, 3);
  const [batch, channels] = images(random);
  const spatial = each(rank, () => random.int(1, 3));
  const outputSize = spatial.map((d) => d * 2 + random.int(0, 1));
  const cells = elementCount(spatial);
  const plane = elementCount(outputSize);
  const whole = random.next() < 0.5;
  const indices = Array.from({ length: batch * channels }, (_, p) => {
    const order = Array.from({ length: plane }, (_, i) => i).sort(() => random.next() - 0.5);
    return order.slice(0, cells).map((i) => i + (whole ? p * plane : 0));
  }).flat();
  const shape = [batch, channels, ...spatial];
  const attrs = { outputSize, indexBase: whole ? 'tensor' : 'plane' };
  return { attrs, inputs: [{ shape }, { shape, dtype: 'int64', values: indices }] };
});
