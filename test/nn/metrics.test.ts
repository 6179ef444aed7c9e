import { describe, expect, test } from 'vitest';
import { Generator } from '../../src/common/random.ts';
import {
  accuracy,
  ConfusionMatrix,
  dice,
  f1,
  iou,
  type Metric,
  precision,
  RunningMean,
  recall,
  topK,
} from '../../src/nn/metrics.ts';
import { Random } from '../kernels/harness.ts';

const scores = (shape: readonly number[], data: readonly number[]) => ({ shape, data: Float32Array.from(data) });
const labels = (...data: number[]) => ({ shape: [data.length], data: Int32Array.from(data) });

function value(metric: Metric, ...batches: [ReturnType<typeof scores>, ReturnType<typeof labels>][]): number {
  for (const [output, target] of batches) metric.update(output, target);
  return metric.compute();
}

describe('accuracy and top-k', () => {
  const output = scores([3, 4], [1, 2, 3, 4, 4, 3, 2, 1, 0, 5, 5, 0]);

  test('counts over batches, and begins anew after reset', () => {
    const metric = accuracy();
    expect(metric.compute()).toBeNaN();
    expect(value(metric, [output, labels(3, 1, 1)], [scores([1, 4], [9, 0, 0, 0]), labels(0)])).toBe(3 / 4);
    metric.reset();
    expect(value(metric, [output, labels(0, 0, 2)])).toBe(1 / 3);
  });

  test('the first of equal scores counts', () => {
    expect(value(topK(1), [output, labels(2, 1, 1)])).toBe(1 / 3);
    expect(value(topK(2), [output, labels(2, 1, 2)])).toBe(1);
    expect(value(topK(2), [output, labels(1, 2, 3)])).toBe(0);
    expect(value(topK(3), [output, labels(0, 3, 0)])).toBe(1 / 3);
  });

  test('ties, as sorting by score and then by class has it', () => {
    const random = new Random(23);
    for (let round = 0; round < 300; round++) {
      const [count, classes] = [random.int(1, 6), random.int(2, 7)];
      const given = Array.from({ length: count * classes }, () => random.pick([0, -0, 1, 1, 2, -1, Infinity]));
      const targets = Array.from({ length: count }, () => random.int(0, classes - 1));
      const row = (i: number) => given.slice(i * classes, (i + 1) * classes);
      const place = (i: number): number => {
        const of = row(i);
        const order = [...of.keys()].sort((a, b) => (of[a] === of[b] ? a - b : of[a] > of[b] ? -1 : 1));
        return order.indexOf(targets[i]);
      };
      for (let k = 1; k <= classes + 1; k++) {
        const right = targets.filter((_, i) => place(i) < k).length;
        const got = value(topK(k), [scores([count, classes], given), labels(...targets)]);
        expect(got, `k ${k}, scores ${given}, targets ${targets}`).toBe(right / count);
      }
    }
  });

  test('NaN is never right', () => {
    const nan = scores([2, 2], [Number.NaN, 1, 0, Number.NaN]);
    expect(value(topK(2), [nan, labels(0, 1)])).toBe(0);
    expect(value(accuracy(), [nan, labels(1, 0)])).toBe(0);
  });

  test('positions: [N,C,W] with targets [N,W]; one logit per position', () => {
    const map = scores([1, 2, 3], [1, 5, 1, 2, 4, 0]);
    expect(value(accuracy(), [map, { shape: [1, 3], data: Int32Array.of(1, 0, 1) }])).toBe(2 / 3);
    expect(value(accuracy(), [scores([4, 1], [-1, 2, 0, 3]), labels(0, 1, 1, 0)])).toBe(1 / 2);
  });

  test('ignored targets do not count, wrong ones are errors', () => {
    expect(value(accuracy(), [output, labels(3, -100, 3)])).toBe(1 / 2);
    expect(value(accuracy({ ignoreIndex: 0 }), [output, labels(3, 0, 3)])).toBe(1 / 2);
    expect(() => accuracy().update(output, labels(3, 4, 0))).toThrow(/target 1 expects a class in 0 … 3, got 4/);
    expect(() => accuracy().update(output, labels(3, 1))).toThrow(/a class per position, got targets \[2\]/);
    expect(() => topK(0)).toThrow(/k expects a whole number ≥ 1/);
  });
});

describe('confusion matrix', () => {
  // Targets 0 0 0 1 1 2, predictions 0 0 1 1 2 2.
  const output = scores(
    [6, 3],
    [0, 0, 1, 1, 2, 2].flatMap((c) => [0, 1, 2].map((i) => (i === c ? 1 : 0))),
  );
  const target = labels(0, 0, 0, 1, 1, 2);

  test('rows are targets, columns predictions', () => {
    const matrix = new ConfusionMatrix(3);
    matrix.update(output, target);
    expect(matrix.rows()).toEqual([
      [2, 1, 0],
      [0, 1, 1],
      [0, 0, 1],
    ]);
    expect(matrix.accuracy).toBe(4 / 6);
    expect(matrix.report()).toEqual([
      { precision: 1, recall: 2 / 3, f1: 0.8, iou: 2 / 3, support: 3 },
      { precision: 1 / 2, recall: 1 / 2, f1: 1 / 2, iou: 1 / 3, support: 2 },
      { precision: 1 / 2, recall: 1, f1: 2 / 3, iou: 1 / 2, support: 1 },
    ]);
    matrix.reset();
    expect(matrix.counts.every((n) => n === 0)).toBe(true);
  });

  test('averages as scikit-learn defines them', () => {
    expect(value(precision(), [output, target])).toBeCloseTo((1 + 0.5 + 0.5) / 3, 12);
    expect(value(recall({ average: 'macro' }), [output, target])).toBeCloseTo((2 / 3 + 0.5 + 1) / 3, 12);
    expect(value(f1({ average: 'weighted' }), [output, target])).toBeCloseTo((0.8 * 3 + 0.5 * 2 + 2 / 3) / 6, 12);
    expect(value(f1({ average: 'micro' }), [output, target])).toBeCloseTo(4 / 6, 12);
    expect(() => f1({ average: 'mean' as 'macro' })).toThrow(/average expects macro or weighted or micro/);
  });

  test('a class that never occurs scores 0', () => {
    expect(value(precision(), [scores([1, 2], [1, 0]), labels(0)])).toBe(0.5);
    expect(value(f1(), [scores([1, 2], [1, 0]), labels(0)])).toBe(0.5);
  });

  test('accuracy agrees on random scores', () => {
    const random = new Generator(3);
    const many = scores(
      [200, 5],
      Array.from({ length: 1000 }, () => random.normal()),
    );
    const answers = labels(...Array.from({ length: 200 }, () => random.below(5)));
    const matrix = new ConfusionMatrix(5);
    matrix.update(many, answers);
    expect(matrix.accuracy).toBeCloseTo(value(accuracy(), [many, answers]), 12);
    expect(matrix.average('recall', 'weighted')).toBeCloseTo(matrix.accuracy, 12);
    expect(() => new ConfusionMatrix(4).update(many, answers)).toThrow();
  });
});

test('the state of a metric goes through JSON', () => {
  const output = scores([3, 3], [1, 0, 0, 1, 0, 0, 0, 0, 1]);
  for (const make of [accuracy, () => topK(2), f1, precision]) {
    const [whole, first, second] = [make(), make(), make()];
    first.update(output, labels(0, 1, 2));
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())));
    second.update(output, labels(0, 0, 0));
    whole.update(output, labels(0, 1, 2));
    whole.update(output, labels(0, 0, 0));
    expect(second.compute()).toBe(whole.compute());
    expect(second.compute()).toBeGreaterThan(0);
    second.loadStateDict(make().stateDict());
    expect(second.compute()).toBeNaN();
  }
});

test('a running mean weighs batches by their samples', () => {
  const mean = new RunningMean();
  expect(mean.value).toBeNaN();
  mean.add(1, 3);
  mean.add(5);
  expect([mean.value, mean.count]).toEqual([2, 4]);
  mean.reset();
  expect(mean.value).toBeNaN();
});

describe('overlap', () => {
  // Pixels of one picture, classes 0 to 3 of which 3 never occurs: 0 is taken for 0, 0, 1; 1 for 1, 1; 2 for 1.
  const taken = [0, 0, 1, 1, 1, 1];
  const scoresOf = (classes: number) =>
    scores(
      [1, classes, 2, 3],
      Array.from({ length: classes * 6 }, (_, at) => (taken[at % 6] === Math.floor(at / 6) ? 1 : 0)),
    );
  const target = { shape: [1, 2, 3], data: Int32Array.of(0, 0, 0, 1, 1, 2) };

  test('IoU and Dice over the classes that occur', () => {
    // Class 0: 2 of 3; class 1: 2 of 4; class 2: 0 of 1.
    expect(value(iou(), [scoresOf(4), target])).toBeCloseTo((2 / 3 + 2 / 4 + 0) / 3, 12);
    expect(value(dice(), [scoresOf(4), target])).toBeCloseTo((4 / 5 + 4 / 6 + 0) / 3, 12);
    expect(value(iou({ average: 'micro' }), [scoresOf(4), target])).toBeCloseTo(4 / 8, 12);
    expect(value(dice({ average: 'micro' }), [scoresOf(4), target])).toBeCloseTo(4 / 6, 12);
    expect(value(iou({ ignoreIndex: 2 }), [scoresOf(4), target])).toBeCloseTo((2 / 3 + 2 / 3) / 2, 12);
  });

  test('the confusion matrix has them by class, and states and resets go through', () => {
    const matrix = new ConfusionMatrix(4);
    matrix.update(scoresOf(4), target);
    expect(matrix.report().map((row) => row.iou)).toEqual([2 / 3, 2 / 4, 0, 0]);
    const [a, b] = [iou(), iou()];
    expect(a.compute()).toBeNaN();
    a.update(scoresOf(4), target);
    b.loadStateDict!(a.stateDict!());
    expect(b.compute()).toBe(a.compute());
    a.reset();
    expect(a.compute()).toBeNaN();
  });
});

test('a confusion matrix refuses scores and averages that it does not have', () => {
  const matrix = new ConfusionMatrix(2);
  matrix.update({ shape: [2, 2], data: new Float32Array([1, 0, 0, 1]) }, { shape: [2], data: new Int32Array([0, 1]) });
  expect([matrix.average('f1'), matrix.overlap('dice', 'micro')]).toEqual([1, 1]);
  expect(() => matrix.average('iou' as never)).toThrow(
    /ConfusionMatrix.average: score expects precision or recall or f1/,
  );
  expect(() => matrix.average('f1', 'mean' as never)).toThrow(/average expects macro or weighted or micro, got mean/);
  expect(() => matrix.overlap('jaccard' as never)).toThrow(/ConfusionMatrix.overlap: score expects iou or dice/);
  expect(() => matrix.overlap('iou', 'weighted' as never)).toThrow(/average expects macro or micro/);
});
