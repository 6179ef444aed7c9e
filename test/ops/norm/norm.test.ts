import { describe, expect, test } from 'vitest';
import { execute } from '../../../src/ops/core/execute.ts';
import * as family from '../../../src/ops/norm/norm.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { jsBackend } from '../../support/js-backend.ts';
import { inferError, opTests } from '../harness.ts';

const { batchNorm, batchNormTraining, instanceNorm, groupNorm, layerNorm, rmsNorm, lrn } = family;
opTests('norm', family);

const js = jsBackend();
const plain = { epsilon: 0, activation: null };
const close = (got: ArrayLike<number>, expected: number[]): void => {
  expect(got.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(got[i]).toBeCloseTo(value, 5);
  });
};

describe('normalisations by hand', () => {
  const x = tensor([1, 3, 10, 30], [1, 2, 2]);

  test('batchNorm: given statistics', () => {
    const [y] = execute(js, batchNorm, [x, tensor([2, 1]), tensor([0, 5]), tensor([1, 10]), tensor([4, 100])], plain);
    close(y.data, [0, 2, 5, 7]);
  });

  test('batchNormTraining: statistics of the batch move the running ones', () => {
    const inputs = [x, tensor([1, 1]), tensor([0, 0]), tensor([0, 0]), tensor([1, 1])];
    const biased = execute(js, batchNormTraining, inputs, { epsilon: 0, momentum: 0.9 });
    close(biased[0].data, [-1, 1, -1, 1]);
    close(biased[1].data, [0.2, 2]);
    close(biased[2].data, [1, 10.9]);
    const unbiased = execute(js, batchNormTraining, inputs, { epsilon: 0, momentum: 0.9, unbiased: true });
    close(unbiased[2].data, [1.1, 20.9]);
  });

  test('instanceNorm and groupNorm: per channel, per group', () => {
    close(execute(js, instanceNorm, [x, tensor([1, 2]), tensor([0, 1])], plain)[0].data, [-1, 1, -1, 3]);
    const deviation = Math.sqrt((100 + 64 + 1 + 361) / 4);
    const [y] = execute(js, groupNorm, [x, null, null], { ...plain, groups: 1 });
    close(y.data, [-10 / deviation, -8 / deviation, -1 / deviation, 19 / deviation]);
  });

  test('layerNorm with statistics, rmsNorm', () => {
    const [y, mean, inverse] = execute(js, layerNorm, [x, null, null], { axis: 2, epsilon: 0, statistics: true });
    close(y.data, [-1, 1, -1, 1]);
    expect(mean.shape).toEqual([1, 2, 1]);
    close(mean.data, [2, 20]);
    close(inverse.data, [1, 0.1]);
    close(execute(js, rmsNorm, [tensor([3, 4]), null, null], { axis: 0, epsilon: 0 })[0].data, [
      3 / Math.sqrt(12.5),
      4 / Math.sqrt(12.5),
    ]);
  });

  test('a large mean does not spoil the variance', () => {
    const far = tensor([10000, 10001, 10002, 10003], [1, 4]);
    const [y] = execute(js, layerNorm, [far, null, null], { axis: 1, epsilon: 0, statistics: false });
    close(
      y.data,
      [-1.5, -0.5, 0.5, 1.5].map((d) => d / Math.sqrt(1.25)),
    );
  });

  test('lrn: an even window is longer behind', () => {
    const [y] = execute(js, lrn, [tensor([1, 2, 3], [1, 3])], { size: 2, alpha: 2, beta: 1, bias: 1 });
    close(y.data, [1 / (1 + 1 + 4), 2 / (1 + 4 + 9), 3 / (1 + 9)]);
  });
});

describe('normalisations: what does not fit', () => {
  const x = [2, 6, 4, 4];
  test.each([
    ['weight', batchNorm, [x, [5], [6], [6], [6]], plain, 'shape: batchNorm: weight expects shape [6], got [5]'],
    ['no variance', batchNorm, [x, [6], [6], [6], null], plain, "missing-input: batchNorm: needs input 'variance'"],
    [
      'epsilon',
      batchNorm,
      [x, [6], [6], [6], [6]],
      { ...plain, epsilon: -1 },
      'argument: batchNorm: epsilon expects a number ≥ 0, got -1',
    ],
    [
      'rank',
      instanceNorm,
      [[2, 6]],
      plain,
      'shape: instanceNorm: x expects rank 3 or 4 or 5, got rank 2 (shape [2,6])',
    ],
    [
      'groups',
      groupNorm,
      [x],
      { ...plain, groups: 4 },
      'argument: groupNorm: groups expects a divisor of 6 channels, got 4',
    ],
    [
      'groups 0',
      groupNorm,
      [x],
      { ...plain, groups: 0 },
      'argument: groupNorm: groups expects 1 whole number ≥ 1, got [0]',
    ],
    [
      'axis',
      layerNorm,
      [x],
      { axis: 4, epsilon: 0, statistics: false },
      'argument: layerNorm: axis expects 0…3 for shape [2,6,4,4], got 4',
    ],
    [
      'bias',
      layerNorm,
      [x, [4], [4, 4]],
      { axis: 3, epsilon: 0, statistics: false },
      'shape: layerNorm: bias expects shape [4], got [4,4]',
    ],
    [
      'size',
      lrn,
      [x],
      { size: 0, alpha: 1, beta: 1, bias: 1 },
      'argument: lrn: size expects 1 whole number ≥ 1, got [0]',
    ],
    [
      'alpha',
      lrn,
      [x],
      { size: 3, alpha: Number.NaN, beta: 1, bias: 1 },
      'argument: lrn: alpha expects a number, got NaN',
    ],
    [
      'one value per channel',
      batchNormTraining,
      [[1, 3, 1, 1], [3], [3], [3], [3]],
      { epsilon: 0, momentum: 0.9, unbiased: true },
      'shape: batchNormTraining: x expects at least 2 values per channel, got shape [1,3,1,1]',
    ],
  ] as const)('%s', (_, op, shapes, attrs, message) => {
    expect(inferError(op as typeof batchNorm, shapes, attrs)).toBe(`ConvletError ${message}`);
  });
});
