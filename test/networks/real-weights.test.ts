import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { product } from '../../src/common/numbers.ts';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { load } from '../../src/runtime/node.ts';
import { describeShared } from '../shared.ts';
import { argMax, assertClose, engines, largest } from './engines.ts';

/** Published networks with real weights against onnxruntime's outputs (../shared/assets/README.md has the sources). */

interface Slot {
  readonly name?: string;
  readonly key: string;
  readonly mean?: number | number[];
  readonly std?: number | number[];
}

interface Case {
  readonly model: string;
  readonly image: string;
  readonly input?: string;
  readonly mean?: number;
  readonly std?: number;
  readonly output?: string;
  readonly top5?: number[];
  readonly inputs?: Slot[];
  readonly outputs?: Slot[];
  readonly note?: string;
}

/** Networks with 8-bit weights or arithmetic are not for this test. */
const quantized = /_(qdq|qop|wq)\.onnx$/;

describeShared('real weights', (shared) => {
  const root = `${shared}assets/`;
  const { cases } = JSON.parse(readFileSync(`${root}expected.json`, 'utf8')) as { cases: Case[] };
  const tensors = readSafetensors(readFileSync(`${root}io-open.safetensors`));
  const get = (key: string) => tensors.get(key)!;

  /** (u8 − mean) / std, per channel of N,C,H,W. */
  function normalised({ key, mean = 0, std = 1 }: Slot) {
    const { data, shape } = get(key);
    const plane = product(shape.slice(2));
    const at = (value: number | number[], i: number): number =>
      Array.isArray(value) ? value[Math.floor(i / plane) % shape[1]] : value;
    return { data: Float32Array.from(data, (v, i) => (v - at(mean, i)) / at(std, i)), shape };
  }

  for (const { name: engine, options } of engines) {
    for (const c of cases.filter((one) => !quantized.test(one.model))) {
      test(`${engine}: ${c.model} on ${c.image}`, { timeout: 120_000 }, async () => {
        const model = await load(`${root}${c.model}`, options);
        try {
          const slots = c.inputs ?? [{ key: c.input!, mean: c.mean, std: c.std }];
          const entries = slots.map((slot, i) => [slot.name ?? model.inputs[i].name, normalised(slot)]);
          const results = await model.run(Object.fromEntries(entries));
          const [first] = Object.values(results);
          if (c.output !== undefined) {
            const expected = get(c.output).data;
            assertClose(c.output, first.data, expected, 0, 1e-3 * largest(expected));
            expect(argMax(first.data)).toBe(c.top5![0]);
          }
          for (const slot of c.outputs ?? []) compare(c, slot, results[slot.name!] ?? first, get(slot.key).data);
        } finally {
          model.dispose();
        }
      });
    }
  }
});

type Output = { readonly data: ArrayLike<number>; readonly shape: readonly number[] };

function compare(c: Case, slot: Slot, got: Output, expected: ArrayLike<number>): void {
  if (slot.name === 'argmax' || slot.name === 'max') {
    // Stored as the winner of each step of [1, steps, classes], and its probability.
    const classes = got.shape[2];
    const all = Array.from(got.data);
    const steps = Array.from({ length: got.shape[1] }, (_, i) => all.slice(i * classes, (i + 1) * classes));
    if (slot.name === 'argmax') expect(steps.map(argMax)).toEqual(Array.from(expected));
    else
      assertClose(
        slot.key,
        steps.map((step) => step[argMax(step)]),
        expected,
        1e-3,
        1e-4,
      );
  } else if (/argmax class map/.test(c.note ?? '')) {
    let differing = 0;
    for (let i = 0; i < expected.length; i++) if (got.data[i] !== expected[i]) differing++;
    expect(differing / expected.length).toBeLessThan(0.005);
  } else if (/round\(255\*p\)/.test(c.note ?? '')) {
    assertClose(
      slot.key,
      Array.from(got.data, (p) => 255 * p),
      expected,
      0,
      0.51 + 0.255,
    );
  } else {
    assertClose(slot.key, got.data, expected, 0, 1e-3 * largest(expected));
  }
}
