import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { useFiles } from '../../src/common/files.ts';
import { CIFAR10, MNIST, readIdx, Subset, slice, split, TensorDataset } from '../../src/data/index.ts';
import { nodeFiles } from '../../src/runtime/node-files.ts';
import { describeShared } from '../shared.ts';
import { idx, MemoryFiles } from './files.ts';

const pixels = Uint8Array.from({ length: 3 * 2 * 2 }, (_, i) => i * 20);
const images = idx([3, 2, 2], pixels);
const labels = idx([3], [7, 0, 9]);

/** A gzip file of zeros that unpacks to far more than it says. */
const bomb = (head: Uint8Array, bytes: number): Uint8Array => gzipSync(Buffer.concat([head, Buffer.alloc(bytes)]));

describe('MNIST', () => {
  test('plain and gzip files', async () => {
    for (const pack of [(bytes: Uint8Array) => bytes, (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))]) {
      const digits = await MNIST.read(pack(images), pack(labels));
      expect(digits.length).toBe(3);
      expect(digits.get(2)).toEqual({
        input: { shape: [1, 2, 2], data: Float32Array.from([160 / 255, 180 / 255, 200 / 255, 220 / 255]) },
        target: 9,
      });
      expect(() => digits.get(3)).toThrow(/index in 0 … 2, got 3/);
    }
  });

  const bad: [string, Uint8Array, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), labels, /^a: expects a header of 16 bytes, got 0 bytes$/],
    ['a cut header', images.subarray(0, 10), labels, /^a: expects a header of 16 bytes, got 10 bytes$/],
    ['a cut file', images.subarray(0, 20), labels, /^a: expects 28 bytes, got 20$/],
    ['too many bytes', idx([2, 2, 2], pixels), labels, /^a: expects 24 bytes, got 28$/],
    ['another magic number', idx([20], new Uint8Array(20)), labels, /magic number 0x00000803 \(IDX\), got 0x00000801$/],
    ['a huge claim', idx([0xffffffff, 0xffff, 0xffff], []), labels, /^a: claims shape .* more than 2147483648 bytes$/],
    [
      'a cut gzip file',
      gzipSync(images).subarray(0, 20),
      labels,
      /^a: its gzip data \(20 bytes\) is truncated or damaged/,
    ],
    [
      'a damaged gzip file',
      gzipSync(images).fill(0x55, 12, 20),
      labels,
      /^a: its gzip data .* is truncated or damaged/,
    ],
    ['a gzip file with more', bomb(images, 1e6), labels, /^a: expects 28 bytes when unpacked, got more$/],
    ['other counts', images, idx([2], [1, 2]), /expects images \[N,H,W\] and labels \[N\], got \[3,2,2\] and \[2\]$/],
    ['a label out of range', images, idx([3], [1, 10, 3]), /label 1 expects a class in 0 … 9, got 10$/],
  ];
  test.each(bad)('%s', async (_, first, second, message) => {
    const attempt = MNIST.read(new Uint8Array(first), second, { names: ['a', 'b'] });
    await expect(attempt).rejects.toMatchObject({
      name: 'ConvletError',
      code: 'malformed',
      message: expect.stringMatching(message),
    });
  });

  test('every cut of a gzip file is told', async () => {
    const packed = new Uint8Array(gzipSync(images));
    for (let length = 0; length < packed.length; length++)
      await expect(readIdx(packed.subarray(0, length), 'a', 3)).rejects.toMatchObject({ code: 'malformed' });
  });

  test('a directory: plain files first, then .gz; missing ones are named', async () => {
    const files = new MemoryFiles();
    useFiles(files);
    files.content.set('d/t10k-images-idx3-ubyte.gz', gzipSync(images));
    await expect(MNIST.open('d', { part: 't10k' })).rejects.toMatchObject({
      code: 'environment',
      message: "MNIST: there is no file 'd/t10k-labels-idx1-ubyte' or 'd/t10k-labels-idx1-ubyte.gz'",
    });
    files.content.set('d/t10k-labels-idx1-ubyte', labels);
    expect((await MNIST.open('d', { part: 't10k' })).length).toBe(3);
    files.content.set('d/t10k-labels-idx1-ubyte', labels.subarray(0, 9));
    await expect(MNIST.open('d', { part: 't10k' })).rejects.toThrow(
      'd/t10k-labels-idx1-ubyte: expects 11 bytes, got 9',
    );
  });
});

describe('CIFAR-10', () => {
  const record = (label: number, value: number): Uint8Array => new Uint8Array(3073).fill(value, 1).fill(label, 0, 1);
  const batch = (...records: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(records));

  test('several files are one set', async () => {
    const set = await CIFAR10.read([
      { name: 'a', bytes: batch(record(3, 51), record(4, 102)) },
      { name: 'b', bytes: new Uint8Array(gzipSync(record(9, 255))) },
    ]);
    expect(set.length).toBe(3);
    expect([0, 1, 2].map((i) => set.get(i).target)).toEqual([3, 4, 9]);
    expect([0, 1, 2].map((i) => set.get(i).input.data[3071])).toEqual([51, 102, 255].map((v) => Math.fround(v / 255)));
    expect(set.get(2).input.shape).toEqual([3, 32, 32]);
    expect(set.classes[9]).toBe('truck');
  });

  test.each([
    ['an empty file', batch(), /^a: expects records of 3073 bytes, got 0 bytes/],
    ['a cut file', batch(record(1, 1), record(2, 2)).subarray(0, 4000), /got 4000 bytes: 1 records and 927 bytes$/],
    ['a label out of range', batch(record(1, 1), record(10, 2)), /label of record 1 \(byte 3073\) .* got 10$/],
  ])('%s', async (_, bytes, message) => {
    for (const given of [bytes, new Uint8Array(gzipSync(bytes))])
      await expect(CIFAR10.read([{ name: 'a', bytes: given }])).rejects.toMatchObject({
        code: 'malformed',
        message: expect.stringMatching(message),
      });
  });

  test('other parts than there are', async () => {
    useFiles(new MemoryFiles());
    await expect(CIFAR10.open('d', { part: 'all' as 'train' })).rejects.toMatchObject({ code: 'argument' });
    await expect(CIFAR10.open('d')).rejects.toThrow("there is no file 'd/data_batch_1.bin' or 'd/data_batch_1.bin.gz'");
  });
});

describeShared('published files', (shared) => {
  beforeAll(() => useFiles(nodeFiles));

  test('MNIST', async () => {
    const digits = await MNIST.open(`${shared}assets/datasets/mnist`, { part: 't10k' });
    expect(digits.length).toBe(10_000);
    expect(Array.from({ length: 10 }, (_, i) => digits.get(i).target)).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(digits.get(0).input.shape).toEqual([1, 28, 28]);
  });

  test('CIFAR-10', async () => {
    const set = await CIFAR10.open(`${shared}assets/datasets/cifar10`, { files: ['test_1k.bin'] });
    expect(set.length).toBe(1000);
    expect(Array.from({ length: 12 }, (_, i) => set.get(i).target)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
  });
});

describe('tensors, subsets, splits', () => {
  const set = new TensorDataset(
    { shape: [5, 2], data: Float32Array.from({ length: 10 }, (_, i) => i) },
    [4, 3, 2, 1, 0],
  );

  test('rows and classes', () => {
    expect(set.get(3)).toMatchObject({ input: { shape: [2], data: Float32Array.of(6, 7) }, target: 1 });
    const values = new TensorDataset(
      { shape: [2, 1], data: new Float32Array(2) },
      { shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) },
    );
    expect(values.get(1).target).toMatchObject({ shape: [3], data: Float32Array.of(3, 4, 5) });
    const inputs = { shape: [2, 1], data: new Float32Array(2) };
    expect(new TensorDataset(inputs, [7, 8]).get(1).target).toBe(8);
    expect(new TensorDataset(inputs, [-1, 1]).get(0).target).toBe(-1);
    expect(new TensorDataset(inputs, [0.5, 2]).get(0).target).toMatchObject({ data: Float32Array.of(0.5) });
    expect(() => new TensorDataset(inputs, [Number.NaN, 1])).toThrow(/target 0 is NaN/);
    expect(new TensorDataset(inputs, Int32Array.of(7, 8)).get(1).target).toBe(8);
    expect(new TensorDataset(inputs, Float32Array.of(0.5, 1.5)).get(1).target).toMatchObject({
      shape: [],
      data: Float32Array.of(1.5),
    });
    expect(() => new TensorDataset({ shape: [5, 2], data: new Float32Array(10) }, [1])).toThrow(
      /5 inputs expect as many targets, got 1/,
    );
    expect(() => new TensorDataset({ shape: [5, 2], data: new Float32Array(9) }, [1])).toThrow(
      /expects 10 elements, got 9/,
    );
  });

  test('subsets', () => {
    const some = new Subset(set, [4, 0]);
    expect([some.length, (some.get(0) as { target: number }).target]).toEqual([2, 0]);
    expect(slice(set, 3).length).toBe(2);
    expect(() => new Subset(set, [5])).toThrow(/index in 0 … 4, got 5/);
  });

  test('a split covers everything once, the same way for the same seed', () => {
    const [a, b] = split(set, [0.7, 0.3], 3);
    expect([a.length, b.length]).toEqual([4, 1]);
    expect([...Array.from(a.indices), ...Array.from(b.indices)].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(split(set, [4, 1], 3)[0].indices).toEqual(a.indices);
    expect(split(set, [4, 1], 4)[0].indices).not.toEqual(a.indices);
    expect(() => split(set, [3, 1])).toThrow(/counts that add up to 5/);
    expect(() => split(set, [2.5, 2.5])).toThrow(/counts that add up to 5/);
  });
});
