import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { compile, type Plan } from '../../src/compile/plan.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { constantValue, type Graph, newValue, type Value } from '../../src/graph/graph.ts';
import { optimize } from '../../src/graph/passes/index.ts';
import type { OpName, Ops } from '../../src/ops/attrs.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { constant } from '../../src/tensor/tensor.ts';
import { backendOf, variants } from '../kernels/harness.ts';
import { jsBackend } from '../support/js-backend.ts';

const backends: [string, () => Backend][] = [
  ['js', () => jsBackend()],
  ...variants.map((variant): [string, () => Backend] => [`wasm ${variant}`, () => backendOf(variant)]),
];

/** Numbers that depend on `salt` alone. */
function numbers(shape: readonly number[], salt: number, low = -1): Value {
  let state = salt * 2654435761 + 12345;
  const data = Float32Array.from({ length: elementCount(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((1 - low) * state) / 2 ** 32;
  });
  return constantValue('w', constant(data, shape));
}

/** What a node is made of; `a`, `b`, `c` choose inputs and extents. */
interface Row {
  readonly kind: (typeof kinds)[number];
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const kinds = [
  'conv1',
  'conv3',
  'depthwise',
  'residual',
  'transposed',
  'concat',
  'concatAll',
  'slice',
  'batchNorm',
  'pool',
  'relu',
  'shuffle',
  'unit',
] as const;

const conv = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1, activation: null };

function addNode(b: GraphBuilder, values: Value[], { kind, a, b: second, c }: Row, salt: number): Value {
  const x = values[a % values.length];
  const y = values[second % values.length];
  const channels = x.shape[1];
  const out = 1 + (c % 20);
  const node = <N extends OpName>(op: N, inputs: (Value | null)[], attrs: Ops[N]): Value =>
    b.add(op, inputs, attrs, op)[0];
  const make: Record<Row['kind'], () => Value> = {
    conv1: () => node('conv', [x, numbers([out, channels, 1, 1], salt)], { ...conv, padBegin: [0, 0], padEnd: [0, 0] }),
    conv3: () => node('conv', [x, numbers([out, channels, 3, 3], salt), numbers([out], salt)], conv),
    depthwise: () => node('conv', [x, numbers([channels, 1, 3, 3], salt)], { ...conv, groups: channels }),
    residual: () => {
      const sum = node('conv', [x, numbers([y.shape[1], channels, 3, 3], salt)], conv);
      return node('add', [sum, y], { activation: null });
    },
    transposed: () => {
      const attrs = { ...conv, outputPadding: [0, 0] };
      return node('convTranspose', [x, numbers([channels, out, 3, 3], salt)], attrs);
    },
    concat: () => node('concat', [x, y, x].slice(0, 2 + (c % 2)), { axis: 1 }),
    concatAll: () => node('concat', values.slice(-2 - (c % 4)), { axis: 1 }),
    slice: () => {
      const size = 1 + (c % channels);
      const sizes = x.shape.map((d, i) => (i === 1 ? size : d));
      return node('slice', [x], { starts: [0, channels - size, 0, 0], steps: [1, 1, 1, 1], sizes });
    },
    batchNorm: () => {
      const of = (k: number, low?: number) => numbers([channels], salt + k, low);
      return node('batchNorm', [x, of(0), of(1), of(2), of(3, 0.5)], { epsilon: 1e-5, activation: null });
    },
    pool: () => {
      const ends = { padBegin: [1, 1], padEnd: [1, 1], ceilMode: false };
      const attrs = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], ...ends };
      return node('maxPool', [x], { ...attrs, indices: false, columnMajor: false, indexBase: 'plane' });
    },
    relu: () => node('relu', [x], {}),
    unit: () => addUnit(b, x, salt),
    shuffle: () => {
      const [n, , h, w] = x.shape;
      const groups = channels % 3 === 0 ? 3 : channels % 2 === 0 ? 2 : 1;
      const split = node('reshape', [x], { shape: [n, groups, channels / groups, h, w] });
      const swapped = node('transpose', [split], { perm: [0, 2, 1, 3, 4] });
      return node('reshape', [swapped], { shape: [...x.shape] });
    },
  };
  return make[kind]();
}

/** Channels from `first` on. */
const channelSlice = (b: GraphBuilder, x: Value, first: number, count: number): Value => {
  const sizes = x.shape.map((d, i) => (i === 1 ? count : d));
  return b.add('slice', [x], { starts: [0, first, 0, 0], steps: [1, 1, 1, 1], sizes }, 'slice')[0];
};

/** Half of the channels go on as they are, the others through convolutions (ShuffleNet v2). */
function addUnit(b: GraphBuilder, x: Value, salt: number): Value {
  const half = x.shape[1] >> 1;
  if (half === 0) return x;
  const rest = x.shape[1] - half;
  const layer = (of: Value): Value => b.add('conv', [of, numbers([rest, rest, 3, 3], salt)], conv, 'conv')[0];
  const branch = layer(layer(channelSlice(b, x, half, rest)));
  return b.add('concat', [channelSlice(b, x, 0, half), branch], { axis: 1 }, 'concat')[0];
}

function build(rows: readonly Row[], shape: readonly number[]): Graph {
  const b = new GraphBuilder();
  const x = newValue('x', 'float32', shape);
  const values = [x];
  rows.forEach((row, i) => {
    const value = addNode(b, values, row, i);
    if (value.shape[1] <= 200) values.push(value);
  });
  const last = values[values.length - 1];
  const outputs = [...new Set([last, values[values.length >> 1]])].map((value, i) => ({ name: `y${i}`, value }));
  return optimize(b.finish([x], outputs));
}

function outputsOf(plan: Plan, x: Float32Array): [string, number[]][] {
  try {
    for (let run = 0; run < 2; run++) {
      plan.inputs.get('x')?.array.set(x);
      plan.run();
    }
    return [...plan.outputs].map(([name, y]) => [name, Array.from(y.array)]);
  } finally {
    plan.dispose();
  }
}

function expectClose(got: [string, number[]][], expected: [string, number[]][]): void {
  expect(got.map(([name]) => name)).toEqual(expected.map(([name]) => name));
  got.forEach(([, values], k) => {
    const wanted = expected[k][1];
    const largest = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    expect(values.length).toBe(wanted.length);
    values.forEach((v, i) => {
      expect(Math.abs(v - wanted[i])).toBeLessThanOrEqual(1e-5 * largest);
    });
  });
}

const rows = fc.array(
  fc.record({ kind: fc.constantFrom(...kinds), a: fc.nat(1000), b: fc.nat(1000), c: fc.nat(1000) }),
  { minLength: 2, maxLength: 14 },
);
const shapes = fc.constantFrom([1, 6, 5, 4], [2, 3, 4, 3], [1, 16, 6, 7], [3, 4, 1, 1]);

describe.each(backends)('views, %s', (_, backend) => {
  // Except where sums are fused: a pitched input may be cut into other register tiles, and those of one row round twice.
  test('random graphs have the same bits with views as without', () => {
    const one = backend();
    fc.assert(
      fc.property(rows, shapes, (program, shape) => {
        const x = numbers(shape, 99).constant!.array as Float32Array;
        const session = one.session();
        const without = outputsOf(compile(build(program, shape), one, session, { views: false }), x);
        const withViews = outputsOf(compile(build(program, shape), one, session, { views: true }), x);
        session.dispose();
        if (one.variant === 'relaxed') expectClose(withViews, without);
        else expect(withViews).toEqual(without);
      }),
      { numRuns: 120 },
    );
  });

  test('channels cut from a tensor that is read again are not overwritten by a concatenation', () => {
    const row = (kind: Row['kind'], a: number, c = 0): Row => ({ kind, a, b: 0, c });
    const program = [
      row('depthwise', 0),
      row('slice', 1, 1),
      row('unit', 2),
      row('conv1', 0),
      row('conv1', 0),
      row('conv1', 1),
    ];
    const shape = [2, 6, 5, 4];
    const x = numbers(shape, 99).constant!.array as Float32Array;
    const [without, withViews] = [false, true].map((views) =>
      outputsOf(compile(build(program, shape), backend(), undefined, { views }), x),
    );
    expectClose(withViews, without);
  });

  // Close, as another algorithm may be chosen for fewer images.
  test('random graphs give the same for a batch in parts', () => {
    const one = backend();
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 2, max: 5 }),
        fc.constantFrom(1, 2000, 8000),
        (program, batch, batchBytes) => {
          const shape = [batch, 6, 5, 4];
          const x = numbers(shape, 99).constant!.array as Float32Array;
          const session = one.session();
          const whole = outputsOf(compile(build(program, shape), one, session, { views: false }), x);
          const parts = outputsOf(compile(build(program, shape), one, session, { views: true, batchBytes }), x);
          session.dispose();
          if (one.name === 'js') expect(parts).toEqual(whole);
          else expectClose(parts, whole);
        },
      ),
      { numRuns: 120 },
    );
  });
});

const copies = (plan: Plan): number => plan.steps.filter(({ step }) => step.prim === 'copy').length;

describe('views save', () => {
  const shape = [1, 8, 6, 6];
  const compiled = (make: (b: GraphBuilder, x: Value) => Value): Plan => {
    const b = new GraphBuilder();
    const x = newValue('x', 'float32', shape);
    const first = b.add('conv', [x, numbers([8, 8, 3, 3], 1)], conv, 'first')[0];
    const y = b.add('reduceMean', [make(b, first)], { axes: [1, 2, 3], keepDims: false }, 'mean')[0];
    return compile(optimize(b.finish([x], [{ name: 'y', value: y }])), jsBackend(), undefined, { views: true });
  };
  const layer = (b: GraphBuilder, x: Value, out: number): Value =>
    b.add('conv', [x, numbers([out, x.shape[1], 3, 3], out)], conv, 'layer')[0];
  const concat = (b: GraphBuilder, ...inputs: Value[]): Value => b.add('concat', inputs, { axis: 1 }, 'concat')[0];
  const baseline = copies(compiled((b, x) => layer(b, x, 8)));

  test('the copies of a concatenation', () => {
    expect(copies(compiled((b, x) => concat(b, layer(b, x, 4), layer(b, x, 5))))).toBe(baseline);
  });

  test('all copies of a dense block, whether it lists every feature or concatenates step by step', () => {
    const listed = compiled((b, x) => {
      const features = [x];
      for (let i = 0; i < 5; i++) features.push(layer(b, features.length > 1 ? concat(b, ...features) : x, 4));
      return concat(b, ...features);
    });
    const nested = compiled((b, x) => {
      let all = x;
      for (let i = 0; i < 5; i++) all = concat(b, all, layer(b, all, 4));
      return all;
    });
    expect([copies(listed), copies(nested)]).toEqual([baseline, baseline]);
  });

  test('a feature that cannot be a view is copied into a dense block once', () => {
    const plan = compiled((b, x) => {
      const features = [b.add('relu', [x], {}, 'relu')[0]];
      const relu = b.add('exp', [features[0]], {}, 'exp')[0];
      features.push(layer(b, relu, 4));
      for (let i = 0; i < 4; i++) features.push(layer(b, concat(b, ...features), 4));
      return concat(b, ...features);
    });
    expect(copies(plan)).toBe(baseline + 1);
  });

  test('slices of channels that only convolutions read', () => {
    const plan = compiled((b, x) => {
      const part = b.add('slice', [x], { starts: [0, 4, 0, 0], steps: [1, 1, 1, 1], sizes: [1, 4, 6, 6] }, 'slice')[0];
      return layer(b, part, 8);
    });
    expect(copies(plan)).toBe(baseline);
  });

  test('channels that go on unchanged past convolutions of the others', () => {
    const plan = compiled((b, x) => layer(b, addUnit(b, layer(b, addUnit(b, x, 1), 8), 2), 8));
    expect(copies(plan)).toBe(baseline);
  });

  test('but not where the tensor they were cut from is read again', () => {
    const plan = compiled((b, x) => {
      const whole = layer(b, x, 8);
      return concat(b, addUnit(b, whole, 1), layer(b, whole, 4));
    });
    expect(copies(plan)).toBe(baseline + 1);
  });
});
