import { beforeEach, describe, expect, test } from 'vitest';
import { type Variable, variable } from '../../src/autograd/index.ts';
import { product } from '../../src/common/numbers.ts';
import { Generator, seed } from '../../src/common/random.ts';
import { F } from '../../src/nn/functional.ts';
import * as nn from '../../src/nn/modules.ts';
import { expectClose, expectError } from '../ops/run.ts';
import { describeEngines } from '../support/engines.ts';

/** 0, 1, 2, … */
const range = (...shape: number[]): Variable =>
  variable(
    Float32Array.from({ length: product(shape) }, (_, i) => i),
    shape,
  );

const random = (...shape: number[]): Variable => {
  const generator = new Generator(5);
  return variable(
    Float32Array.from({ length: product(shape) }, () => generator.normal()),
    shape,
  );
};

describeEngines('functional', (use) => {
  beforeEach(() => {
    use();
  });

  test('convolution: padding modes agree with padding first; same padding; without batch', () => {
    const x = random(2, 3, 6, 7);
    const w = random(4, 3, 3, 2);
    for (const paddingMode of ['reflect', 'replicate', 'circular'] as const) {
      const got = F.conv2d(x, w, null, { padding: [2, 1], paddingMode });
      expectClose(got.data, Array.from(F.conv2d(F.pad(x, [1, 1, 2, 2], paddingMode), w).data));
    }
    const same = F.conv2d(x, w, null, { padding: 'same' });
    expect(same.shape).toEqual([2, 4, 6, 7]);
    // The odd cell of an even kernel goes behind.
    expectClose(same.data, Array.from(F.conv2d(F.pad(x, [0, 1, 1, 1]), w).data), 5);
    expect(F.conv2d(x.select(0, 0), w).shape).toEqual([4, 4, 6]);
    expect(F.conv1d(range(1, 2, 9), random(4, 2, 3), null, { stride: 2, padding: 'valid' }).shape).toEqual([1, 4, 4]);
    expectError('argument', ['conv2d', "'same'"], () => F.conv2d(x, w, null, { padding: 'same', stride: 2 }));
    expectError('argument', ['conv2d', 'stride'], () => F.conv2d(x, w, null, { stride: [1, 1, 1] }));
    expectError('shape', ['conv2d', 'rank 4'], () => F.conv2d(range(3), w));
  });

  test('transposed convolution undoes the shape of a convolution', () => {
    const y = F.conv2d(random(1, 2, 9, 8), random(3, 2, 3, 3), null, { stride: 2, padding: 1 });
    const back = F.convTranspose2d(y, random(3, 2, 3, 3), null, { stride: 2, padding: 1, outputPadding: [0, 1] });
    expect(back.shape).toEqual([1, 2, 9, 8]);
  });

  test('pools and unpooling', () => {
    const x = range(1, 1, 4, 4);
    expectClose(F.maxPool2d(x, 2).data, [5, 7, 13, 15]);
    expectClose(F.avgPool2d(x, 2).data, [2.5, 4.5, 10.5, 12.5]);
    expectClose(F.avgPool2d(x, 2, { padding: 1, countIncludePad: false }).data, [0, 1.5, 3, 6, 7.5, 9, 12, 13.5, 15]);
    expect(F.maxPool2d(range(1, 1, 5, 5), 2, { ceilMode: true }).shape).toEqual([1, 1, 3, 3]);
    const { output, indices } = F.maxPool2dWithIndices(x, 2);
    expectClose(F.maxUnpool2d(output, indices, 2).data, [0, 0, 0, 0, 0, 5, 0, 7, 0, 0, 0, 0, 0, 13, 0, 15]);
    expectClose(
      new nn.MaxUnpool2d(2).forward(output, indices).data,
      [0, 0, 0, 0, 0, 5, 0, 7, 0, 0, 0, 0, 0, 13, 0, 15],
    );
    expectClose(F.adaptiveAvgPool2d(x, [1, null]).data, [6, 7, 8, 9]);
    expectClose(F.adaptiveAvgPool2d(x, 1).data, [7.5]);
    expectClose(F.adaptiveMaxPool2d(x, 2).data, [5, 7, 13, 15]);
    expectClose(F.lpPool2d(x, 2, 2).data, [42, 98, 458, 642].map(Math.sqrt), 4);
    expectClose(F.mixedPool2d(x, 2, 0.5).data, [3.75, 5.75, 11.75, 13.75]);
    expect(F.spatialPyramidPool2d(random(2, 3, 7, 5), [1, 2, 3]).shape).toEqual([2, 3 * 14]);
    expectError('argument', ['maxPool2d', 'padding'], () => F.maxPool2d(x, 2, { padding: 2 }));
  });

  test('batch norm: statistics of the batch, running ones as PyTorch moves them, evaluation mode', () => {
    const x = variable([[1], [3], [5], [7]]);
    const bn = new nn.BatchNorm1d(1, { eps: 0 });
    const y = bn.forward(x);
    expectClose(
      y.data,
      [-3, -1, 1, 3].map((v) => v / Math.sqrt(5)),
      5,
    );
    expectClose(bn.runningMean!.data, [0.4]);
    // Unbiased variance 20/3 with a share of 0.1.
    expectClose(bn.runningVar!.data, [0.9 + 0.1 * (20 / 3)]);
    expect(bn.numBatchesTracked!.item()).toBe(1);
    bn.eval();
    expectClose(
      bn.forward(x).data,
      [1, 3, 5, 7].map((v) => (v - 0.4) / Math.sqrt(0.9 + 2 / 3)),
      5,
    );
    expect(bn.numBatchesTracked!.item()).toBe(1);
    const average = new nn.BatchNorm1d(1, { momentum: null });
    average.forward(x);
    average.forward(x.add(2));
    expectClose(average.runningMean!.data, [5], 5);
    const untracked = new nn.BatchNorm1d(1, { trackRunningStats: false, affine: false, eps: 0 }).eval();
    expectClose(untracked.forward(x).data, Array.from(y.data), 5);
    expect(Object.keys(untracked.stateDict())).toEqual([]);
  });

  test('other normalisations have mean 0 and variance 1 where they say so', () => {
    const x = random(2, 4, 5, 3).mul(3).add(2);
    const moments = (y: Variable, dim: number[]): void => {
      for (const mean of y.mean(dim).data) expect(Math.abs(mean)).toBeLessThan(1e-5);
      for (const variance of y.var(dim, { correction: 0 }).data) expect(Math.abs(variance - 1)).toBeLessThan(1e-3);
    };
    moments(F.layerNorm(x, [5, 3]), [2, 3]);
    moments(F.instanceNorm(x), [2, 3]);
    moments(F.groupNorm(x, 2).reshape(2, 2, -1), [2]);
    expectClose(F.rmsNorm(x, 3).square().mean(-1).data, new Array(40).fill(1), 4);
    expectClose(F.normalize(x, 2, 1).norm(1).data, new Array(30).fill(1), 5);
    expectClose(F.normalize(x, 1, 1).abs().sum(1).data, new Array(30).fill(1), 5);
    expectError('shape', ['layerNorm', '[4]'], () => F.layerNorm(x, 4));
    expect(F.localResponseNorm(x, 4).shape).toEqual(x.shape);
  });

  test('resizing', () => {
    const x = range(1, 1, 2, 2);
    expectClose(F.interpolate(x, { scaleFactor: 2 }).data, [0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]);
    expectClose(F.interpolate(x, { size: [1, 3], mode: 'bilinear', alignCorners: true }).data, [0, 0.5, 1]);
    expectClose(F.interpolate(range(1, 1, 4), { size: 2, mode: 'area' }).data, [0.5, 2.5]);
    expect(F.interpolate(x, { size: 5, mode: 'bicubic' }).shape).toEqual([1, 1, 5, 5]);
    expect(F.interpolate(random(1, 2, 8, 8), { size: 3, mode: 'lanczos3' }).shape).toEqual([1, 2, 3, 3]);
    const up = F.pixelShuffle(range(1, 4, 2, 2), 2);
    expectClose(up.data, [0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15]);
    expectClose(F.pixelUnshuffle(up, 2).data, Array.from(range(16).data));
    expectError('argument', ['size or scaleFactor'], () => F.interpolate(x, {}));
    expectError('argument', ['mode'], () => F.interpolate(x, { size: 3, mode: 'cubical' as never }));
  });

  test('unfold and fold are transposes', () => {
    const x = random(1, 2, 5, 6);
    const columns = F.unfold(x, [2, 3], { padding: 1, stride: 2 });
    const y = random(...columns.shape);
    const back = F.fold(y, [5, 6], [2, 3], { padding: 1, stride: 2 });
    expect(columns.mul(y).sum().item()).toBeCloseTo(x.mul(back).sum().item(), 3);
  });

  test('sampling at the identity grid gives the picture', () => {
    const x = random(1, 2, 3, 4);
    const theta = variable([1, 0, 0, 0, 1, 0], [1, 2, 3]);
    const y = F.gridSample(x, F.affineGrid(theta, [1, 2, 3, 4]));
    expectClose(y.data, Array.from(x.data), 5);
  });

  test('activations with parameters', () => {
    const x = variable([-3, -1, 0, 2, 8]);
    const table: [Variable, number[]][] = [
      [F.leakyRelu(x, 0.1), [-0.3, -0.1, 0, 2, 8]],
      [F.relu6(x), [0, 0, 0, 2, 6]],
      [F.hardtanh(x, -2, 1), [-2, -1, 0, 1, 1]],
      [F.hardsigmoid(x), [0, 1 / 3, 0.5, 5 / 6, 1]],
      [F.threshold(x, 1, -9), [-9, -9, -9, 2, 8]],
      [F.softshrink(x), [-2.5, -0.5, 0, 1.5, 7.5]],
      [F.hardshrink(x, 1.5), [-3, 0, 0, 2, 8]],
      [F.elu(x, 2), [2 * Math.expm1(-3), 2 * Math.expm1(-1), 0, 2, 8]],
      [F.prelu(variable([[-2, -2]]), variable([0.5, 0.25])), [-1, -0.5]],
      [F.glu(variable([1, 2, 0, 0])), [0.5, 1]],
      [F.softmin(variable([0, 0]), 0), [0.5, 0.5]],
      [new nn.Softplus(2).forward(variable([0])), [Math.log(2) / 2]],
      [new nn.GELU('tanh').forward(variable([1])), [0.8411919906082768]],
    ];
    for (const [got, expected] of table) expectClose(got.data, expected, 5);
    expectError('shape', ['glu'], () => F.glu(variable([1, 2, 3])));
  });

  test('dropout: share, scale, channels, evaluation, alpha', () => {
    seed(1);
    const ones = variable(new Float32Array(10_000).fill(1), [10, 100, 10]);
    const y = F.dropout(ones, 0.25).data;
    const dropped = y.filter((v) => v === 0).length / y.length;
    expect(Math.abs(dropped - 0.25)).toBeLessThan(4 * Math.sqrt(0.1875 / 10_000));
    expectClose(
      y.filter((v) => v !== 0),
      new Array(y.filter((v) => v !== 0).length).fill(4 / 3),
      5,
    );
    const channels = F.dropout1d(ones, 0.5).sum(2).data;
    expect(channels.every((v) => v === 0 || Math.abs(v - 20) < 1e-4)).toBe(true);
    expect(F.dropout(ones, 0.5, false)).toBe(ones);
    expect(F.dropout(ones, 1).sum().item()).toBe(0);
    expect(new nn.Dropout(0.5).eval().forward(ones)).toBe(ones);
    const normal = random(200, 100);
    const alpha = F.alphaDropout(normal, 0.3);
    expect(Math.abs(alpha.mean().item() - normal.mean().item())).toBeLessThan(0.05);
    expect(Math.abs(alpha.std().item() - 1)).toBeLessThan(0.05);
    expectError('argument', ['dropout', '1.5'], () => F.dropout(ones, 1.5));
  });

  test('embedding: rows, and a row that learns nothing', () => {
    const table = new nn.Embedding(4, 2, { paddingIdx: 1 });
    expect(Array.from(table.weight.data).slice(2, 4)).toEqual([0, 0]);
    const y = table.forward(variable(Int32Array.from([3, 1, 3]), [3]));
    expect(y.shape).toEqual([3, 2]);
    y.sum().backward();
    expectClose(table.weight.grad!.data, [0, 0, 0, 0, 0, 0, 2, 2]);
    expectClose(F.oneHot(variable(Int32Array.of(1, 0), [2]), 3).data, [0, 1, 0, 1, 0, 0]);
  });

  describe('putting together and taking apart', () => {
    test('cat, stack, split, chunk, flip', () => {
      const x = range(2, 5);
      expect(F.split(x, 2, 1).map((part) => part.shape[1])).toEqual([2, 2, 1]);
      expectClose(F.cat(F.split(x, [1, 4], 1), 1).data, Array.from(x.data));
      expect(F.chunk(x, 3, -1).map((part) => part.shape[1])).toEqual([2, 2, 1]);
      expect(F.stack([x, x, x], -1).shape).toEqual([2, 5, 3]);
      expectClose(F.flip(range(3), [0]).data, [2, 1, 0]);
      expectError('argument', ['split', '5'], () => F.split(x, [1, 1], 1));
    });

    test('methods: slices, selections, reductions, comparisons', () => {
      const x = range(2, 3);
      expectClose(x.slice(1, -2).data, [1, 2, 4, 5]);
      expectClose(x.slice(1, 0, 3, 2).data, [0, 2, 3, 5]);
      expectClose(x.select(0, -1).data, [3, 4, 5]);
      expectClose(x.indexSelect(1, variable(Int32Array.of(2, 0), [2])).data, [2, 0, 5, 3]);
      expectClose(x.max(1).data, [2, 5]);
      expectClose(x.mean(0, true).data, [1.5, 2.5, 3.5]);
      expectClose(x.var(1).data, [1, 1]);
      expectClose(x.cumsum(1).data, [0, 1, 3, 3, 7, 12]);
      expectClose(x.ge(2).data, [0, 0, 1, 1, 1, 1]);
      expectClose(x.ne(2).data, [1, 1, 0, 1, 1, 1]);
      expectClose(x.topk(1).values.data, [2, 5]);
      expectClose(x.where(x.gt(3), -1).data, [-1, -1, -1, -1, 4, 5]);
      expectClose(x.div(2).data, [0, 0.5, 1, 1.5, 2, 2.5]);
      expect(x.unsqueeze(-1).squeeze().shape).toEqual([2, 3]);
      expect(x.expand(4, -1, -1).shape).toEqual([4, 2, 3]);
      expect(x.reshape(-1).shape).toEqual([6]);
      expectError('shape', ['reshape', '[-1,4]'], () => x.reshape(-1, 4));
      expectError('index-range', ['select'], () => x.select(0, 2));
      expectError('argument', ['axis'], () => x.sum(2));
    });
  });
});
