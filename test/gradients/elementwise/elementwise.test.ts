import { unaryDerivatives } from '../../../src/backend/js/elementwise/unary-grad.ts';
import type { BinaryKind, UnaryKind } from '../../../src/backend/prims/elementwise.ts';
import type { Random } from '../../kernels/harness.ts';
import { awayFromSteps, gradCheck, randomShape } from '../../support/gradcheck.ts';

/** Where a function is smooth; the others are checked on −4…4. */
const domains: { readonly [K in UnaryKind]?: readonly [number, number] } = {
  log: [0.2, 4],
  sqrt: [0.2, 4],
  rsqrt: [0.2, 4],
  reciprocal: [0.3, 4],
  log1p: [-0.8, 4],
  asin: [-0.9, 0.9],
  acos: [-0.9, 0.9],
  acosh: [1.2, 4],
  atanh: [-0.9, 0.9],
  tan: [-1.2, 1.2],
  sinh: [-2, 2],
  cosh: [-2, 2],
};

/** Parameters that put every corner on a whole number. */
const parameters: { readonly [K in UnaryKind]?: readonly object[] } = {
  clip: [
    { alpha: -1, beta: 2 },
    { alpha: 0, beta: 3, exclusive: true },
  ],
  leakyRelu: [{}, { alpha: 0.3 }],
  elu: [{}, { alpha: 1.7 }],
  celu: [{}, { alpha: 1.7 }],
  thresholdedRelu: [{ alpha: 1 }],
  hardSigmoid: [{ alpha: 0.5, beta: 0.5 }],
  softplus: [{}, { alpha: 2, beta: 6 }],
  hardShrink: [{ alpha: 1 }],
  softShrink: [{ alpha: 1 }],
  shrink: [{ alpha: 1, beta: 0.5 }],
  threshold: [{ alpha: 1, beta: 5 }],
  linear: [{ alpha: -2.5, beta: 3 }],
};

const stepKinds = ['floor', 'ceil', 'sign', 'trunc'];

for (const kind of ['identity', 'neg', 'linear', ...Object.keys(unaryDerivatives)] as UnaryKind[]) {
  gradCheck(
    kind,
    (random) => ({
      attrs: random.pick(parameters[kind] ?? [{}]),
      inputs: [
        {
          shape: randomShape(random),
          range: domains[kind] ?? [-4, 4],
          avoid: domains[kind] ? undefined : (v) => awayFromSteps(v, kind === 'round' ? 0.5 : 1),
        },
      ],
    }),
    stepKinds.includes(kind) ? {} : { tolerance: 2e-5 },
  );
}

/** Two shapes that broadcast together, axes missing and of size 1 on either side. */
function broadcastPair(random: Random): [number[], number[]] {
  const shape = randomShape(random, random.int(0, 4));
  const side = (): number[] => shape.slice(random.int(0, shape.length)).map((d) => (random.next() < 0.3 ? 1 : d));
  return random.next() < 0.5 ? [shape, side()] : [side(), shape];
}

const positive = [0.3, 3] as const;

/** Ranges of a and b. Where a rule has a case at a = b or at multiples, the operands are kept from there. */
const operands: { readonly [K in BinaryKind]?: readonly [a: readonly [number, number], b: readonly [number, number]] } =
  {
    add: [
      [-2, 2],
      [-2, 2],
    ],
    sub: [
      [-2, 2],
      [-2, 2],
    ],
    mul: [
      [-2, 2],
      [-2, 2],
    ],
    div: [[-2, 2], positive],
    pow: [positive, [-2, 2]],
    atan2: [positive, [-2, 2]],
  };

for (const [kind, [a, b]] of Object.entries(operands)) {
  gradCheck(kind, (random) => {
    const [left, right] = broadcastPair(random);
    return {
      attrs: {},
      inputs: [
        { shape: left, range: a },
        { shape: right, range: b },
      ],
    };
  });
}

// a on even, b on odd tenths: never equal, never a multiple.
for (const kind of ['max', 'min', 'prelu']) {
  gradCheck(kind, (random) => {
    const [left, right] = broadcastPair(random);
    const on = (rest: number) => (v: number) => Math.floor(v) + rest;
    return {
      attrs: {},
      inputs: [
        { shape: left, range: [-4, 4], avoid: on(0.25) },
        { shape: right, range: [-4, 4], avoid: on(0.75) },
      ],
    };
  });
}

for (const kind of ['mod', 'fmod']) {
  gradCheck(kind, (random) => {
    const [left, right] = broadcastPair(random);
    const range = [-4, 4] as const;
    // Quotients (n + ½) / 2 of odd quarters: the remainder does not jump near them.
    return {
      attrs: {},
      inputs: [
        { shape: left, range, avoid: (v) => Math.floor(v) + 0.5 },
        { shape: right, range: [0, 3], avoid: (v) => 2 ** Math.floor(v) },
      ],
    };
  });
}

gradCheck('where', (random) => {
  const [a, b] = broadcastPair(random);
  const [condition] = [a.length > b.length ? a : b];
  return { attrs: {}, inputs: [{ shape: condition, dtype: 'bool', range: [0, 1] }, { shape: a }, { shape: b }] };
});

gradCheck('cast', (random) => ({ attrs: { to: 'float64' }, inputs: [{ shape: randomShape(random) }] }));

for (const op of ['softmax', 'logSoftmax']) {
  gradCheck(op, (random) => {
    const shape = randomShape(random, undefined, 9);
    return { attrs: { axis: random.int(0, shape.length - 1) }, inputs: [{ shape, range: [-4, 4] }] };
  });
}
