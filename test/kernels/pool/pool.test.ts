import { describe, expect, test } from 'vitest';
import type { PoolAttrs } from '../../../src/backend/prims/pool.ts';
import type { Triple } from '../../../src/backend/prims/window.ts';
import { pool } from '../../../src/backend/wasm/pool/pool.ts';
import { Random, runPrim, seeds, variants } from '../harness.ts';
import { compare } from '../spec.ts';

const triple = (f: () => number): Triple => [f(), f(), f()];

function randomCase(random: Random): PoolAttrs {
  const planar = random.int(0, 2) > 0;
  const first = (t: Triple, one: number): Triple => (planar ? [one, t[1], t[2]] : t);
  const input = first(
    triple(() => random.int(1, 9)),
    1,
  );
  const kernel = first(
    triple(() => random.int(1, 4)),
    1,
  );
  const stride = first(
    triple(() => random.int(1, 3)),
    1,
  );
  const dilation = first(
    triple(() => random.pick([1, 1, 2])),
    1,
  );
  const padBegin = first(
    triple(() => random.int(0, 2)),
    0,
  );
  const padEnd = first(
    triple(() => random.int(0, 2)),
    0,
  );
  const ceil = random.int(0, 1) === 1;
  const output = [0, 1, 2].map((i) => {
    const room = input[i] + padBegin[i] + padEnd[i] - (kernel[i] - 1) * dilation[i] - 1;
    return Math.max(1, (ceil ? Math.ceil(room / stride[i]) : Math.floor(room / stride[i])) + 1);
  }) as unknown as Triple;
  return {
    kind: random.pick(['max', 'average', 'lp'] as const),
    batch: random.int(1, 2),
    channels: random.pick([1, 2, 3, 4, 5, 15, 16, 17, 24, 40]),
    input,
    output,
    kernel,
    stride,
    dilation,
    padBegin,
    padEnd,
    countPad: random.int(0, 1) === 1,
    divisor: random.pick([0, 0, 3]),
    p: random.pick([1, 2]),
  };
}

const volume = ([d, h, w]: Triple): number => d * h * w;

describe.each(variants)('%s', (variant) => {
  test('maxima of 2×2 and 3×3, the windows that networks have', () => {
    for (const seed of seeds(500)) {
      const random = new Random(seed);
      const [height, width] = [random.int(1, 12), random.int(1, 12)];
      const side = random.int(2, 3);
      const stride = random.int(1, 2);
      const [padH, padW] = [random.int(0, side - 1), random.int(0, side - 1)];
      const extent = (n: number, pad: number) =>
        Math.max(1, Math.floor((n + pad + random.int(0, 2) - side) / stride) + 1);
      const channels = random.pick([1, 3, 4, 7, 16, 24, 64]);
      const output: Triple = [1, extent(height, padH), extent(width, padW)];
      const attrs: PoolAttrs = {
        ...{
          kind: 'max',
          batch: random.int(1, 2),
          channels,
          input: [1, height, width],
          output,
          kernel: [1, side, side],
        },
        ...{ stride: [1, stride, stride], dilation: [1, 1, 1], padBegin: [0, padH, padW], padEnd: [0, 2, 2] },
        ...{ countPad: false, divisor: 0, p: 2 },
      };
      const data = random.floats(attrs.batch * height * width * channels);
      // NaN, or infinities of both signs, whose sum is NaN.
      for (let i = random.int(0, 3); i > 0; i--) {
        data[random.int(0, data.length - 1)] = random.pick([NaN, Infinity, -Infinity]);
      }
      compare(variant, `seed ${seed}`, 'pool', [{ data }], attrs.batch * volume(output) * channels, attrs, [0, 0]);
    }
  });

  test('random windows', () => {
    for (const seed of seeds(500)) {
      const random = new Random(seed);
      const attrs = randomCase(random);
      const data = random.floats(attrs.batch * volume(attrs.input) * attrs.channels);
      if (random.int(0, 3) === 0) data[random.int(0, data.length - 1)] = random.pick([NaN, Infinity, -Infinity]);
      const length = attrs.batch * volume(attrs.output) * attrs.channels;
      compare(variant, `seed ${seed}`, 'pool', [{ data }], length, attrs, [1e-6, 1e-6]);
    }
  });

  test('random adaptive windows', () => {
    for (const seed of seeds(200)) {
      const random = new Random(seed);
      const attrs = {
        kind: random.pick(['max', 'average'] as const),
        batch: random.int(1, 2),
        channels: random.pick([1, 3, 4, 16, 23]),
        input: triple(() => random.int(1, 9)),
        output: triple(() => random.int(1, 9)),
      };
      const data = random.floats(attrs.batch * volume(attrs.input) * attrs.channels);
      const length = attrs.batch * volume(attrs.output) * attrs.channels;
      compare(variant, `seed ${seed}`, 'adaptivePool', [{ data }], length, attrs, [1e-6, 1e-6]);
    }
  });

  test('indices and other powers are left to JavaScript', () => {
    const attrs = { ...randomCase(new Random(1)), kind: 'lp', p: 3 } as const;
    const data = new Float32Array(attrs.batch * volume(attrs.input) * attrs.channels);
    const length = attrs.batch * volume(attrs.output) * attrs.channels;
    expect(runPrim(variant, 'pool', [{ data }], [{ length }], attrs, pool)).toBeNull();
    const outputs = [{ length }, { length, dtype: 'int64' as const }];
    expect(runPrim(variant, 'pool', [{ data }], outputs, { ...attrs, kind: 'max' }, pool)).toBeNull();
  });
});
