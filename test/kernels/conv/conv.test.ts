import { describe, expect, test } from 'vitest';
import type { ConvAttrs } from '../../../src/backend/prims/conv.ts';
import type { Activation } from '../../../src/backend/prims/elementwise.ts';
import type { Triple } from '../../../src/backend/prims/window.ts';
import { conv } from '../../../src/backend/wasm/conv/conv.ts';
import { convTranspose } from '../../../src/backend/wasm/conv/conv-transpose.ts';
import { Random, runPrim, seeds, variants } from '../harness.ts';
import { expectAccurate, referenceConv } from '../reference.ts';

const activations: readonly (Activation | null)[] = [
  null,
  null,
  { kind: 'relu', alpha: 0, beta: 0 },
  { kind: 'clip', alpha: 0, beta: 6 },
  { kind: 'silu', alpha: 0, beta: 0 },
  { kind: 'leakyRelu', alpha: 0.1, beta: 0 },
  { kind: 'tanh', alpha: 0, beta: 0 },
];

const each = (f: (axis: number) => number): Triple => [f(0), f(1), f(2)];
const cells = (t: Triple): number => t[0] * t[1] * t[2];

function channelsOf(random: Random, kind: string): { channels: number; outChannels: number; groups: number } {
  const size = (): number => random.pick([1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 20, 33]);
  if (kind === 'depthwise') {
    const groups = size();
    return { channels: groups, outChannels: groups, groups };
  }
  if (kind === 'dense') return { channels: size(), outChannels: size(), groups: 1 };
  const groups = random.int(2, 5);
  return { groups, channels: groups * random.int(1, 9), outChannels: groups * random.int(1, 13) };
}

function randomAttrs(random: Random, kind: string, transposed: boolean): ConvAttrs {
  const rank = random.pick([1, 2, 2, 2, 3]);
  const used = (axis: number): boolean => axis >= 3 - rank;
  const square = random.int(0, 1) === 0 ? random.pick([1, 3, 3, 5, 7]) : 0;
  const kernel = each((a) => (used(a) ? square || random.int(1, 5) : 1));
  const dilated = random.int(0, 2) === 0;
  const strided = random.int(0, 1) === 0;
  const stride = each((a) => (used(a) && strided ? random.int(1, 4) : 1));
  const dilation = each((a) => (used(a) && dilated ? random.int(1, 3) : 1));
  const extent = each((a) => (kernel[a] - 1) * dilation[a] + 1);
  const padBegin = each((a) => (used(a) ? random.int(0, Math.min(4, extent[a])) : 0));
  const small = each((a) => (used(a) ? random.int(1, rank === 3 ? 6 : rank === 1 ? 40 : 15) : 1));
  const extra = each((a) => (used(a) ? random.int(0, 4) : 0));
  // The number of positions follows from size, kernel and padding at both ends; the transposed op has them as its input.
  const large = each((a) => Math.max(1, (small[a] - 1) * stride[a] + extent[a] - padBegin[a] - extra[a]));
  return {
    ...channelsOf(random, kind),
    batch: random.pick([1, 1, 2, 3]),
    input: transposed ? small : large,
    output: transposed ? large : small,
    kernel,
    stride,
    dilation,
    padBegin,
    activation: random.pick(activations),
  };
}

interface Case {
  readonly attrs: ConvAttrs;
  readonly transposed: boolean;
  readonly random: Random;
  readonly constant: boolean;
  readonly bias: boolean;
  readonly residual: boolean;
}

function check(variant: 'simd' | 'relaxed', { attrs, transposed, random, constant, bias, residual }: Case): void {
  const { batch, channels, outChannels, groups, input, output, kernel } = attrs;
  const size = batch * cells(output) * outChannels;
  const x = random.floats(batch * cells(input) * channels);
  const weight = random.floats((channels * outChannels * cells(kernel)) / groups);
  const b = bias ? random.floats(outChannels) : null;
  const r = residual ? random.floats(size) : null;
  const expected = referenceConv(x, weight, b, r, attrs, transposed);
  const inputs = [
    { data: x },
    { data: weight, constant },
    b === null ? null : { data: b, constant },
    r === null ? null : { data: r },
  ];
  const what = `${JSON.stringify(attrs)} constant ${constant} bias ${bias} residual ${residual}`;
  const result = transposed
    ? runPrim(variant, 'convTranspose', inputs, [{ length: size }], attrs, convTranspose)
    : runPrim(variant, 'conv', inputs, [{ length: size }], attrs, conv);
  expect(result, what).not.toBeNull();
  expectAccurate(what, result!.arrays[0] as Float32Array, expected, (channels / groups) * cells(kernel));
}

describe.each(variants)('%s', (variant) => {
  describe.each(['dense', 'grouped', 'depthwise'])('%s', (kind) => {
    test.each(['conv', 'convTranspose'])('%s, random shapes', (prim) => {
      for (const seed of seeds(150)) {
        const random = new Random(seed);
        const transposed = prim === 'convTranspose';
        const attrs = randomAttrs(random, kind, transposed);
        const coin = (): boolean => random.int(0, 1) === 0;
        check(variant, { attrs, transposed, random, constant: coin(), bias: coin(), residual: coin() });
      }
    });
  });

  // Tiles across images, which are used if much of the map is padding.
  test.each(['conv', 'convTranspose'])('%s, many images', (prim) => {
    for (const seed of seeds(30)) {
      const random = new Random(seed);
      const transposed = prim === 'convTranspose';
      const kind = random.pick(['dense', 'dense', 'grouped']);
      const attrs = { ...randomAttrs(random, kind, transposed), batch: random.int(12, 15) };
      // The reference is slow.
      if (cells(attrs.output) * cells(attrs.kernel) * attrs.outChannels > 20000) continue;
      const coin = (): boolean => random.int(0, 1) === 0;
      check(variant, { attrs, transposed, random, constant: coin(), bias: coin(), residual: coin() });
    }
  });

  const base: ConvAttrs = {
    batch: 1,
    channels: 3,
    outChannels: 8,
    groups: 1,
    input: [1, 9, 9],
    output: [1, 9, 9],
    kernel: [1, 3, 3],
    stride: [1, 1, 1],
    dilation: [1, 1, 1],
    padBegin: [0, 1, 1],
    activation: null,
  };
  const named: Record<string, Partial<ConvAttrs>> = {
    'first layer 7×7 stride 2': {
      input: [1, 30, 31],
      output: [1, 15, 16],
      kernel: [1, 7, 7],
      stride: [1, 2, 2],
      padBegin: [0, 3, 3],
      outChannels: 64,
    },
    'one channel': { channels: 1, outChannels: 1 },
    'kernel larger than the input': {
      input: [1, 2, 2],
      output: [1, 2, 2],
      kernel: [1, 7, 7],
      padBegin: [0, 3, 3],
      channels: 20,
    },
    'stride larger than the kernel': { stride: [1, 5, 5], output: [1, 3, 3], channels: 17, outChannels: 19 },
    'one output cell': { output: [1, 1, 1], padBegin: [0, 0, 0], kernel: [1, 9, 9], channels: 32, outChannels: 40 },
    'several blocks of rows': { input: [1, 40, 40], output: [1, 40, 40], channels: 128, outChannels: 12 },
    'padding all around the input': { input: [1, 1, 1], output: [1, 9, 9], padBegin: [0, 5, 5], channels: 16 },
    'many images, wide margins': {
      batch: 32,
      channels: 16,
      outChannels: 6,
      input: [1, 5, 5],
      output: [1, 9, 9],
      kernel: [1, 5, 5],
      padBegin: [0, 4, 4],
    },
    'few channels, rows cut into blocks': { batch: 2, input: [1, 40, 50], output: [1, 40, 50], outChannels: 6 },
    'depthwise multiplier 2': { channels: 6, outChannels: 12, groups: 6 },
  };
  test.each(Object.entries(named))('%s', (_, changes) => {
    for (const constant of [true, false]) {
      const attrs = { ...base, ...changes };
      check(variant, { attrs, transposed: false, random: new Random(5), constant, bias: true, residual: false });
    }
  });

  test('an empty batch needs no steps, no channels no kernel', () => {
    const weight = { data: new Float32Array(8 * 3 * 9), constant: true };
    const none = { data: new Float32Array(0) };
    const call = (attrs: ConvAttrs, length: number) =>
      runPrim(variant, 'conv', [none, weight, null, null], [{ length }], attrs, conv);
    expect(call({ ...base, batch: 0 }, 0)!.arrays[0]).toHaveLength(0);
    expect(call({ ...base, channels: 0 }, 9 * 9 * 8)).toBeNull();
  });

  test('NaN and infinity survive the epilogue', () => {
    const x = new Float32Array(81 * 3).fill(1);
    x[0] = Number.NaN;
    x[80 * 3] = Number.POSITIVE_INFINITY;
    const weight = { data: new Float32Array(8 * 3 * 9).fill(1), constant: true };
    const attrs: ConvAttrs = { ...base, activation: { kind: 'relu', alpha: 0, beta: 0 } };
    const y = runPrim(variant, 'conv', [{ data: x }, weight, null, null], [{ length: 81 * 8 }], attrs, conv)!.arrays[0];
    expect(y[0]).toBeNaN();
    expect(y[80 * 8 + 7]).toBe(Number.POSITIVE_INFINITY);
    expect(y[40 * 8]).toBe(27);
  });
});
