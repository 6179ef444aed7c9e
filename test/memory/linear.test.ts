import { describe, expect, test } from 'vitest';
import { ConvletError } from '../../src/common/error.ts';
import { alignment, LinearMemory } from '../../src/memory/linear.ts';
import type { Storage } from '../../src/memory/storage.ts';
import { Random, seeds } from '../kernels/harness.ts';

const base = 1000;
const overRead = 256;
const make = (limit?: number): LinearMemory =>
  new LinearMemory(new WebAssembly.Memory({ initial: 1, maximum: 2000 }), base, limit);

interface Block {
  readonly storage: Storage;
  readonly tag: number;
}

/** Allocates and frees in an order of the seed, and checks after every step; returns the addresses in their order. */
function churn(memory: LinearMemory, seed: number): number[] {
  const random = new Random(seed);
  const live: Block[] = [];
  const addresses: number[] = [];
  const rounded = (length: number): number => Math.max(Math.ceil(length / alignment), 1) * alignment;
  const free = (at: number): void => {
    const [{ storage, tag }] = live.splice(at, 1);
    const strayed = new Uint8Array(storage.buffer(), storage.byteOffset, storage.byteLength).findIndex(
      (v) => v !== tag,
    );
    expect(strayed, `a byte of the block at ${storage.byteOffset} that somebody else wrote`).toBe(-1);
    storage.free();
  };
  let peak = memory.peakBytes;
  for (let step = 0; step < 300; step++) {
    if (live.length > 0 && random.next() < 0.45) free(random.int(0, live.length - 1));
    else {
      const length = random.pick([0, 1, 63, 64, 65, random.int(1, 500), random.int(1, 20_000), random.int(1, 150_000)]);
      const storage = memory.allocate(length);
      const tag = 1 + (step % 255);
      new Uint8Array(storage.buffer(), storage.byteOffset, length).fill(tag);
      live.push({ storage, tag });
      addresses.push(storage.byteOffset);
      expect(storage.byteLength).toBe(length);
      expect(storage.byteOffset % alignment).toBe(0);
      expect(storage.byteOffset).toBeGreaterThanOrEqual(base);
      expect(storage.byteOffset + rounded(length) + overRead).toBeLessThanOrEqual(memory.memory.buffer.byteLength);
    }
    const sum = live.reduce((total, { storage }) => total + rounded(storage.byteLength), 0);
    peak = Math.max(peak, sum);
    expect([memory.liveBytes, memory.peakBytes]).toEqual([sum, peak]);
  }
  while (live.length > 0) free(random.int(0, live.length - 1));
  return addresses;
}

describe('LinearMemory', () => {
  test.each(seeds(20))('blocks never overlap, and nothing is left in pieces (CONVLET_SEED=%i)', (seed) => {
    const memory = make();
    const first = churn(memory, seed);
    const size = memory.memory.buffer.byteLength;
    expect(memory.liveBytes).toBe(0);
    // All in one piece again: the whole memory is one block, from the start on.
    const start = Math.min(...first);
    const whole = memory.allocate(size - start - overRead - alignment);
    expect([whole.byteOffset, memory.memory.buffer.byteLength]).toEqual([start, size]);
    whole.free();
    // The same again: the same places, and no page more.
    expect(churn(memory, seed)).toEqual(first);
    expect(memory.memory.buffer.byteLength).toBe(size);
  });

  test('a block goes into the smallest gap that takes it, and what is left of the gap stays free', () => {
    const memory = make();
    const of = (...lengths: number[]): Storage[] => lengths.map((length) => memory.allocate(length));
    const [large, , small, , exact, last] = of(1024, 64, 256, 64, 128, 64);
    for (const gap of [large, small, exact]) gap.free();
    const [a, b, c, d] = of(128, 192, 64, 1024);
    expect(a.byteOffset).toBe(exact.byteOffset);
    expect(b.byteOffset).toBe(small.byteOffset);
    expect(c.byteOffset).toBe(small.byteOffset + 192);
    expect(d.byteOffset).toBe(large.byteOffset);
    expect(memory.allocate(1).byteOffset).toBe(last.byteOffset + 64);
  });

  test('the limit counts what is live, to the byte; a refusal changes nothing', () => {
    const memory = make(1024);
    const half = memory.allocate(512);
    expect(() => memory.allocate(513)).toThrow(ConvletError);
    expect([memory.liveBytes, memory.peakBytes]).toEqual([512, 512]);
    const rest = memory.allocate(512);
    expect(() => memory.allocate(1)).toThrow(/1024/);
    half.free();
    half.free();
    expect(memory.liveBytes).toBe(512);
    expect(memory.allocate(512).byteOffset).toBe(half.byteOffset);
    expect(() => half.buffer()).toThrow(/disposed/);
    expect(rest.buffer()).toBe(memory.memory.buffer);
  });

  test('where a quarter more is not to be had, what is needed is; where that is not, the error says so', () => {
    const memory = new LinearMemory(new WebAssembly.Memory({ initial: 8, maximum: 9 }), 64);
    const first = memory.allocate(8 * 65536 - 64 - overRead);
    expect(memory.memory.buffer.byteLength).toBe(8 * 65536);
    memory.allocate(64);
    expect(memory.memory.buffer.byteLength).toBe(9 * 65536);
    const live = memory.liveBytes;
    expect(() => memory.allocate(70_000)).toThrow(/cannot grow/);
    expect(memory.liveBytes).toBe(live);
    first.free();
    expect(memory.allocate(70_000).byteOffset).toBe(first.byteOffset);
  });

  test('it grows by a quarter, so that a model that loads does not grow page by page', () => {
    const memory = new LinearMemory(new WebAssembly.Memory({ initial: 100, maximum: 1000 }), 64);
    memory.allocate(100 * 65536);
    expect(memory.memory.buffer.byteLength).toBe(125 * 65536);
  });
});
