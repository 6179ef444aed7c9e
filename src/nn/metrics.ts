import type { TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { product } from '../common/numbers.ts';
import { anything, checkCall, type KnownOf, number, oneOf, whole } from '../common/options.ts';
import type { Metric, Values } from './metric.ts';

/** A mean over samples, of numbers that come as means over batches. */
export class RunningMean {
  static readonly name: string = 'RunningMean';

  private sum = 0;
  private weight = 0;

  /** `value` stands for `count` samples. */
  add(value: number, count = 1): void {
    this.sum += value * count;
    this.weight += count;
  }

  /** Samples so far. */
  get count(): number {
    return this.weight;
  }

  /** NaN before the first value. */
  get value(): number {
    return this.sum / this.weight;
  }

  /** Begins anew. */
  reset(): void {
    this.sum = 0;
    this.weight = 0;
  }

  /** Sum and count. */
  stateDict(): readonly number[] {
    return [this.sum, this.weight];
  }

  /** Goes on from a state. */
  loadStateDict([sum, weight]: readonly number[]): void {
    this.sum = sum;
    this.weight = weight;
  }
}

/** Of metrics of classes. */
export interface ClassOptions {
  /** Targets of this number do not count (default −100, as in crossEntropy). */
  readonly ignoreIndex?: number;
}

const classKnown: KnownOf<ClassOptions> = { ignoreIndex: number };

/**
 * Scores [N,C,…] (logits or probabilities; C = 1 or no C: one logit, above 0 for class 1) and classes [N,…], position by
 * position. `visit` gets the scores, where those of the position begin, and their distance.
 */
function eachPosition(
  what: string,
  { ignoreIndex = -100 }: ClassOptions,
  output: Values,
  target: Values,
  visit: (scores: TypedArray, start: number, step: number, classes: number, label: number) => void,
): void {
  const { data: labels } = target;
  const { data: scores, shape } = output;
  const classes = scores.length === labels.length ? 1 : shape[1];
  const inner = product(shape.slice(2));
  if (shape.length === 0 || labels.length * classes !== scores.length) {
    throw new ConvletError(
      'shape',
      `${what}: scores of shape ${shapeText(shape)} expect a class per position, got targets ${shapeText(target.shape)}`,
    );
  }
  const known = Math.max(2, classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label === ignoreIndex) continue;
    if (!Number.isInteger(label) || label < 0 || label >= known)
      throw new ConvletError('index-range', `${what}: target ${i} expects a class in 0 … ${known - 1}, got ${label}`);
    const start = classes === 1 ? i : Math.floor(i / inner) * classes * inner + (i % inner);
    visit(scores, start, inner, classes, label);
  }
}

/** The class with the highest score, the first of equals; NaN is higher than any number, as in torch.argmax. */
function predicted(scores: TypedArray, start: number, step: number, classes: number): number {
  if (classes === 1) return scores[start] > 0 ? 1 : 0;
  let best = 0;
  for (let c = 1; c < classes && !Number.isNaN(scores[start + best * step]); c++)
    if (!(scores[start + c * step] <= scores[start + best * step])) best = c;
  return best;
}

/** Share of positions whose class is among the `k` highest scores. */
export function topK(k: number, options: ClassOptions = {}, ...surplus: never[]): Metric {
  checkCall('topK', { args: { k: whole(1) }, options: classKnown, needed: 1 }, [k, options, ...surplus]);
  return bestOf(k, options);
}

function bestOf(k: number, options: ClassOptions): Metric {
  const name = k === 1 ? 'accuracy' : `top${k}`;
  let [right, total] = [0, 0];
  return {
    name,
    better: 'higher',
    update(output, target) {
      eachPosition(name, options, output, target, (scores, start, step, classes, label) => {
        total++;
        if (k === 1) {
          if (predicted(scores, start, step, classes) === label) right++;
          return;
        }
        const own = scores[start + label * step];
        if (Number.isNaN(own)) return;
        let before = 0;
        for (let c = 0; c < classes; c++) {
          const score = scores[start + c * step];
          if (!(score <= own) || (c < label && score === own)) before++;
        }
        if (before < k) right++;
      });
    },
    compute: () => right / total,
    reset() {
      [right, total] = [0, 0];
    },
    stateDict: () => [right, total],
    loadStateDict(state) {
      [right, total] = state;
    },
  };
}

/** Share of positions whose class has the highest score. */
export function accuracy(options: ClassOptions = {}, ...surplus: never[]): Metric {
  checkCall('accuracy', { args: {}, options: classKnown }, [options, ...surplus]);
  return bestOf(1, options);
}

const averageArgs = { score: oneOf('precision', 'recall', 'f1'), average: oneOf('macro', 'weighted', 'micro') };
const overlapArgs = { score: oneOf('iou', 'dice'), average: oneOf('macro', 'micro') };

/** How often a class (row) was taken for another (column). */
export class ConfusionMatrix {
  static readonly name: string = 'ConfusionMatrix';

  /** How many classes. */
  readonly classes: number;
  /** [classes, classes], row-major: rows are targets, columns predictions. */
  readonly counts: Float64Array;
  private readonly options: ClassOptions;

  constructor(classes: number, options: ClassOptions = {}, ...surplus: never[]) {
    checkCall('ConfusionMatrix', { args: { classes: anything }, options: classKnown }, [classes, options, ...surplus]);
    if (!Number.isInteger(classes) || classes < 2)
      throw new ConvletError('argument', `ConfusionMatrix: expects two classes or more, got ${classes}`);
    this.classes = classes;
    this.options = options;
    this.counts = new Float64Array(classes * classes);
  }

  /** Counts a batch: scores as `accuracy` takes them, and classes. */
  update(output: Values, target: Values): void {
    eachPosition('ConfusionMatrix', this.options, output, target, (scores, start, step, classes, label) => {
      if (Math.max(2, classes) !== this.classes)
        throw new ConvletError('shape', `ConfusionMatrix: expects scores of ${this.classes} classes, got ${classes}`);
      this.counts[label * this.classes + predicted(scores, start, step, classes)]++;
    });
  }

  /** Begins anew. */
  reset(): void {
    this.counts.fill(0);
  }

  /** Row by row, for printing and reports. */
  rows(): number[][] {
    const { classes, counts } = this;
    return Array.from({ length: classes }, (_, i) => Array.from(counts.subarray(i * classes, (i + 1) * classes)));
  }

  /** Share of positions whose class has the highest score. */
  get accuracy(): number {
    return sum(this.perClass.map(({ right }) => right)) / sum(this.counts);
  }

  /** Of what was taken for the class (precision), of what is it (recall), and their harmonic mean; 0 where nothing is. */
  report(): ClassReport[] {
    return this.perClass.map(({ right, taken, actual }) => ({
      precision: taken === 0 ? 0 : right / taken,
      recall: actual === 0 ? 0 : right / actual,
      f1: taken + actual === 0 ? 0 : (2 * right) / (taken + actual),
      iou: taken + actual === 0 ? 0 : right / (taken + actual - right),
      support: actual,
    }));
  }

  /**
   * Precision, recall or F1 of all classes.
   *
   * @param average 'macro': the mean over classes; 'weighted': by their number of targets; 'micro': over all positions
   */
  average(score: Score, average: Average = 'macro', ...surplus: never[]): number {
    checkCall('ConfusionMatrix.average', { args: averageArgs, needed: 1 }, [score, average, ...surplus]);
    if (average === 'micro') return this.accuracy;
    const report = this.report();
    const weights = report.map(({ support }) => (average === 'macro' ? 1 : support));
    return sum(report.map((row, i) => row[score] * weights[i])) / sum(weights);
  }

  /**
   * Mean overlap of predicted regions with true ones. A class that occurs in neither has none, and does not count.
   *
   * @param score 'iou': intersection over union (Jaccard); 'dice': twice the intersection over the sum of both
   * @param average 'macro': the mean over classes; 'micro': of all positions together
   */
  overlap(score: 'iou' | 'dice', average: 'macro' | 'micro' = 'macro', ...surplus: never[]): number {
    checkCall('ConfusionMatrix.overlap', { args: overlapArgs, needed: 1 }, [score, average, ...surplus]);
    const counts = this.perClass;
    const share = (right: number, both: number): number =>
      score === 'iou' ? right / (both - right) : (2 * right) / both;
    if (average === 'micro') return share(sum(counts.map(({ right }) => right)), 2 * sum(this.counts));
    const occurring = counts.filter(({ taken, actual }) => taken + actual > 0);
    return sum(occurring.map(({ right, taken, actual }) => share(right, taken + actual))) / occurring.length;
  }

  private get perClass(): { right: number; taken: number; actual: number }[] {
    const rows = this.rows();
    return rows.map((row, c) => ({ right: row[c], taken: sum(rows.map((other) => other[c])), actual: sum(row) }));
  }
}

/** What ConfusionMatrix.average gives. */
export type Score = 'precision' | 'recall' | 'f1';
/** 'macro': the mean over classes; 'weighted': weighted by their number of targets; 'micro': over all positions. */
export type Average = 'macro' | 'weighted' | 'micro';
/** The figures of one class. */
export interface ClassReport extends Record<Score, number> {
  /** Intersection over union. The Dice score is f1. */
  readonly iou: number;
  /** Number of targets of the class. */
  readonly support: number;
}

const sum = (values: ArrayLike<number>): number =>
  Array.prototype.reduce.call(values, (a, b) => (a as number) + b, 0) as number;

/** What is computed from all counts, with the number of classes as the first output has it. */
function matrixMetric(name: string, options: ClassOptions, value: (matrix: ConfusionMatrix) => number): Metric {
  let matrix: ConfusionMatrix | null = null;
  return {
    name,
    better: 'higher',
    update(output, target) {
      const classes = output.data.length === target.data.length ? 2 : Math.max(2, output.shape[1] ?? 2);
      matrix ??= new ConfusionMatrix(classes, options);
      matrix.update(output, target);
    },
    compute: () => (matrix === null ? Number.NaN : value(matrix)),
    reset() {
      matrix = null;
    },
    stateDict: () => Array.from(matrix?.counts ?? []),
    loadStateDict(state) {
      matrix = state.length === 0 ? null : new ConfusionMatrix(Math.sqrt(state.length), options);
      matrix?.counts.set(state);
    },
  };
}

/** A score over all classes, with scikit-learn's averages. */
function scoreMetric(score: Score, given: readonly unknown[]): Metric {
  checkCall(score, { args: {}, options: scoreKnown }, given);
  const { average = 'macro', ...options } = (given[0] ?? {}) as ScoreOptions;
  return matrixMetric(score, options, (matrix) => matrix.average(score, average));
}

/** Of precision, recall and f1. */
export interface ScoreOptions extends ClassOptions {
  /** Default 'macro'. */
  readonly average?: Average;
}

const scoreKnown: KnownOf<ScoreOptions> = { average: oneOf('macro', 'weighted', 'micro'), ignoreIndex: number };

/** Of what is taken for a class, the share that is it; the mean over classes unless `average` says otherwise. */
export const precision = (options?: ScoreOptions, ...surplus: never[]): Metric =>
  scoreMetric('precision', [options, ...surplus]);
/** Of what is a class, the share that is taken for it; the mean over classes unless `average` says otherwise. */
export const recall = (options?: ScoreOptions, ...surplus: never[]): Metric =>
  scoreMetric('recall', [options, ...surplus]);
/** The harmonic mean of precision and recall; the mean over classes unless `average` says otherwise. */
export const f1 = (options?: ScoreOptions, ...surplus: never[]): Metric => scoreMetric('f1', [options, ...surplus]);

export type { Metric } from './metric.ts';
export { type Place, type SelectOptions, select } from './metric-select.ts';

/** Of iou and dice. */
export interface OverlapOptions extends ClassOptions {
  /** 'macro' (default): the mean over classes that occur; 'micro': of all positions together. */
  readonly average?: 'macro' | 'micro';
}

const overlapKnown: KnownOf<OverlapOptions> = { average: oneOf('macro', 'micro'), ignoreIndex: number };

function overlapMetric(score: 'iou' | 'dice', given: readonly unknown[]): Metric {
  checkCall(score, { args: {}, options: overlapKnown }, given);
  const { average, ...options } = (given[0] ?? {}) as OverlapOptions;
  return matrixMetric(score, options, (matrix) => matrix.overlap(score, average));
}

/** Mean intersection over union of predicted and true regions, of scores as `accuracy` takes them. Per class: ConfusionMatrix. */
export const iou = (options?: OverlapOptions, ...surplus: never[]): Metric =>
  overlapMetric('iou', [options, ...surplus]);

/** Mean Dice score of predicted and true regions: the F1 of their positions. */
export const dice = (options?: OverlapOptions, ...surplus: never[]): Metric =>
  overlapMetric('dice', [options, ...surplus]);
