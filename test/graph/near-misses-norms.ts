// As near-misses.ts, for layer normalisation written out and for shuffles of channels.
import type { Value } from '../../src/graph/graph.ts';
import type { Drawing, Sketch } from './compare.ts';
import type { Recogniser } from './near-misses.ts';

interface Norm {
  readonly axes?: readonly number[];
  readonly varianceAxes?: readonly number[];
  readonly keepDims?: boolean;
  readonly varianceKeepDims?: boolean;
  readonly exponent?: number;
  readonly epsilonShape?: number[];
  readonly epsilon?: (s: Sketch) => Value;
  readonly centred?: (s: Sketch, x: Value, mean: Value) => Value;
  readonly squares?: (s: Sketch, centred: Value, x: Value) => Value;
  readonly sum?: 'add' | 'sub' | 'max';
  readonly root?: 'sqrt' | 'exp';
  readonly shape?: readonly number[];
  readonly dtype?: 'float32' | 'float64';
  readonly also?: 'mean' | 'variance' | 'root' | 'sum' | 'squares';
  readonly weight?: (s: Sketch, y: Value) => Value;
}

/** centred / sqrt(mean(centred²) + ε), then what `weight` says. */
function written(s: Sketch, of: Norm = {}): Value[] {
  const { shape = [2, 3, 8], dtype = 'float32' } = of;
  const axes = of.axes ?? [shape.length - 1];
  const x = s.input(shape, dtype);
  const mean = s.op('reduceMean', [x], { axes, keepDims: of.keepDims ?? true });
  const centred = of.centred?.(s, x, mean) ?? s.op('sub', [x, mean]);
  const squares = of.squares?.(s, centred, x) ?? s.op('pow', [centred, s.scalar(of.exponent ?? 2, [], dtype)]);
  const keepDims = of.varianceKeepDims ?? of.keepDims ?? true;
  const variance = s.op('reduceMean', [squares], { axes: of.varianceAxes ?? axes, keepDims });
  const sum = s.op(of.sum ?? 'add', [variance, of.epsilon?.(s) ?? s.scalar(1e-5, of.epsilonShape, dtype)]);
  const root = s.op(of.root ?? 'sqrt', [sum]);
  const y = s.op('div', [centred, root]);
  const result = of.weight?.(s, y) ?? y;
  return of.also ? [result, { mean, variance, root, sum, squares }[of.also]] : [result];
}

const times = (s: Sketch, y: Value): Value => s.op('mul', [y, s.weight([8])]);
const plus = (s: Sketch, y: Value): Value => s.op('add', [s.weight([8]), y]);

const layerNorm: Recogniser = {
  takes: {
    itself: [written, ['layerNorm']],
    'with weight and bias': [(s) => written(s, { weight: (s, y) => plus(s, times(s, y)) }), ['layerNorm']],
    'with squares as products': [(s) => written(s, { squares: (s, c) => s.op('mul', [c, c]) }), ['layerNorm']],
    'with squares as such': [(s) => written(s, { squares: (s, c) => s.op('square', [c]) }), ['layerNorm']],
    'without weight, with bias': [(s) => written(s, { weight: plus }), ['layerNorm', 'add']],
    'of float64': [(s) => written(s, { dtype: 'float64' }), ['layerNorm']],
    'with a weight of another size': [(s) => written(s, { shape: [2, 8, 1], weight: times }), ['layerNorm', 'mul']],
    'with a weight for each row': [
      (s) => written(s, { weight: (s, y) => s.op('mul', [y, s.weight([3, 8])]) }),
      ['layerNorm', 'mul'],
    ],
    'with a weight that is computed': [
      (s) => written(s, { weight: (s, y) => s.op('mul', [y, s.input([8])]) }),
      ['layerNorm', 'mul'],
    ],
    'times itself': [(s) => written(s, { weight: (s, y) => s.op('mul', [y, y]) }), ['layerNorm', 'mul']],
    'an output before its weight': [
      (s) => {
        let inner: Value | null = null;
        const [y] = written(s, {
          weight(s, value) {
            inner = value;
            return times(s, value);
          },
        });
        return [y, inner!];
      },
      ['layerNorm', 'mul'],
    ],
    'an output before its bias': [
      (s) => {
        let inner: Value | null = null;
        const [y] = written(s, {
          weight(s, value) {
            inner = times(s, value);
            return plus(s, inner);
          },
        });
        return [y, inner!];
      },
      ['layerNorm', 'add'],
    ],
    'with a difference for a bias': [
      (s) => written(s, { weight: (s, y) => s.op('sub', [times(s, y), s.weight([8])]) }),
      ['layerNorm', 'sub'],
    ],
  },
  misses: {
    'an axis in the middle': (s) => written(s, { axes: [1], shape: [2, 8, 8] }),
    'two axes': (s) => written(s, { axes: [1, 2] }),
    'the mean over another axis': (s) => written(s, { axes: [1], varianceAxes: [2], shape: [2, 8, 8] }),
    'the variance over another axis': (s) => written(s, { axes: [2], varianceAxes: [1], shape: [2, 8, 8] }),
    'without the axis of one cell': (s) => written(s, { keepDims: false, shape: [8, 8] }),
    'the variance without the axis of one cell': (s) => written(s, { varianceKeepDims: false, shape: [8, 8] }),
    'mean − x': (s) => written(s, { centred: (s, x, mean) => s.op('sub', [mean, x]) }),
    'x + mean': (s) => written(s, { centred: (s, x, mean) => s.op('add', [x, mean]) }),
    'the mean of another': (s) => written(s, { centred: (s, _, mean) => s.op('sub', [s.input([2, 3, 8]), mean]) }),
    cubes: (s) => written(s, { exponent: 3 }),
    '2 to the power of it': (s) => written(s, { squares: (s, c) => s.op('pow', [s.scalar(2), c]) }),
    'squares of x itself': (s) => written(s, { squares: (s, _, x) => s.op('square', [x]) }),
    'products with x': (s) => written(s, { squares: (s, c, x) => s.op('mul', [c, x]) }),
    'absolute values': (s) => written(s, { squares: (s, c) => s.op('abs', [c]) }),
    'a difference of ε': (s) => written(s, { sum: 'sub' }),
    'ε as a bound': (s) => written(s, { sum: 'max' }),
    'ε for each row': (s) => written(s, { epsilon: (s) => s.weight([3, 1], 0.1, 1) }),
    'ε that is computed': (s) => written(s, { epsilon: (s) => s.op('abs', [s.input([])]) }),
    'ε with more axes': (s) => written(s, { epsilonShape: [1, 1, 1, 1] }),
    'another root': (s) => written(s, { root: 'exp' }),
    'its mean is an output': (s) => written(s, { also: 'mean' }),
    'its variance is an output': (s) => written(s, { also: 'variance' }),
    'its variance with ε is an output': (s) => written(s, { also: 'sum' }),
    'its deviation is an output': (s) => written(s, { also: 'root' }),
    'its squares are an output': (s) => written(s, { also: 'squares' }),
  },
};

/** reshape, transpose, reshape. */
const shuffled = (s: Sketch, shape: number[], split: number[], perm: number[], last: number[]): Value[] => {
  const parts = s.op('reshape', [s.input(shape)], { shape: split });
  const swapped = s.op('transpose', [parts], { perm });
  return [s.op('reshape', [swapped], { shape: last }), swapped, parts];
};
const shuffle =
  (...of: [number[], number[], number[], number[]]): Drawing =>
  (s) =>
    shuffled(s, ...of)[0];

const channelShuffle: Recogniser = {
  takes: {
    'of images': [shuffle([2, 6, 3, 5], [2, 2, 3, 3, 5], [0, 2, 1, 3, 4], [2, 6, 3, 5]), ['channelShuffle']],
    'of rows': [shuffle([2, 6, 5], [2, 2, 3, 5], [0, 2, 1, 3], [2, 6, 5]), ['channelShuffle']],
    'of volumes': [
      shuffle([1, 6, 2, 2, 3], [1, 3, 2, 2, 2, 3], [0, 2, 1, 3, 4, 5], [1, 6, 2, 2, 3]),
      ['channelShuffle'],
    ],
    'with the parts as an output': [
      (s) => {
        const [y, , parts] = shuffled(s, [2, 6, 3, 5], [2, 2, 3, 3, 5], [0, 2, 1, 3, 4], [2, 6, 3, 5]);
        return [y, s.op('relu', [parts])];
      },
      ['reshape', 'transpose', 'reshape', 'relu'],
    ],
  },
  misses: {
    'two axes': shuffle([2, 6], [2, 2, 3], [0, 2, 1], [2, 6]),
    'spatial axes': shuffle([2, 6, 3, 3], [2, 2, 3, 3, 3], [0, 1, 2, 4, 3], [2, 6, 3, 3]),
    'the batch too': shuffle([2, 4, 3, 5], [2, 2, 2, 3, 5], [1, 2, 0, 3, 4], [2, 4, 3, 5]),
    'groups of the batch': shuffle([4, 3, 5], [2, 2, 3, 5], [0, 2, 1, 3], [2, 6, 5]),
    'another shape at the end': shuffle([2, 6, 3, 5], [2, 2, 3, 3, 5], [0, 2, 1, 3, 4], [2, 3, 6, 5]),
    'another shape in front': shuffle([2, 3, 6, 5], [2, 2, 3, 3, 5], [0, 2, 1, 3, 4], [2, 6, 3, 5]),
    'channels and rows': shuffle([2, 6, 4, 5], [2, 3, 2, 4, 5], [0, 3, 2, 1, 4], [2, 6, 4, 5]),
    'the swapped parts are an output': (s) =>
      shuffled(s, [2, 6, 3, 5], [2, 2, 3, 3, 5], [0, 2, 1, 3, 4], [2, 6, 3, 5]).slice(0, 2),
  },
};

export const norms = { layerNorm, channelShuffle };
