// Views that two concatenations could use, or that must be filled before a call reads them: each graph runs with views and without.
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { compile, type Plan } from '../../src/compile/plan.ts';
import type { Value } from '../../src/graph/graph.ts';
import type { Layout } from '../../src/tensor/layout.ts';
import { type Drawing, draw, type Sketch } from '../graph/compare.ts';
import { backendOf, Random, variants } from '../kernels/harness.ts';
import { jsBackend } from '../support/js-backend.ts';

const shape = [1, 8, 5, 6];
const concat = (s: Sketch, ...inputs: Value[]): Value => s.op('concat', inputs, { axis: 1 });
const cut = (s: Sketch, x: Value, first: number, count: number): Value =>
  s.op('slice', [x], { starts: [0, first, 0, 0], steps: [1, 1, 1, 1], sizes: [1, count, 5, 6] });
/** Takes no views, neither as what it reads nor as what it writes. */
const pool = (s: Sketch, x: Value): Value =>
  s.op('maxPool', [x], {
    ...{ kernel: [3, 3], stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], ceilMode: false },
    ...{ indices: false, columnMajor: false, indexBase: 'plane' },
  });

const copies = (plan: Plan): number => plan.steps.filter(({ step }) => step.prim === 'copy').length;

const backends: [string, () => Backend][] = [
  ['js', () => jsBackend()],
  ...variants.map((variant): [string, () => Backend] => [`wasm ${variant}`, () => backendOf(variant)]),
];

/** Compares with the graph without views, and returns how many copies views save. */
function saved(backend: Backend, drawing: Drawing, layout: Layout = 'row'): number {
  const counts: number[] = [];
  const results = [false, true].map((views) => {
    const plan = compile(draw(drawing), backend, undefined, { views, layout });
    counts.push(copies(plan));
    try {
      for (let run = 0; run < 2; run++) {
        for (const tensor of plan.inputs.values()) tensor.array.set(new Random(5).floats(tensor.size));
        plan.run();
      }
      return [...plan.outputs.values()].map((y) => Float32Array.from(y.array));
    } finally {
      plan.dispose();
    }
  });
  results[0].forEach((values, k) => {
    const tolerance = 1e-5 * values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const wrong = values.findIndex((v, i) => !(Math.abs(results[1][k][i] - v) <= tolerance));
    expect(wrong, `element of output ${k}: ${results[1][k][wrong]} instead of ${values[wrong]}`).toBe(-1);
  });
  return counts[0] - counts[1];
}

/** Reads both, so that both are needed to the end. */
const both = (s: Sketch, a: Value, b: Value): Value[] => [s.conv(a, 3), s.conv(b, 3)];

describe.each(backends)('%s', (_, backend) => {
  test('a part that is copied into the larger concatenation is there before the smaller one is read', () => {
    const graph: Drawing = (s) => {
      const x = s.conv(s.input(shape), 8);
      const parts = [pool(s, x), s.conv(x, 4)];
      const next = s.conv(concat(s, ...parts), 4);
      return s.conv(concat(s, ...parts, next), 3);
    };
    // Two parts of the smaller one, one of the larger, and what is computed from the smaller one.
    expect(saved(backend(), graph)).toBe(4);
  });

  test('an input of the plan is a part of both: it is copied into each', () => {
    const graph: Drawing = (s) => {
      const x = s.input(shape);
      const parts = [x, s.conv(x, 4)];
      const next = s.conv(concat(s, ...parts), 4);
      return s.conv(concat(s, ...parts, next), 3);
    };
    expect(saved(backend(), graph, 'channelsLast')).toBeGreaterThan(0);
  });

  test('of two concatenations that go on from the same channels, one takes their memory over', () => {
    const graph: Drawing = (s) => {
      const first = s.conv(s.input(shape), 8);
      const same = cut(s, first, 0, 4);
      const [z, w] = [s.conv(s.input(shape), 4), s.conv(s.input(shape), 4)];
      return both(s, concat(s, same, z), concat(s, same, w));
    };
    expect(saved(backend(), graph)).toBeGreaterThan(0);
  });

  test('a part that is there before the channels it joins does not lie in their memory', () => {
    const graph: Drawing = (s) => {
      const z = s.conv(s.input(shape), 4);
      const first = s.conv(s.input(shape), 8);
      return s.conv(concat(s, cut(s, first, 0, 4), z), 3);
    };
    saved(backend(), graph);
  });

  test('the same where the channels are cut anew for each, and where a chain goes on from both', () => {
    const graph: Drawing = (s) => {
      const first = s.conv(s.input(shape), 8);
      const [z, w] = [s.conv(s.input(shape), 4), s.conv(s.input(shape), 4)];
      const a = concat(s, cut(s, first, 0, 4), z);
      const b = concat(s, cut(s, first, 0, 4), w);
      const c = concat(s, cut(s, a, 0, 4), s.conv(cut(s, a, 4, 4), 4));
      return [...both(s, a, b), s.conv(c, 3)];
    };
    expect(saved(backend(), graph)).toBeGreaterThan(0);
  });

  test('several images save as many copies as one', () => {
    const graph =
      (images: number): Drawing =>
      (s) => {
        const x = s.conv(s.input([images, ...shape.slice(1)]), 8);
        return s.conv(concat(s, s.conv(x, 4), s.conv(x, 3)), 3);
      };
    expect([1, 2].map((images) => saved(backend(), graph(images)))).toEqual([2, 2]);
  });

  test('what is written over does not lie in a concatenation that is read later', () => {
    const graph: Drawing = (s) => {
      const first = s.conv(s.input(shape), 8);
      const wide = concat(s, first, s.conv(s.input(shape), 3));
      const branch = s.conv(s.conv(cut(s, first, 4, 4), 4), 4);
      return both(s, concat(s, cut(s, first, 0, 4), branch), wide);
    };
    expect(saved(backend(), graph)).toBeGreaterThan(0);
  });

  test('other element types: kernels have channels of wider tensors in float32 alone', () => {
    const graph: Drawing = (s) => {
      const double = (...of: number[]): Value => s.op('cast', [s.weight(of)], { to: 'float64' });
      const attrs = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1, activation: null };
      const layer = (x: Value, out: number): Value => s.op('conv', [x, double(out, x.shape[1], 3, 3), null], attrs);
      const x = s.input(shape, 'float64');
      const whole = concat(s, layer(x, 4), layer(x, 5));
      const bytes = s.op('cast', [s.op('relu', [s.conv(s.input(shape), 4)])], { to: 'uint8' });
      const sum = s.op('max', [cut(s, concat(s, bytes, bytes), 2, 4), s.op('clip', [bytes], { alpha: 1, beta: 3 })]);
      return [layer(cut(s, whole, 2, 5), 3), sum, s.op('neg', [cut(s, whole, 1, 4)])];
    };
    saved(backend(), graph);
  });

  test('a slice of what was written over is not a view of it', () => {
    const graph: Drawing = (s) => {
      const first = s.conv(s.input(shape), 8);
      const z = s.conv(s.input(shape), 4);
      const rest = cut(s, first, 4, 4);
      const whole = concat(s, cut(s, first, 0, 4), z);
      return [...both(s, whole, rest), s.op('neg', [rest])];
    };
    saved(backend(), graph);
  });
});
