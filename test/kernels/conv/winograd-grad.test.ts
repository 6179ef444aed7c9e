// Weight gradients by F(3×3, 4×4) against sums in f64: random geometry, NaN around the operands, any cut.

import { describe, expect, test } from 'vitest';
import type { PrimCall } from '../../../src/backend/backend.ts';
import type { ConvWeightGradAttrs } from '../../../src/backend/prims/conv.ts';
import { convWeightGrad } from '../../../src/backend/wasm/conv/conv-weight-grad.ts';
import {
  planWinogradGrad,
  type WinogradGradPlan,
  winogradGradSteps,
} from '../../../src/backend/wasm/conv/winograd-grad.ts';
import { Declined } from '../../../src/backend/wasm/core/prim.ts';
import type { WasmSession } from '../../../src/backend/wasm/core/session.ts';
import { allPrims } from '../../../src/backend/wasm/training-prims.ts';
import { wrap } from '../../../src/tensor/tensor.ts';
import { Random, runPrim, seeds, variants } from '../harness.ts';

type Variant = 'simd' | 'relaxed';
type Cut = Partial<WinogradGradPlan>;

/**
 * Error allowed, relative to the greatest Σ|x||gy| of a case: the transforms mix the pixels of a tile, so that errors are not
 * proportional to the magnitude of one element. The greatest error of these cases was 9e-7 (if nearly all is padding), else 5.4e-7.
 */
const bound = 2e-6;

const cells = (t: readonly number[]): number => t[0] * t[1] * t[2];

function attrsOf(changes: Partial<ConvWeightGradAttrs>): ConvWeightGradAttrs {
  return {
    ...{ batch: 2, channels: 32, outChannels: 32, groups: 1 },
    ...{ input: [1, 16, 16], output: [1, 16, 16], kernel: [1, 3, 3] },
    ...{ stride: [1, 1, 1], dilation: [1, 1, 1], padBegin: [0, 1, 1] },
    ...changes,
  };
}

function randomAttrs(random: Random): ConvWeightGradAttrs {
  const pad = [random.int(0, 2), random.int(0, 2)];
  const size = [random.int(1, 14), random.int(1, 20)];
  const depth = random.pick([1, 1, 1, 3]);
  const output = size.map((n, i) => Math.max(1, n + pad[i] + random.int(0, 2) - 2));
  return attrsOf({
    batch: random.int(1, depth > 1 ? 2 : 4),
    channels: random.pick([8, 9, 11, 12, 16, 17, 23, 32, 37, 65]),
    outChannels: random.pick([8, 9, 10, 13, 16, 24, 31, 48, 63, 67]),
    input: [depth, size[0], size[1]],
    output: [depth, output[0], output[1]],
    padBegin: [0, pad[0], pad[1]],
  });
}

/** Random cuts, also such as a plan hardly chooses. */
function randomCut(random: Random, { tiles }: WinogradGradPlan): Cut {
  const splitTiles = Math.min(tiles, random.pick([tiles, 1, 5, 16]));
  return {
    ...{ splitTiles, splits: Math.ceil(tiles / splitTiles), chunk: Math.min(splitTiles, random.pick([1, 7, 64])) },
    ...{ rowBlock: random.pick([4, 8, 20, 72]), columnBlock: random.pick([8, 16, 72]) },
  };
}

/** Numbers of both signs; those of x have a mean that is not 0, like activations. */
function operands({ batch, input, output, channels, outChannels }: ConvWeightGradAttrs, random: Random) {
  const x = random.floats(batch * cells(input) * channels);
  return { x: x.map((v) => v + 0.5), gy: random.floats(batch * cells(output) * outChannels) };
}

function specification(x: Float32Array, gy: Float32Array, attrs: ConvWeightGradAttrs): Float32Array {
  const length = attrs.channels * attrs.outChannels * 9;
  const gw = wrap(new Float32Array(length), [length]);
  allPrims.js.convWeightGrad([wrap(x, [x.length]), wrap(gy, [gy.length])], [gw], attrs);
  return gw.array as Float32Array;
}

function run(variant: Variant, attrs: ConvWeightGradAttrs, random: Random, cut: (plan: WinogradGradPlan) => Cut) {
  const { x, gy } = operands(attrs, random);
  const lower = (call: PrimCall<'convWeightGrad'>, session: WasmSession) => {
    const plan = planWinogradGrad(attrs);
    return winogradGradSteps(call, session, { ...plan, ...cut(plan) });
  };
  const length = attrs.channels * attrs.outChannels * 9;
  const got = runPrim(variant, 'convWeightGrad', [{ data: x }, { data: gy }], [{ length }], attrs, lower)!;
  const scale = specification(x.map(Math.abs), gy.map(Math.abs), attrs).reduce((a, b) => Math.max(a, b), 1e-30);
  const expected = specification(x, gy, attrs);
  const error = (got.arrays[0] as Float32Array).reduce((worst, v, i) => {
    const apart = Math.abs(v - expected[i]) / scale;
    return apart > worst || Number.isNaN(apart) ? apart : worst;
  }, 0);
  if (!(error <= bound)) throw new Error(`error ${error} > ${bound}: ${JSON.stringify(attrs)}`);
}

describe.each(variants)('%s', (variant) => {
  test.each(seeds(40))('random shapes, seed %i', (seed) => {
    const random = new Random(seed);
    const attrs = randomAttrs(random);
    run(variant, attrs, random, (plan) => (random.int(0, 2) === 0 ? {} : randomCut(random, plan)));
  });

  const named: { readonly [name: string]: Partial<ConvWeightGradAttrs> } = {
    'more channels than a strip': { channels: 132, outChannels: 140, input: [1, 6, 6], output: [1, 6, 6] },
    'many tiles': { batch: 16, channels: 8, outChannels: 16, input: [1, 32, 32], output: [1, 32, 32] },
    'nothing but padding in most tiles': { input: [1, 2, 2], output: [1, 20, 20], padBegin: [0, 9, 9] },
    'a row of pixels': { input: [1, 1, 70], output: [1, 1, 70] },
  };
  test.each(Object.entries(named))('%s', (_, changes) => {
    run(variant, attrsOf(changes), new Random(1), () => ({}));
  });

  test('weights whose sums are 0 have gradients of exactly 0', () => {
    const attrs = attrsOf({ batch: 4, channels: 8, outChannels: 8 });
    const random = new Random(3);
    const { x, gy } = operands(attrs, random);
    // x is 0 to the right of the diagonal and gy to its left: for taps to the right, no product is other than 0.
    for (let i = 0; i < x.length; i++) {
      const [row, column] = [(i >> 7) & 15, (i >> 3) & 15];
      if (column > row) x[i] = 0;
      else if (random.int(0, 1) === 0) x[i] = 0;
      if (column < row) gy[i] = 0;
    }
    const expected = specification(x, gy, attrs);
    const lower = (call: PrimCall<'convWeightGrad'>, session: WasmSession) =>
      winogradGradSteps(call, session, planWinogradGrad(attrs));
    const got = runPrim(variant, 'convWeightGrad', [{ data: x }, { data: gy }], [{ length: 576 }], attrs, lower)!;
    const zeros = [...expected.keys()].filter((i) => expected[i] === 0);
    expect(zeros.length).toBeGreaterThan(64);
    expect(zeros.map((i) => got.arrays[0][i])).toEqual(zeros.map(() => 0));
    expect([...got.arrays[0]].filter((v) => v === 0).length).toBe(zeros.length);
  });

  test('NaN and infinity are passed on', () => {
    const attrs = attrsOf({ channels: 8, outChannels: 8 });
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { x, gy } = operands(attrs, new Random(4));
      gy[8 * 100 + 3] = value;
      const lower = (call: PrimCall<'convWeightGrad'>, session: WasmSession) =>
        winogradGradSteps(call, session, planWinogradGrad(attrs));
      const got = runPrim(variant, 'convWeightGrad', [{ data: x }, { data: gy }], [{ length: 576 }], attrs, lower)!;
      const finite = [...got.arrays[0]].map((v) => Number.isFinite(v));
      expect(finite).toEqual(finite.map((_, i) => Math.floor(i / 72) !== 3));
    }
  });

  const choices: readonly (readonly [string, Partial<ConvWeightGradAttrs>])[] = [
    ['winogradWeightGrad', {}],
    ['winogradWeightGrad', { batch: 32, channels: 16, outChannels: 16, input: [1, 32, 32], output: [1, 32, 32] }],
    ['winogradWeightGrad', { batch: 32, channels: 64, outChannels: 64, input: [1, 8, 8], output: [1, 8, 8] }],
    ['convWeightGrad', { batch: 1, channels: 256, outChannels: 256, input: [1, 2, 2], output: [1, 2, 2] }],
    ['convWeightGrad', { channels: 3 }],
    ['convWeightGrad', { stride: [1, 2, 2], output: [1, 8, 8] }],
    ['convWeightGrad', { dilation: [1, 2, 2], padBegin: [0, 2, 2] }],
    ['convWeightGrad', { groups: 2 }],
    ['convWeightGrad', { kernel: [1, 1, 1], padBegin: [0, 0, 0] }],
    ['depthwiseWeightGrad', { groups: 32 }],
  ];
  test.each(choices)('%s for %o', (kernel, changes) => {
    const attrs = attrsOf(changes);
    const { x, gy } = operands(attrs, new Random(2));
    const length = (attrs.channels / attrs.groups) * attrs.outChannels * cells(attrs.kernel);
    const found: string[] = [];
    runPrim(variant, 'convWeightGrad', [{ data: x }, { data: gy }], [{ length }], attrs, (call, session) => {
      const steps = convWeightGrad(call, session);
      if (!(steps instanceof Declined)) found.push(...steps.map((step) => step.kernel));
      return steps;
    });
    expect(found[0]).toBe(kernel);
  });
});
