import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { PrimCall } from '../../../src/backend/backend.ts';
import type { ConvAttrs } from '../../../src/backend/prims/conv.ts';
import type { Activation } from '../../../src/backend/prims/elementwise.ts';
import { WasmBackend } from '../../../src/backend/wasm/backend.ts';
import {
  type ConvAlgorithm,
  type ConvChoice,
  chooseConv,
  conv,
  convAlgorithms,
  convBy,
} from '../../../src/backend/wasm/conv/conv.ts';
import { convTranspose } from '../../../src/backend/wasm/conv/conv-transpose.ts';
import { planWinograd, winogradSteps } from '../../../src/backend/wasm/conv/winograd.ts';
import type { TileSize } from '../../../src/backend/wasm/conv/winograd-weights.ts';
import type { WasmPrim } from '../../../src/backend/wasm/core/prim.ts';
import { Declined } from '../../../src/backend/wasm/core/prim.ts';
import type { WasmSession } from '../../../src/backend/wasm/core/session.ts';
import { allPrims } from '../../../src/backend/wasm/training-prims.ts';
import { BorrowedStorage } from '../../../src/memory/storage.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { backendOf, Random, runPrim, seeds, variants } from '../harness.ts';
import { type Reference, referenceConv } from '../reference.ts';

type Variant = 'simd' | 'relaxed';

/**
 * Error allowed, relative to the greatest Σ|x||w| + |bias| + |residual| of a case: the transforms mix the pixels of a tile, so
 * that errors are not proportional to the magnitude of one element. Over 1900 random cases the greatest errors were 5.6e-7 for
 * F(4×4) and 1.6e-7 for F(2×2).
 */
const bounds: { readonly [size in TileSize]: number } = { 4: 2e-6, 2: 5e-7 };

const activations: readonly (Activation | null)[] = [
  null,
  { kind: 'relu', alpha: 0, beta: 0 },
  { kind: 'clip', alpha: 0, beta: 6 },
  { kind: 'silu', alpha: 0, beta: 0 },
  { kind: 'leakyRelu', alpha: 0.1, beta: 0 },
];

const cells = (t: readonly number[]): number => t[0] * t[1] * t[2];
const algorithm = (name: string) => convAlgorithms.find((row) => row.name === name)!;

const choiceOf = (taken: ConvAlgorithm): ConvChoice => ({ taken, costs: new Map() });

/** F(size), even if the table would choose another algorithm, in units of `panels` × `chunk`. */
const transformed = (size: TileSize, panels?: number, chunk?: number): WasmPrim<'conv'> =>
  convBy(() =>
    choiceOf({
      name: 'test',
      cost: () => 0,
      lower(call, session, { shape, epilogue }) {
        const plan = planWinograd(call.attrs, size, session);
        return winogradSteps(call, session, shape, epilogue, {
          ...plan,
          chunk: Math.min(chunk ?? plan.chunk, plan.tiles),
          panelUnit: Math.min(panels ?? plan.panelUnit, plan.panels),
        });
      },
    }),
  );

function attrsOf(changes: Partial<ConvAttrs>): ConvAttrs {
  return {
    batch: 1,
    channels: 64,
    outChannels: 64,
    groups: 1,
    input: [1, 56, 56],
    output: [1, 56, 56],
    kernel: [1, 3, 3],
    stride: [1, 1, 1],
    dilation: [1, 1, 1],
    padBegin: [0, 1, 1],
    activation: null,
    ...changes,
  };
}

function randomAttrs(random: Random): ConvAttrs {
  const pad = [random.int(0, 2), random.int(0, 2)];
  const size = [random.int(1, 20), random.int(1, 40)];
  const depth = random.pick([1, 1, 1, 1, 3]);
  const output = size.map((n, i) => Math.max(1, n + pad[i] + random.int(0, 2) - 2));
  return attrsOf({
    batch: random.int(1, depth > 1 ? 2 : 3),
    channels: random.pick([8, 9, 11, 12, 16, 17, 23, 32, 37, 64, 65, 80]),
    outChannels: random.pick([8, 9, 10, 13, 15, 16, 24, 31, 48, 63, 64, 67, 72, 80]),
    input: [depth, size[0], size[1]],
    output: [depth, output[0], output[1]],
    padBegin: [0, pad[0], pad[1]],
    activation: random.pick(activations),
  });
}

interface Case {
  readonly attrs: ConvAttrs;
  readonly random: Random;
  readonly bias: boolean;
  readonly residual: boolean;
}

/** The greatest error, relative to the greatest magnitude. */
function errorOf(got: Float32Array, { values, magnitudes }: Reference): number {
  const scale = magnitudes.reduce((a, b) => Math.max(a, b), 1e-30);
  return got.reduce((worst, v, i) => {
    const error = Math.abs(v - values[i]) / scale;
    return error > worst || Number.isNaN(error) ? error : worst;
  }, 0);
}

function check(
  variant: Variant,
  lower: WasmPrim<'conv'>,
  bound: number,
  { attrs, random, bias, residual }: Case,
  constant = true,
  transposed = false,
): void {
  const { batch, channels, outChannels, input, output } = attrs;
  const size = batch * cells(output) * outChannels;
  const x = random.floats(batch * cells(input) * channels);
  const weight = random.floats(channels * outChannels * 9);
  const b = bias ? random.floats(outChannels) : null;
  const r = residual ? random.floats(size) : null;
  const inputs = [
    { data: x },
    { data: weight, constant },
    b === null ? null : { data: b, constant },
    r === null ? null : { data: r },
  ];
  const result = runPrim(variant, 'conv', inputs, [{ length: size }], attrs, lower);
  const error = errorOf(result!.arrays[0] as Float32Array, referenceConv(x, weight, b, r, attrs, transposed));
  if (!(error <= bound)) throw new Error(`error ${error} > ${bound}: ${JSON.stringify({ attrs, bias, residual })}`);
}

const moduleOf = (variant: Variant): WebAssembly.Module =>
  new WebAssembly.Module(
    readFileSync(fileURLToPath(new URL(`../../../build/kernels.${variant}-train.wasm`, import.meta.url))),
  );

/** One convolution with seeded numbers on a backend. */
function runOn(backend: WasmBackend, lower: WasmPrim<'conv'>, attrs: ConvAttrs): Float32Array {
  const { channels, outChannels, input, output } = attrs;
  const random = new Random(3);
  const place = (length: number): Tensor => new Tensor('float32', [length], 'row', backend.memory.allocate(length * 4));
  const [x, y] = [place(cells(input) * channels), place(cells(output) * outChannels)];
  x.array.set(random.floats(x.array.length));
  const data = random.floats(channels * outChannels * 9);
  const weight = new Tensor('float32', [data.length], 'row', new BorrowedStorage(data), true);
  const session = backend.session();
  const steps = lower({ prim: 'conv', inputs: [x, weight, null, null], outputs: [y], attrs }, session);
  if (steps instanceof Declined) throw new Error(steps.why);
  session.seal();
  for (const step of steps) step.run();
  const result = (y.array as Float32Array).slice();
  session.dispose();
  x.storage!.free();
  y.storage!.free();
  return result;
}

describe.each(variants)('%s', (variant) => {
  test.each([4, 2] as const)('F(%i), random shapes', (size) => {
    for (const seed of seeds(60)) {
      const random = new Random(seed);
      const attrs = randomAttrs(random);
      const coin = (): boolean => random.int(0, 1) === 0;
      const lower = transformed(size, random.pick([undefined, 1, 3]), random.pick([undefined, 1, 7, 12]));
      check(variant, lower, bounds[size], { attrs, random, bias: coin(), residual: coin() });
    }
  });

  test('transposed, and weights that change', () => {
    for (const seed of seeds(40)) {
      const random = new Random(seed);
      const transposed = random.int(0, 1) === 1;
      const input: [number, number, number] = [random.pick([1, 1, 3]), random.int(9, 20), random.int(9, 20)];
      const pad = [random.int(0, 2), random.int(0, 2)];
      const grown = input.slice(1).map((n, i) => (transposed ? n + 2 - 2 * pad[i] : n - 2 + 2 * pad[i]));
      const attrs = attrsOf({
        batch: random.int(1, 2),
        channels: random.pick([8, 11, 16, 33]),
        outChannels: random.pick([8, 13, 16, 40]),
        input,
        output: [input[0], grown[0], grown[1]],
        padBegin: [0, pad[0], pad[1]],
        activation: random.pick(activations),
      });
      const constant = transposed && random.int(0, 1) === 1;
      const found: string[] = [];
      const lower = (call: PrimCall<'conv'>, session: WasmSession) => {
        const steps = transposed
          ? convTranspose({ ...call, prim: 'convTranspose' } as unknown as PrimCall<'convTranspose'>, session)
          : conv(call, session);
        if (!(steps instanceof Declined)) found.push(...steps.map((step) => step.kernel));
        return steps;
      };
      check(
        variant,
        lower,
        bounds[4],
        { attrs, random, bias: true, residual: random.int(0, 1) === 1 },
        constant,
        transposed,
      );
      expect(found).toEqual(constant ? ['convWinograd'] : ['packWinograd', 'convWinograd']);
    }
  });

  const named: { readonly [name: string]: Partial<ConvAttrs> } = {
    'more panels than a unit takes': { channels: 8, outChannels: 600, input: [1, 5, 6], output: [1, 5, 6] },
    'several chunks of many channels': { channels: 200, outChannels: 72, input: [1, 30, 26], output: [1, 30, 26] },
    'nothing but padding in most tiles': { channels: 9, input: [1, 2, 2], output: [1, 20, 20], padBegin: [0, 9, 9] },
    'a row of pixels': { channels: 16, input: [1, 1, 70], output: [1, 1, 70] },
  };
  test.each(Object.entries(named))('%s', (_, changes) => {
    for (const size of [4, 2] as const) {
      check(variant, transformed(size), bounds[size], {
        attrs: attrsOf(changes),
        random: new Random(size),
        bias: true,
        residual: true,
      });
    }
  });

  test('the same bits whatever the units', () => {
    const attrs = attrsOf({ input: [1, 15, 15], output: [1, 15, 15], outChannels: 200 });
    const backend = backendOf(variant);
    const whole = runOn(backend, transformed(4), attrs);
    expect(runOn(backend, transformed(4, 7), attrs)).toEqual(whole);
  });

  const choices: readonly (readonly [string, Partial<ConvAttrs>])[] = [
    ['winograd4', {}],
    ['winograd4', { channels: 8, outChannels: 8 }],
    ['winograd2', { input: [1, 4, 4], output: [1, 4, 4] }],
    ['gemm', { channels: 512, outChannels: 512, input: [1, 2, 2], output: [1, 2, 2] }],
    ['gemm', { channels: 3 }],
    ['gemm', { outChannels: 7 }],
    ['gemm', { stride: [1, 2, 2], output: [1, 28, 28] }],
    ['gemm', { dilation: [1, 2, 2], padBegin: [0, 2, 2] }],
    ['gemm', { groups: 2 }],
    ['gemm', { kernel: [1, 1, 1], padBegin: [0, 0, 0] }],
    ['gemm', { kernel: [3, 3, 3], padBegin: [1, 1, 1] }],
    ['depthwise', { groups: 64 }],
  ];
  test('the table chooses', () => {
    const session = backendOf(variant).session();
    const exact = new WasmBackend(moduleOf(variant), variant, { prims: allPrims, precision: 'exact' }).session();
    const data = new Float32Array(1);
    const tensor = (constant: boolean) => new Tensor('float32', [1], 'row', new BorrowedStorage(data), constant);
    for (const [name, changes] of choices) {
      const attrs = attrsOf(changes);
      const call = (constant: boolean) =>
        ({ prim: 'conv', inputs: [tensor(false), tensor(constant), null, null], outputs: [], attrs }) as const;
      expect(chooseConv(call(true), session).taken.name, JSON.stringify(changes)).toBe(name);
      const plain = name.startsWith('winograd') ? 'gemm' : name;
      // Transforming the weights in each run costs more than it saves on a map of 4×4.
      const live = name === 'winograd2' ? 'gemm' : name;
      expect(chooseConv(call(false), session).taken.name, 'weights that change').toBe(live);
      expect(chooseConv(call(true), exact).taken.name, 'precision exact').toBe(plain);
    }
  });

  test("precision 'exact' is the GEMM's result, bit by bit", () => {
    const attrs = attrsOf({ input: [1, 9, 9], output: [1, 9, 9] });
    const exact = new WasmBackend(moduleOf(variant), variant, { prims: allPrims, precision: 'exact' });
    const expected = runOn(
      backendOf(variant),
      convBy(() => choiceOf(algorithm('gemm'))),
      attrs,
    );
    expect(runOn(exact, conv, attrs)).toEqual(expected);
    expect(runOn(backendOf(variant), conv, attrs)).not.toEqual(expected);
  });
});
