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
  type Sample,
  Subset,
  TensorDataset,
  type Transform,
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

async function epochs(loader: DataLoader, count: number): Promise<number[][][]> {
  const seen: number[][][] = [];
  while (seen.length < count) seen.push(indicesOf(await epoch(loader)));
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

  test('a loop that was left early is not gone on with', async () => {
    const make = () => new DataLoader(numbers, { batchSize: 3, shuffle: true, seed: 1, prefetch: 2 });
    const [, second, third] = [await epochs(make(), 3)].flat();
    const loader = make();
    await epoch(loader, 2);
    expect(loader.state).toEqual({ epoch: 0, batch: 2 });
    const { state } = loader;
    expect(indicesOf(await epoch(loader))).toEqual(second);
    expect(indicesOf(await epoch(loader))).toEqual(third);
    // Writing the state goes on from there, even where it is the one that the loader has.
    loader.state = state;
    expect(indicesOf(await epoch(loader))).toHaveLength(2);
    const again = make();
    await epoch(again, 2);
    again.state = { ...again.state };
    expect(indicesOf(await epoch(again))).toHaveLength(2);
    // Also where the loop's body wrote it, or ended by an exception.
    const inside = make();
    for await (const _ of inside) {
      inside.state = { epoch: 1, batch: 3 };
      break;
    }
    expect(indicesOf(await epoch(inside))).toEqual(second.slice(3));
    const thrown = make();
    const loop = async () => {
      for await (const _ of thrown) throw new Error('enough');
    };
    await expect(loop()).rejects.toThrow('enough');
    expect(indicesOf(await epoch(thrown))).toEqual(second);
  });

  test('batches() gives what a loop would, and leaves the loader where it is', async () => {
    const loader = new DataLoader(numbers, { batchSize: 3, shuffle: true });
    const seen: Batch[] = [];
    for await (const batch of loader.batches()) seen.push(batch);
    expect(loader.state).toEqual({ epoch: 0, batch: 0 });
    expect(indicesOf(await epoch(loader))).toEqual(indicesOf(seen));
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

  test('an exception of the data set names sample and data set', async () => {
    const cause = new Error('a bad label');
    class Faces implements Dataset {
      readonly length = 20;
      private readonly fail: (index: number) => never | Promise<never>;
      constructor(fail: (index: number) => never | Promise<never>) {
        this.fail = fail;
      }
      get(index: number): Sample | Promise<Sample> {
        const sample = { input: { shape: [1], data: Float32Array.of(index) }, target: 0 };
        return index === 17 ? this.fail(index) : sample;
      }
    }
    const thrower = () => {
      throw cause;
    };
    for (const fail of [thrower, () => Promise.reject(cause)]) {
      const faces = new Faces(fail);
      const failing: [Dataset, string][] = [
        [faces, 'DataLoader: sample 17 of Faces: a bad label'],
        [new Subset(faces, [3, 17]), 'DataLoader: sample 1 of Subset: sample 17 of Faces: a bad label'],
        [new TransformedDataset(faces), 'DataLoader: sample 17 of TransformedDataset: sample 17 of Faces: a bad label'],
        [{ length: 18, get: (i) => faces.get(i) }, 'DataLoader: sample 17 of the data set: a bad label'],
      ];
      for (const [dataset, message] of failing) {
        for (const batchSize of [1, 20])
          await expect(epoch(new DataLoader(dataset, { batchSize }))).rejects.toMatchObject({
            name: 'ConvletError',
            code: 'argument',
            message,
            cause,
          });
      }
    }
    const gone = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
    await expect(epoch(new DataLoader(new Faces(() => Promise.reject(gone))))).rejects.toMatchObject({
      code: 'environment',
      cause: gone,
    });
  });

  test('an exception of a transform names it', async () => {
    const picky: Transform = () => {
      throw new RangeError('too dark');
    };
    const broken = new TransformedDataset(numbers, normalize(0, 1), picky);
    await expect(epoch(new DataLoader(broken, { batchSize: 2 }))).rejects.toMatchObject({
      code: 'argument',
      message: 'DataLoader: sample 0 of TransformedDataset: transform 2 of 2: too dark',
    });
    const large = new TransformedDataset(numbers, randomCrop(9));
    await expect(epoch(new DataLoader(large))).rejects.toMatchObject({
      code: 'shape',
      message: expect.stringMatching(/^DataLoader: sample 0 of TransformedDataset: transform 1 of 1: randomCrop: 9×9/),
    });
  });

  test('what is no sample, and what collate throws', async () => {
    for (const wrong of [undefined, 3, {}, { input: Float32Array.of(1), target: 0 }, { input: numbers.get(0).input }]) {
      await expect(epoch(new DataLoader({ length: 1, get: () => wrong as never }))).rejects.toMatchObject({
        code: 'argument',
        message: expect.stringMatching(/^DataLoader: sample 0 of the data set: expects \{ input, target \}/),
      });
    }
    const collate = () => {
      throw new Error('no idea');
    };
    await expect(epoch(new DataLoader(numbers, { batchSize: 2, collate }))).rejects.toMatchObject({
      code: 'argument',
      message: 'DataLoader: collate of samples 0, 1: no idea',
    });
  });

  test('samples that the data set leaves out', async () => {
    /** Leaves out 1, and all of the third batch. */
    const holes: Dataset = {
      length: count,
      get: (i) => ([1, 4, 5].includes(i) ? null : i % 2 === 0 ? numbers.get(i) : Promise.resolve(numbers.get(i))),
    };
    const loader = new DataLoader(new TransformedDataset(new Subset(holes, [0, 1, 2, 3, 4, 5, 6, 7])), {
      batchSize: 2,
    });
    const batches = await epoch(loader);
    expect(indicesOf(batches)).toEqual([[0], [2, 3], [6, 7]]);
    expect(batches.map(({ number }) => number)).toEqual([0, 1, 3]);
    expect(batches[0].input.shape).toEqual([1, 1, 2, 2]);
    expect(loader.skipped).toEqual([1, 4, 5]);
    expect(loader.state).toEqual({ epoch: 1, batch: 0 });
    expect((await loader.load(0, 0)).indices).toEqual(Uint32Array.of(0));
    await expect(loader.load(0, 2)).rejects.toMatchObject({ code: 'argument' });
    // The last batch of an epoch too.
    const last = new DataLoader(new Subset(holes, [0, 1]));
    expect(indicesOf(await epoch(last))).toEqual([[0]]);
    expect(last.state).toEqual({ epoch: 1, batch: 0 });
    await expect(epoch(new DataLoader(new Subset(holes, [1, 4])))).rejects.toMatchObject({
      code: 'argument',
      message: 'DataLoader: all 2 samples were left out',
    });
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
