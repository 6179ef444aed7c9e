import { describe, expect, test } from 'vitest';
import { Generator } from '../../src/common/random.ts';
import {
  type Batch,
  DataLoader,
  type Dataset,
  normalize,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
  TensorDataset,
  TransformedDataset,
} from '../../src/data/index.ts';

const count = 10;
const numbers = new TensorDataset(
  { shape: [count, 1, 2, 2], data: Float32Array.from({ length: count * 4 }, (_, i) => i) },
  Array.from({ length: count }, (_, i) => i % 3),
);

async function epoch(loader: DataLoader, batches = Number.POSITIVE_INFINITY): Promise<Batch[]> {
  const seen: Batch[] = [];
  for await (const batch of loader) {
    seen.push(batch);
    if (seen.length === batches) break;
  }
  return seen;
}

const indicesOf = (batches: readonly Batch[]): number[][] => batches.map(({ indices }) => [...indices]);

describe('DataLoader', () => {
  test('batches in order, a smaller one at the end or left out', async () => {
    const loader = new DataLoader(numbers, { batchSize: 4 });
    const batches = await epoch(loader);
    expect(indicesOf(batches)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(batches.map(({ number }) => number)).toEqual([0, 1, 2]);
    expect(batches[2].input.shape).toEqual([2, 1, 2, 2]);
    expect(batches[2].input.data).toEqual(Float32Array.of(32, 33, 34, 35, 36, 37, 38, 39));
    expect([batches[0].target.dtype, ...batches[0].target.data]).toEqual(['int64', 0, 1, 2, 0]);
    const whole = new DataLoader(numbers, { batchSize: 4, dropLast: true });
    expect([whole.length, (await epoch(whole)).length]).toEqual([2, 2]);
  });

  test('a shuffle is another one in each epoch, and the same for the same seed', async () => {
    const make = (seed: number) => new DataLoader(numbers, { batchSize: 3, shuffle: true, seed });
    const loader = make(1);
    const [first, second] = [indicesOf(await epoch(loader)), indicesOf(await epoch(loader))];
    expect(first.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(first).not.toEqual(second);
    expect(indicesOf(await epoch(make(1)))).toEqual(first);
    expect(indicesOf(await epoch(make(2)))).not.toEqual(first);
  });

  test('going on from a state sees what an uninterrupted run sees, augmentation included', async () => {
    const augmented = new TransformedDataset(numbers, randomCrop(2, { padding: 1 }), randomHorizontalFlip());
    const options = { batchSize: 3, shuffle: true, seed: 5 };
    const loader = new DataLoader(augmented, options);
    const all = [await epoch(loader), await epoch(loader)].flat().map((batch) => [...batch.input.data]);
    expect(new Set(all.map(String)).size).toBe(8);
    for (let stop = 0; stop <= 8; stop++) {
      const before = new DataLoader(augmented, { ...options, prefetch: 2 });
      for (let left = stop; left > 0; left -= 4) await epoch(before, Math.min(left, 4));
      const after = new DataLoader(augmented, options);
      after.state = JSON.parse(JSON.stringify(before.state));
      const rest: Batch[] = [];
      while (after.state.epoch < 2) rest.push(...(await epoch(after)));
      expect(rest.map((batch) => [...batch.input.data])).toEqual(all.slice(stop));
    }
  });

  test('prefetch prepares batches while one is used, and no more than asked for', async () => {
    const begun: number[] = [];
    const slow: Dataset = {
      length: 8,
      get: async (i) => {
        begun.push(i);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return { input: { shape: [1], data: Float32Array.of(i) }, target: 0 };
      },
    };
    const seen = async (prefetch: number): Promise<number[]> => {
      begun.length = 0;
      const counts: number[] = [];
      for await (const _ of new DataLoader(slow, { batchSize: 2, prefetch })) counts.push(begun.length);
      return counts;
    };
    expect(await seen(0)).toEqual([2, 4, 6, 8]);
    expect(await seen(1)).toEqual([4, 6, 8, 8]);
    expect(await seen(3)).toEqual([8, 8, 8, 8]);
  });

  test('an error of the data set reaches the loop, and the batches before it are good', async () => {
    const broken: Dataset = {
      length: 4,
      get: (i) => {
        if (i === 2) throw new Error('sample 2');
        return { input: { shape: [1], data: Float32Array.of(i) }, target: 0 };
      },
    };
    const loader = new DataLoader(broken, { prefetch: 2 });
    const seen: number[] = [];
    const loop = async () => {
      for await (const { number } of loader) seen.push(number);
    };
    await expect(loop()).rejects.toThrow('sample 2');
    expect(seen).toEqual([0, 1]);
  });

  test('wrong samples and options', async () => {
    const ragged: Dataset = {
      length: 2,
      get: (i) => ({ input: { shape: [1 + i], data: new Float32Array(1 + i) }, target: 0 }),
    };
    await expect(epoch(new DataLoader(ragged, { batchSize: 2 }))).rejects.toMatchObject({
      code: 'shape',
      message: expect.stringContaining('input of sample 1 expects shape [1] as sample 0 of its batch, got [2]'),
    });
    for (const target of [-1, 1.5, Number.NaN, 2 ** 31]) {
      const bad: Dataset = { length: 1, get: () => ({ input: { shape: [1], data: new Float32Array(1) }, target }) };
      await expect(epoch(new DataLoader(bad))).rejects.toMatchObject({ code: 'index-range' });
    }
    expect(() => new DataLoader(numbers, { batchSize: 0 })).toThrow(/batchSize expects a whole number ≥ 1, got 0/);
    expect(() => new DataLoader(numbers, { prefetch: -1 })).toThrow(/prefetch expects/);
    expect(() => new DataLoader(numbers, { batchSize: 11, dropLast: true })).toThrow(/10 samples make no batch of 11/);
    expect(() => {
      new DataLoader(numbers).state = { epoch: 0, batch: 11 };
    }).toThrow(/a batch in 0 … 10, got 0, 11/);
  });
});

describe('transforms', () => {
  const picture = { shape: [1, 2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  /** All outcomes of a random transform. */
  const outcomes = (transform: (random: Generator) => ArrayLike<number>): Set<string> => {
    const random = new Generator(1);
    return new Set(Array.from({ length: 400 }, () => String(Array.from(transform(random)))));
  };

  test('normalize', () => {
    const two = { shape: [2, 1, 2], data: Float32Array.of(1, 2, 3, 4) };
    expect(normalize([1, 2], [2, 4])(two, new Generator()).data).toEqual(Float32Array.of(0, 0.5, 0.25, 0.5));
    expect(normalize(1, 2)(two, new Generator()).data).toEqual(Float32Array.of(0, 0.5, 1, 1.5));
    expect(() => normalize([1], 1)(two, new Generator())).toThrow(/2 channels expect as many values of mean, got 1/);
  });

  test('randomHorizontalFlip: both outcomes, and only by its probability', () => {
    expect(outcomes((random) => randomHorizontalFlip()(picture, random).data)).toEqual(
      new Set(['1,2,3,4,5,6', '3,2,1,6,5,4']),
    );
    expect(outcomes((random) => randomHorizontalFlip(0)(picture, random).data).size).toBe(1);
    expect([...picture.data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('randomCrop: all places, padded with zeros or mirrored', () => {
    const crops = outcomes((random) => randomCrop([2, 3], { padding: 1 })(picture, random).data);
    expect(crops.size).toBe(9);
    for (const crop of ['1,2,3,4,5,6', '0,0,0,0,1,2', '5,6,0,0,0,0', '4,5,6,0,0,0']) expect(crops).toContain(crop);
    const mirrored = outcomes((random) => randomCrop([2, 3], { padding: 1, mode: 'reflect' })(picture, random).data);
    expect(mirrored).toContain('5,4,5,2,1,2');
    expect(outcomes((random) => randomCrop(1)(picture, random).data).size).toBe(6);
    expect(() => randomCrop(3)(picture, new Generator())).toThrow(/3×3 pixels do not fit into 2×3/);
    expect(() => randomCrop(2)({ shape: [4], data: new Float32Array(4) }, new Generator())).toThrow(
      /picture \[C,H,W\]/,
    );
  });

  test('randomErasing: a square that may lie over the edge', () => {
    const erased = outcomes((random) => randomErasing(1, { value: 9 })(picture, random).data);
    expect(erased).toEqual(new Set([0, 1, 2, 3, 4, 5].map((i) => String([1, 2, 3, 4, 5, 6].with(i, 9)))));
    const large = outcomes((random) => randomErasing(2)(picture, random).data);
    expect(large).toContain('0,2,3,4,5,6');
    expect(large).toContain('0,0,3,0,0,6');
  });
});
