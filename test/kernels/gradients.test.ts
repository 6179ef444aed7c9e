// Kernels of backward passes against the plain JS prims: random geometry, NaN around the operands, units in ranges.
import { describe, expect, test } from 'vitest';
import type { PrimName, Prims } from '../../src/backend/prims/index.ts';
import type { PoolAttrs } from '../../src/backend/prims/pool.ts';
import type { Triple, WindowAttrs } from '../../src/backend/prims/window.ts';
import type { WasmPrim } from '../../src/backend/wasm/core/prim.ts';
import { allPrims } from '../../src/backend/wasm/training-prims.ts';
import { wrap } from '../../src/tensor/tensor.ts';
import { expectClose, type Operand, Random, runPrim, seeds, variants } from './harness.ts';

const triple = (f: (axis: number) => number): Triple => [f(0), f(1), f(2)];
const volume = ([d, h, w]: Triple): number => d * h * w;

/** All outputs of a prim's kernels, compared with the specification's. */
function check<P extends PrimName>(
  variant: 'simd' | 'relaxed',
  prim: P,
  inputs: readonly (Operand | null)[],
  lengths: readonly number[],
  attrs: Prims[P],
  tolerance = 2e-6,
): void {
  const ins = inputs.map((t) => (t === null ? null : wrap(t.data, [t.data.length], t.dtype)));
  const outs = lengths.map((length) => wrap(new Float32Array(length), [length]));
  allPrims.js[prim](ins, outs, attrs);
  const got = runPrim(
    variant,
    prim,
    inputs,
    lengths.map((length) => ({ length })),
    attrs,
    allPrims.wasm[prim] as never,
  );
  if (got === null) throw new Error(`no kernel for ${prim} ${JSON.stringify(attrs)}`);
  outs.forEach(({ array }, i) => {
    let largest = 1;
    for (const v of array) largest = Math.max(largest, Math.abs(v));
    expectClose(`${prim} output ${i}: ${JSON.stringify(attrs)}`, got.arrays[i], array, tolerance, tolerance * largest);
  });
}

/** Windows of which at least one fits; one axis may be of any length. */
function windows(random: Random): WindowAttrs {
  const planar = random.int(0, 3) > 0;
  const each = (f: () => number, one: number): Triple => triple((axis) => (planar && axis === 0 ? one : f()));
  const kernel = each(() => random.int(1, 4), 1);
  const stride = each(() => random.int(1, 3), 1);
  const dilation = each(() => random.pick([1, 1, 2]), 1);
  const padBegin = each(() => random.int(0, 2), 0);
  const padEnd = each(() => random.int(0, 2), 0);
  const input = triple((i) => {
    const least = Math.max(1, (kernel[i] - 1) * dilation[i] + 1 - padBegin[i] - padEnd[i]);
    return planar && i === 0 ? 1 : least + random.int(0, i === 2 ? 14 : 5);
  });
  const output = triple((i) => {
    const room = input[i] + padBegin[i] + padEnd[i] - (kernel[i] - 1) * dilation[i] - 1;
    return Math.floor(room / stride[i]) + 1;
  });
  return { batch: random.int(1, 5), input, output, kernel, stride, dilation, padBegin };
}

describe.each(variants)('%s', (variant) => {
  test.each(seeds(60))('convWeightGrad, seed %i', (seed) => {
    const random = new Random(seed);
    const window = windows(random);
    const depthwise = random.int(0, 3) === 0;
    const groups = depthwise ? random.pick([2, 3, 16, 19]) : random.pick([1, 1, 1, 2, 3]);
    const count = (): number => (depthwise ? groups : groups * random.pick([1, 2, 3, 5, 6, 7, 8, 9, 12, 16, 17, 33]));
    const attrs = { ...window, channels: count(), outChannels: count(), groups };
    const x = random.floats(window.batch * volume(window.input) * attrs.channels);
    const gy = random.floats(window.batch * volume(window.output) * attrs.outChannels);
    const length = (attrs.outChannels * attrs.channels * volume(window.kernel)) / groups;
    check(variant, 'convWeightGrad', [{ data: x }, { data: gy }], [length], attrs, 5e-6);
  });

  test.each(seeds(40))('poolGrad, seed %i', (seed) => {
    const random = new Random(seed);
    const window = windows(random);
    const channels = random.pick([1, 2, 3, 4, 5, 15, 16, 17, 40]);
    const attrs: PoolAttrs = {
      ...window,
      kind: random.pick(['max', 'average', 'lp'] as const),
      channels,
      padEnd: [2, 2, 2],
      countPad: random.int(0, 1) === 1,
      divisor: random.pick([0, 0, 3]),
      p: random.pick([1, 2]),
    };
    const size = window.batch * volume(window.input) * channels;
    // Few different values: equal maxima in most windows, zeros for the norms.
    const x = Float32Array.from({ length: size }, () => random.int(-3, 3));
    const gy = random.floats(window.batch * volume(window.output) * channels);
    check(variant, 'poolGrad', [attrs.kind === 'average' ? null : { data: x }, { data: gy }], [size], attrs);
  });

  test.each(seeds(60))('poolGrad of the maxima of 2×2, seed %i', (seed) => {
    const random = new Random(seed);
    const input: Triple = [random.pick([1, 1, 3]), random.int(2, 9), random.int(2, 9)];
    const output: Triple = [input[0], input[1] >> 1, input[2] >> 1];
    const attrs: PoolAttrs = {
      ...{
        kind: 'max',
        batch: random.pick([1, 2, 17]),
        channels: random.pick([1, 3, 4, 6, 16, 20, 37]),
        input,
        output,
      },
      ...{ kernel: [1, 2, 2], stride: [1, 2, 2], dilation: [1, 1, 1], padBegin: [0, 0, 0], padEnd: [0, 0, 0] },
      ...{ countPad: false, divisor: 0, p: 0 },
    };
    const [size, outputs] = [input, output].map((extent) => attrs.batch * volume(extent) * attrs.channels);
    const x = Float32Array.from({ length: size }, () => random.pick([-2, -1, -0, 0, 1, 2, 2, NaN]));
    check(variant, 'poolGrad', [{ data: x }, { data: random.floats(outputs) }], [size], attrs);
  });

  test.each(seeds(20))('adaptivePoolGrad, seed %i', (seed) => {
    const random = new Random(seed);
    const [input, output] = [triple(() => random.int(1, 7)), triple(() => random.int(1, 7))];
    const channels = random.pick([1, 3, 4, 17, 32]);
    const batch = random.pick([1, 2, 20]);
    const attrs = { kind: random.pick(['max', 'average'] as const), batch, input, output, channels };
    const size = batch * volume(input) * channels;
    const x = Float32Array.from({ length: size }, () => random.int(-3, 3));
    const gy = random.floats(batch * volume(output) * channels);
    check(variant, 'adaptivePoolGrad', [attrs.kind === 'average' ? null : { data: x }, { data: gy }], [size], attrs);
  });

  test('the last NaN of a window gets the gradient, as the pool reports it', () => {
    const attrs: PoolAttrs = {
      ...{ batch: 1, channels: 1, input: [1, 1, 4], output: [1, 1, 1], kernel: [1, 1, 4], stride: [1, 1, 1] },
      ...{
        dilation: [1, 1, 1],
        padBegin: [0, 0, 0],
        padEnd: [0, 0, 0],
        kind: 'max',
        countPad: false,
        divisor: 0,
        p: 0,
      },
    };
    const x = Float32Array.of(5, Number.NaN, 7, Number.NaN);
    const run = runPrim(
      variant,
      'poolGrad',
      [{ data: x }, { data: Float32Array.of(2) }],
      [{ length: 4 }],
      attrs,
      allPrims.wasm.poolGrad as WasmPrim<'poolGrad'>,
    );
    expect([...run!.arrays[0]]).toEqual([0, 0, 0, 2]);
  });

  test.each(seeds(40))('batch norm, seed %i', (seed) => {
    const random = new Random(seed);
    const rows = random.pick([2, 3, 9, 64, 700, 5000]);
    const channels = random.pick([1, 2, 3, 4, 7, 16, 33, 64, 130]);
    const offset = random.pick([0, 10]);
    const x = { data: random.floats(rows * channels, offset - 1, offset + 1) };
    const gy = { data: random.floats(rows * channels) };
    const parameter = (lo = -2): Operand => ({ data: random.floats(channels, lo, 2) });
    const weight = random.int(0, 3) > 0 ? parameter() : null;
    const sizes = [rows * channels, channels, channels];
    const epsilon = 1e-3;
    const [mean, variance] = [parameter(), parameter(0.5)];
    const training = { rows, channels, epsilon, momentum: 0.9, correction: rows / (rows - 1) };
    check(variant, 'batchNormTraining', [x, weight, parameter(), mean, variance], sizes, training, 1e-5);
    check(variant, 'batchNormGrad', [x, weight, gy, null, null], sizes, { rows, channels, epsilon }, 1e-5);
    check(variant, 'batchNormGrad', [x, weight, gy, mean, variance], sizes, { rows, channels, epsilon }, 1e-5);
  });

  test.each(seeds(40))('normalizeGrad, seed %i', (seed) => {
    const random = new Random(seed);
    const layer = random.int(0, 1) === 1;
    const [spatial, groups] = layer ? [1, 1] : [random.int(1, 150), random.int(1, 9)];
    const size = layer ? random.int(1, 300) : random.pick([1, 2, 3, 4, 8, 11, 20]);
    const attrs = { outer: random.int(1, layer ? 90 : 3), spatial, groups, size, epsilon: 1e-2 };
    const length = attrs.outer * spatial * groups * size;
    const x = { data: random.floats(length, 1, 3) };
    const gy = { data: random.floats(length) };
    const weight = random.int(0, 3) > 0 ? { data: random.floats(groups * size) } : null;
    const given = { ...attrs, subtractMean: random.int(0, 2) > 0 };
    check(variant, 'normalizeGrad', [x, weight, gy], [length, groups * size, groups * size], given, 1e-5);
  });

  test.each(seeds(20))('lrnGrad, seed %i', (seed) => {
    const random = new Random(seed);
    const attrs = {
      ...{ outer: random.int(1, 40), channels: random.pick([1, 2, 3, 5, 16, 33]), size: random.int(1, 9) },
      ...{ alpha: random.next(), beta: random.pick([0.5, 0.75, 1.3]), bias: 1.5 },
    };
    const length = attrs.outer * attrs.channels;
    const inputs = [{ data: random.floats(length) }, { data: random.floats(length) }];
    check(variant, 'lrnGrad', inputs, [length], attrs, 1e-5);
  });
});
