import { describe, expect, test } from 'vitest';
import type { ConvAttrs } from '../../../src/backend/prims/conv.ts';
import type { Activation } from '../../../src/backend/prims/elementwise.ts';
import { conv, convAlgorithms, convBy } from '../../../src/backend/wasm/conv/conv.ts';
import { only } from '../../../src/backend/wasm/core/algorithm.ts';
import { Declined } from '../../../src/backend/wasm/core/prim.ts';
import { Random, runPrim, seeds, variants } from '../harness.ts';
import { referenceConv } from '../reference.ts';

/**
 * Error allowed, relative to the greatest Σ|x||w| + |bias| + |residual| of a case. Over 1000 random cases the greatest error was 8.3e-7;
 * that of a direct convolution is 2.1e-7.
 */
const bound = 2e-6;

const rowwise = convBy(() => only(convAlgorithms.find(({ name }) => name === 'winogradRow')!));
const activations: readonly (Activation | null)[] = [
  null,
  { kind: 'relu', alpha: 0, beta: 0 },
  { kind: 'clip', alpha: 0, beta: 6 },
  { kind: 'silu', alpha: 0, beta: 0 },
];

function randomAttrs(random: Random): ConvAttrs {
  const kernel = random.pick([1, 2, 3, 5, 7]);
  const stride = random.pick([1, 2, 3]);
  const pad = [random.int(0, kernel - 1), random.int(0, 6)];
  const input = [random.int(kernel, 24), random.int(7, 50)];
  const sides = [random.int(0, 2), random.int(0, 3)];
  const height = Math.floor((input[0] + pad[0] + sides[0] - kernel) / stride) + 1;
  const width = Math.floor((input[1] + pad[1] + sides[1] - 7) / 2) + 1;
  return {
    batch: random.int(1, 3),
    channels: random.pick([1, 2, 3, 4, 5, 7, 8, 13]),
    outChannels: random.pick([1, 3, 4, 7, 8, 10, 13, 24, 31]),
    groups: 1,
    input: [1, input[0], input[1]],
    output: [1, height, width],
    kernel: [1, kernel, 7],
    stride: [1, stride, 2],
    dilation: [1, 1, 1],
    padBegin: [0, pad[0], pad[1]],
    activation: random.pick(activations),
  };
}

const cells = (t: readonly number[]): number => t[0] * t[1] * t[2];

describe.each(variants)('%s', (variant) => {
  test('seven taps at stride 2, random shapes', () => {
    for (const seed of seeds(80)) {
      const random = new Random(seed);
      const attrs = randomAttrs(random);
      const { batch, channels, outChannels, input, output, kernel } = attrs;
      const length = batch * cells(output) * outChannels;
      const x = random.floats(batch * cells(input) * channels);
      const weight = random.floats(channels * outChannels * cells(kernel));
      const bias = random.pick([null, random.floats(outChannels)]);
      const residual = random.pick([null, random.floats(length)]);
      const inputs = [
        { data: x },
        { data: weight, constant: true },
        bias && { data: bias, constant: true },
        residual && { data: residual },
      ];
      const got = runPrim(variant, 'conv', inputs, [{ length }], attrs, rowwise)!.arrays[0] as Float32Array;
      const { values, magnitudes } = referenceConv(x, weight, bias, residual, attrs, false);
      const scale = magnitudes.reduce((a, b) => Math.max(a, b), 1e-30);
      got.forEach((v, i) => {
        const error = Math.abs(v - values[i]) / scale;
        if (!(error <= bound)) {
          const rest = { bias: bias !== null, residual: residual !== null };
          throw new Error(
            `seed ${seed}, element ${i}: error ${error} > ${bound}: ${JSON.stringify({ attrs, ...rest })}`,
          );
        }
      });
    }
  });

  test('the first layer of ResNet takes it, live weights and other strides do not', () => {
    const attrs: ConvAttrs = {
      batch: 1,
      channels: 3,
      outChannels: 64,
      groups: 1,
      input: [1, 64, 64],
      output: [1, 32, 32],
      kernel: [1, 7, 7],
      stride: [1, 2, 2],
      dilation: [1, 1, 1],
      padBegin: [0, 3, 3],
      activation: null,
    };
    const kernels = (changes: Partial<ConvAttrs>, constant = true): readonly string[] => {
      const all = { ...attrs, ...changes };
      const weight = new Float32Array(64 * 3 * cells(all.kernel));
      const found: string[] = [];
      const inputs = [{ data: new Float32Array(3 * 4096) }, { data: weight, constant }, null, null];
      runPrim(variant, 'conv', inputs, [{ length: 64 * cells(all.output) }], all, (call, session) => {
        const steps = conv(call, session);
        if (!(steps instanceof Declined)) found.push(...steps.map(({ kernel }) => kernel));
        return steps;
      });
      return found;
    };
    expect(kernels({})).toEqual(['convWinogradRow']);
    expect(kernels({}, false)).toEqual(['packPanels', 'conv']);
    expect(kernels({ stride: [1, 2, 1], output: [1, 32, 64] })).toEqual(['conv']);
    expect(kernels({ kernel: [1, 5, 5], padBegin: [0, 2, 2] })).toEqual(['conv']);
  });
});
