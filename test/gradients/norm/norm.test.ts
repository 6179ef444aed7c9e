import type { Random } from '../../kernels/harness.ts';
import { gradCheck } from '../../support/gradcheck.ts';

const spatial = (random: Random, least = 0): number[] =>
  Array.from({ length: random.int(least, 3) }, () => random.int(1, 4));
const channelCount = (random: Random): number => random.pick([1, 2, 3, 4, 5, 8, 17, 33]);
const maybe = (random: Random, shape: number[]) => (random.next() < 0.7 ? { shape } : null);

gradCheck(
  'batchNorm',
  (random) => {
    const c = channelCount(random);
    const shape = [random.int(1, 3), c, ...spatial(random)];
    const statistics = [
      { shape: [c], fixed: true },
      { shape: [c], range: [0.5, 2] as const, fixed: true },
    ];
    const attrs = { epsilon: 1e-3, activation: null };
    return { attrs, inputs: [{ shape }, maybe(random, [c]), maybe(random, [c]), ...statistics] };
  },
  { count: 30 },
);

gradCheck(
  'batchNormTraining',
  (random) => {
    const c = channelCount(random);
    const shape = [random.int(2, 9), c, ...spatial(random)];
    const statistics = [
      { shape: [c], fixed: true },
      { shape: [c], range: [0.5, 2] as const, fixed: true },
    ];
    const attrs = { epsilon: 0.05, momentum: 0.9, unbiased: random.next() < 0.5 };
    const offset = random.pick([0, 3]);
    const x = { shape, range: [offset - 1, offset + 1] as const };
    return { attrs, inputs: [x, maybe(random, [c]), maybe(random, [c]), ...statistics], outputs: 1 };
  },
  { count: 30 },
);

gradCheck(
  'groupNorm',
  (random) => {
    const groups = random.int(1, 4);
    const c = groups * random.pick([1, 2, 3, 8, 9]);
    const shape = [random.int(1, 3), c, ...spatial(random)];
    const attrs = { groups, epsilon: 0.05, activation: null };
    return { attrs, inputs: [{ shape }, maybe(random, [c]), maybe(random, [c])] };
  },
  { count: 30 },
);

gradCheck('instanceNorm', (random) => {
  const c = channelCount(random);
  const shape = [random.int(1, 3), c, ...spatial(random, 1)];
  const attrs = { epsilon: 0.05, activation: null };
  return { attrs, inputs: [{ shape }, maybe(random, [c]), maybe(random, [c])] };
});

for (const op of ['layerNorm', 'rmsNorm']) {
  gradCheck(op, (random) => {
    const shape = [random.int(1, 5), ...Array.from({ length: random.int(0, 2) }, () => random.int(1, 5))];
    const axis = shape.length;
    shape.push(...Array.from({ length: random.int(1, 2) }, () => random.pick([1, 2, 5, 7, 19])));
    const parameters = shape.slice(axis);
    const attrs = { axis, epsilon: 0.05, ...(op === 'layerNorm' ? { statistics: false } : {}) };
    return { attrs, inputs: [{ shape }, maybe(random, parameters), maybe(random, parameters)] };
  });
}

gradCheck('lrn', (random) => {
  const shape = [random.int(1, 3), channelCount(random), ...spatial(random)];
  const attrs = {
    size: random.int(1, 6),
    alpha: random.pick([0.1, 1]),
    beta: random.pick([0.5, 0.75, 1.2]),
    bias: 1.5,
  };
  return { attrs, inputs: [{ shape, range: [-2, 2] }] };
});
