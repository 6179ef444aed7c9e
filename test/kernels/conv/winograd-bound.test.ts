// The bound that docs/api.md states for Winograd's algorithm: the transforms mix the pixels of a tile, so that errors are in proportion
// to the greatest pixel of the tile, and values that are not finite spread over the tile.
import { describe, expect, test } from 'vitest';
import type { ConvAttrs } from '../../../src/backend/prims/conv.ts';
import { convAlgorithms, convBy } from '../../../src/backend/wasm/conv/conv.ts';
import { only } from '../../../src/backend/wasm/core/algorithm.ts';
import { Random, runPrim, seeds, variants } from '../harness.ts';
import { referenceConv } from '../reference.ts';

interface Algorithm {
  readonly name: string;
  /** Output pixels of a tile, along H and W. */
  readonly tile: readonly [number, number];
  readonly kernel: readonly [number, number, number];
  readonly stride: readonly [number, number, number];
}

const algorithms: readonly Algorithm[] = [
  { name: 'winograd4', tile: [4, 4], kernel: [1, 3, 3], stride: [1, 1, 1] },
  { name: 'winograd2', tile: [2, 2], kernel: [1, 3, 3], stride: [1, 1, 1] },
  { name: 'winogradRow', tile: [1, 4], kernel: [1, 7, 7], stride: [1, 2, 2] },
];

/** Relative to Σ over channels of the greatest pixel of the tile × the sum of the kernel's magnitudes. The greatest found is 1.2e-7. */
const bound = 5e-7;

function attrsOf({ kernel, stride, name }: Algorithm, random: Random): ConvAttrs {
  const input = [random.int(14, 30), random.int(14, 30)];
  const pad = random.int(0, kernel[1] >> 1);
  const output = input.map((n) => Math.floor((n + 2 * pad - kernel[1]) / stride[1]) + 1);
  return {
    batch: 1,
    channels: name === 'winogradRow' ? random.int(1, 4) : random.pick([8, 17, 32]),
    outChannels: random.pick([8, 16, 24]),
    groups: 1,
    input: [1, input[0], input[1]],
    output: [1, output[0], output[1]],
    kernel: [...kernel],
    stride: [...stride],
    dilation: [1, 1, 1],
    padBegin: [0, pad, pad],
    activation: null,
  };
}

function run(
  variant: (typeof variants)[number],
  name: string,
  x: Float32Array,
  weight: Float32Array,
  attrs: ConvAttrs,
) {
  const length = attrs.output[1] * attrs.output[2] * attrs.outChannels;
  const lower = convBy(() => only(convAlgorithms.find((row) => row.name === name)!));
  const inputs = [{ data: x }, { data: weight, constant: true }, null, null];
  return runPrim(variant, 'conv', inputs, [{ length }], attrs, lower)!.arrays[0] as Float32Array;
}

/** Indices of the input pixels that the tile of an output pixel reads. */
function pixelsOf(
  { input, kernel, stride, padBegin }: ConvAttrs,
  tile: readonly [number, number],
  oy: number,
  ox: number,
) {
  const range = (axis: 1 | 2, at: number): number[] => {
    const size = tile[axis - 1];
    const first = (at - (at % size)) * stride[axis] - padBegin[axis];
    const count = (size - 1) * stride[axis] + kernel[axis];
    return Array.from({ length: count }, (_, i) => first + i).filter((i) => i >= 0 && i < input[axis]);
  };
  const columns = range(2, ox);
  return range(1, oy).flatMap((y) => columns.map((x) => y * input[2] + x));
}

function eachOutput(
  { output, outChannels }: ConvAttrs,
  f: (at: number, oy: number, ox: number, o: number) => void,
): void {
  for (let at = 0; at < output[1] * output[2] * outChannels; at++) {
    const pixel = Math.floor(at / outChannels);
    f(at, Math.floor(pixel / output[2]), pixel % output[2], at % outChannels);
  }
}

describe.each(variants)('%s', (variant) => {
  test.each(algorithms)('$name: the error is within 5e-7 of the greatest pixels of the tile', (algorithm) => {
    let mixes = false;
    for (const seed of seeds(12)) {
      const random = new Random(seed);
      const attrs = attrsOf(algorithm, random);
      const { channels, outChannels, input, kernel } = attrs;
      const taps = kernel[1] * kernel[2];
      // Magnitudes from 1e-4 to 1e4 side by side.
      const wide = (length: number): Float32Array => random.floats(length).map((v) => v * 10 ** random.int(-4, 4));
      const x = wide(input[1] * input[2] * channels);
      const weight = random.floats(outChannels * channels * taps);
      const got = run(variant, algorithm.name, x, weight, attrs);
      const { values, magnitudes } = referenceConv(x, weight, null, null, attrs, false);
      eachOutput(attrs, (at, oy, ox, o) => {
        const pixels = pixelsOf(attrs, algorithm.tile, oy, ox);
        let scale = 0;
        for (let c = 0; c < channels; c++) {
          const largest = pixels.reduce((most, pixel) => Math.max(most, Math.abs(x[pixel * channels + c])), 0);
          const start = (o * channels + c) * taps;
          scale += largest * weight.subarray(start, start + taps).reduce((sum, v) => sum + Math.abs(v), 0);
        }
        const error = Math.abs(got[at] - values[at]);
        if (!(error <= bound * scale))
          throw new Error(`seed ${seed}, output ${at}: error ${error} > ${bound} × ${scale}: ${JSON.stringify(attrs)}`);
        mixes ||= error > bound * magnitudes[at];
      });
    }
    // Without a case that mixes, docs/api.md could state a stronger bound.
    expect(mixes).toBe(true);
  });

  test.each(algorithms)('$name: what is not finite makes NaN or infinity of its tiles alone', (algorithm) => {
    for (const seed of seeds(12)) {
      const random = new Random(seed);
      const attrs = attrsOf(algorithm, random);
      const { channels, outChannels, input, kernel } = attrs;
      const x = random.floats(input[1] * input[2] * channels);
      const weight = random.floats(outChannels * channels * kernel[1] * kernel[2]);
      const clean = run(variant, algorithm.name, x, weight, attrs);
      const bad = random.int(0, input[1] * input[2] - 1);
      x[bad * channels + random.int(0, channels - 1)] = random.pick([Number.NaN, Infinity, -Infinity]);
      const got = run(variant, algorithm.name, x, weight, attrs);
      const { values } = referenceConv(x, weight, null, null, attrs, false);
      eachOutput(attrs, (at, oy, ox) => {
        const what = `seed ${seed}, output ${at}: ${JSON.stringify(attrs)}`;
        if (!pixelsOf(attrs, algorithm.tile, oy, ox).includes(bad)) expect(got[at], what).toBe(clean[at]);
        else if (!Number.isFinite(values[at])) expect(Number.isFinite(got[at]), what).toBe(false);
      });
    }
  });
});
