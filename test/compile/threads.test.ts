// How kernels cut their work depends on the number of threads; bits must not.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { compile } from '../../src/compile/plan.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { constantValue, newValue, type Value } from '../../src/graph/graph.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { constant } from '../../src/tensor/tensor.ts';
import { backendOf, variants } from '../kernels/harness.ts';
import { teamOf } from '../support/teams.ts';

const layers = {
  'conv 3×3': { op: 'conv', kernel: 3, stride: 1 },
  'conv 3×3 s2': { op: 'conv', kernel: 3, stride: 2 },
  'conv 1×1': { op: 'conv', kernel: 1, stride: 1 },
  'transposed 2×2 s2': { op: 'convTranspose', kernel: 2, stride: 2 },
  'transposed 3×3': { op: 'convTranspose', kernel: 3, stride: 1 },
} as const;

interface Case {
  readonly layer: keyof typeof layers;
  readonly shape: readonly number[];
  readonly outChannels: number;
}

const numbers = (shape: readonly number[], step: number): Float32Array =>
  Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i * step + 1));

/** The result's bits. */
function run(backend: Backend, { layer, shape, outChannels }: Case): Uint32Array {
  const { op, kernel, stride } = layers[layer];
  const [, channels] = shape;
  const pads = op === 'conv' ? kernel >> 1 : 0;
  const attrs = { stride: [stride, stride], padBegin: [pads, pads], padEnd: [pads, pads], dilation: [1, 1], groups: 1 };
  const of = op === 'conv' ? [outChannels, channels] : [channels, outChannels];
  const weight: Value = constantValue('w', constant(numbers([...of, kernel, kernel], 0.7), [...of, kernel, kernel]));
  const b = new GraphBuilder();
  const x = newValue('x', 'float32', shape);
  const [value] = b.add(op, [x, weight], { ...attrs, outputPadding: [0, 0], activation: null }, 'layer');
  const plan = compile(b.finish([x], [{ name: 'y', value }]), backend);
  try {
    plan.inputs.get('x')!.array.set(numbers(shape, 0.3));
    plan.run();
    return new Uint32Array(Float32Array.from(plan.outputs.get('y')!.array).buffer);
  } finally {
    plan.dispose();
  }
}

const cases = fc.record({
  layer: fc.constantFrom(...(Object.keys(layers) as (keyof typeof layers)[])),
  shape: fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.constantFrom(3, 8, 16, 40),
    fc.integer({ min: 1, max: 37 }),
    fc.integer({ min: 1, max: 37 }),
  ),
  outChannels: fc.constantFrom(4, 8, 24, 65),
});

describe.each(variants)('%s', (variant) => {
  test.each([2, 3, 5])('random layers have the bits of one thread on %i', async (threads) => {
    const [one, team] = [backendOf(variant), await teamOf(variant, threads)];
    fc.assert(
      fc.property(cases, (of) => {
        expect(run(team, of)).toEqual(run(one, of));
      }),
      { numRuns: 80 },
    );
  });
});
