// As near-misses.ts, for what is folded into convolutions and products or fused with them.
import type { Value } from '../../src/graph/graph.ts';
import type { Drawing, Sketch } from './compare.ts';
import type { Recogniser } from './near-misses.ts';

const image = [2, 4, 5, 6];

interface Pad {
  readonly begin?: number[];
  readonly end?: number[];
  readonly mode?: 'constant' | 'edge' | 'reflect';
  readonly value?: number;
}

const pad = (
  s: Sketch,
  x: Value,
  { begin = [0, 0, 1, 2], end = [0, 0, 0, 1], mode = 'constant', value = 0 }: Pad = {},
) => s.op('pad', [x], { begin, end, mode, value });
const padded =
  (of: Pad = {}): Drawing =>
  (s) =>
    s.conv(pad(s, s.input(image), of), 3, { stride: [2, 1] });

const padding: Recogniser = {
  takes: {
    'zeros around pixels': [padded(), ['conv']],
    'more than a kernel': [padded({ begin: [0, 0, 4, 5], end: [0, 0, 4, 4] }), ['conv']],
    'of two convolutions': [
      (s) => {
        const x = pad(s, s.input(image));
        return [s.conv(x, 3), s.conv(x, 2, { padBegin: [0, 0] })];
      },
      ['conv', 'conv'],
    ],
    'that another op needs too': [
      (s) => {
        const x = pad(s, s.input(image));
        return [s.conv(x, 3), s.op('neg', [x])];
      },
      ['pad', 'conv', 'neg'],
    ],
  },
  misses: {
    'another value': padded({ value: 0.5 }),
    edges: padded({ mode: 'edge' }),
    reflections: padded({ mode: 'reflect' }),
    'channels in front': padded({ begin: [0, 1, 1, 1] }),
    'channels behind': padded({ end: [0, 1, 1, 1] }),
    'a batch in front': padded({ begin: [1, 0, 1, 1] }),
    'a batch behind': padded({ end: [1, 0, 1, 1] }),
    'pixels cut off in front': padded({ begin: [0, 0, -1, 1] }),
    'pixels cut off behind': padded({ end: [0, 0, 1, -1] }),
    'a pool': (s) =>
      s.op('maxPool', [pad(s, s.input(image))], {
        ...{ kernel: [2, 2], stride: [1, 1], padBegin: [0, 0], padEnd: [0, 0], dilation: [1, 1] },
        ...{ ceilMode: false, indices: false, columnMajor: false, indexBase: 'plane' as const },
      }),
    'the weights': (s) => {
      const weight = pad(s, s.input([3, 4, 2, 2]), { begin: [0, 0, 1, 1], end: [0, 0, 0, 0] });
      const attrs = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1 };
      return s.op('conv', [s.input(image), weight, null], { ...attrs, activation: null });
    },
  },
};

/** What follows a convolution to 3 channels. */
const after =
  (next: (s: Sketch, y: Value) => Value | Value[], attrs = {}): Drawing =>
  (s) =>
    next(s, s.conv(s.input(image), 3, attrs));
const byConstant = (op: 'add' | 'sub' | 'mul' | 'div', shape: number[]) => (s: Sketch, y: Value) =>
  s.op(op, [y, s.weight(shape, 0.5, 2)]);

/** Rows of 5 times 5 × 3 (3 × 5), then what follows. */
const product =
  (next: (s: Sketch, y: Value) => Value, attrs: object = {}, b = [5, 3], a = [2, 4, 5]): Drawing =>
  (s) =>
    next(s, s.matmul(s.input(a), s.weight(b), attrs, null));

const affine: Recogniser = {
  takes: {
    'batch norm': [after((s, y) => s.batchNorm(y)), ['conv']],
    'batch norm of a convolution without bias, in groups': [
      (s) => s.batchNorm(s.conv(s.input(image), 6, { groups: 2 }, false)),
      ['conv'],
    ],
    'batch norm with its activation': [
      after((s, y) => {
        const parameters = [1, 2, 3].map(() => s.weight([3]));
        const attrs = { epsilon: 1e-5, activation: { kind: 'relu', alpha: 0, beta: 0 } } as const;
        return s.op('batchNorm', [y, ...parameters, s.weight([3], 1, 2)], attrs);
      }),
      ['conv+relu'],
    ],
    'batch norm without scale and shift': [
      after((s, y) =>
        s.op('batchNorm', [y, null, null, s.weight([3]), s.weight([3], 1, 2)], { epsilon: 0.1, activation: null }),
      ),
      ['conv'],
    ],
    'a scale per channel': [after(byConstant('mul', [1, 3, 1, 1])), ['conv']],
    'a quotient per channel': [after(byConstant('div', [3, 1, 1])), ['conv']],
    'a shift per channel': [after(byConstant('add', [3, 1, 1])), ['conv']],
    'a difference per channel': [after(byConstant('sub', [3, 1, 1])), ['conv']],
    'a shift on the left': [after((s, y) => s.op('add', [s.weight([3, 1, 1]), y])), ['conv']],
    'one number': [after(byConstant('mul', [])), ['conv']],
    'one number with axes': [after(byConstant('sub', [1, 1])), ['conv']],
    'a transposed convolution in groups': [
      (s) => s.batchNorm(s.convTranspose(s.input(image), 6, 2)),
      ['convTranspose'],
    ],
    'columns of a product': [product(byConstant('mul', [3])), ['matmul']],
    'columns of a product with bᵀ': [product(byConstant('mul', [3]), { transposeB: true }, [3, 5]), ['matmul']],
    'columns of a square product': [product(byConstant('mul', [5]), {}, [5, 5]), ['matmul']],
    'columns of a square product with bᵀ': [product(byConstant('mul', [5]), { transposeB: true }, [5, 5]), ['matmul']],
    'columns of a product with aᵀ': [product(byConstant('add', [3]), { transposeA: true }, [4, 3], [4, 2]), ['matmul']],
    'two convolutions of one weight, by name the same, with biases of their own': [
      (s) => {
        const [x, weight, by] = [s.input(image), s.weight([3, 4, 3, 3]), s.scalar(2)];
        const attrs = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1 };
        return [1, 2].map(() =>
          s.op('mul', [s.op('conv', [x, weight, s.weight([3])], { ...attrs, activation: null }), by]),
        );
      },
      ['conv', 'conv'],
    ],
    'square products of one weight as it is and transposed': [
      (s) => {
        const [x, weight, by] = [s.input([4, 5]), s.weight([5, 5]), s.weight([5])];
        return [false, true].map((transposeB) => s.op('mul', [s.matmul(x, weight, { transposeB }), by]));
      },
      ['matmul', 'matmul'],
    ],
  },
  misses: {
    'a constant by it': after((s, y) => s.op('div', [s.weight([3, 1, 1], 1, 2), y])),
    'a constant minus it': after((s, y) => s.op('sub', [s.weight([3, 1, 1]), y])),
    'the larger of both': after((s, y) => s.op('max', [y, s.weight([3, 1, 1])])),
    'zero among the divisors': after((s, y) => s.op('div', [y, s.scalar(0)])),
    'infinite factors': after((s, y) => s.op('mul', [y, s.scalar(Number.POSITIVE_INFINITY)])),
    'a variance of zero': after((s, y) =>
      s.op('batchNorm', [y, ...[1, 2, 3].map(() => s.weight([3])), s.weight([3], 0, 0)], {
        epsilon: 0,
        activation: null,
      }),
    ),
    'a value per column': after(byConstant('mul', [6])),
    'a value per row': after(byConstant('mul', [5, 1])),
    'a value per pixel': after(byConstant('add', [5, 6])),
    'a value per image': after(byConstant('mul', [2, 1, 1, 1])),
    'a value per image and channel': after(byConstant('mul', [2, 3, 1, 1])),
    'a value per channel and column': after(byConstant('add', [3, 1, 6])),
    'as many columns as channels': (s) => byConstant('mul', [5])(s, s.conv(s.input([1, 4, 5, 5]), 5)),
    'more axes': after(byConstant('mul', [1, 1, 1, 1, 1])),
    'more images': (s) => byConstant('mul', [2, 1, 1, 1])(s, s.conv(s.input([1, 4, 5, 6]), 1)),
    'a constant of all channels for one': (s) => byConstant('mul', [3, 1, 1])(s, s.conv(s.input(image), 1)),
    'what is computed': after((s, y) => s.op('mul', [y, s.input([3, 1, 1])])),
    'parameters that are computed': after((s, y) => s.batchNorm(y, s.op('abs', [s.input([3])]))),
    'what has an activation': [
      after((s, y) => s.op('mul', [s.op('relu', [y]), s.weight([3, 1, 1])])),
      ['conv+relu', 'mul'],
    ],
    'with an activation of its own': after((s, y) =>
      s.op('add', [y, s.weight([3, 1, 1])], { activation: { kind: 'relu', alpha: 0, beta: 0 } }),
    ),
    'a weight that is computed': (s) => {
      const attrs = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1 };
      const y = s.op('conv', [s.input(image), s.input([3, 4, 3, 3]), null], { ...attrs, activation: null });
      return s.op('mul', [y, s.weight([3, 1, 1])]);
    },
    'a bias that is computed': (s) => {
      const attrs = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1 };
      const y = s.op('conv', [s.input(image), s.weight([3, 4, 3, 3]), s.input([3])], { ...attrs, activation: null });
      return s.op('mul', [y, s.weight([3, 1, 1])]);
    },
    'a residual inside': (s) => {
      const attrs = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1 };
      const inputs = [s.input(image), s.weight([3, 4, 3, 3]), null, s.input([2, 3, 5, 6])];
      return s.op('mul', [s.op('conv', inputs, { ...attrs, activation: null }), s.weight([3, 1, 1])]);
    },
    'an activation inside': (s) => {
      const activation = { kind: 'tanh', alpha: 0, beta: 0 } as const;
      return s.op('mul', [s.conv(s.input(image), 3, { activation }), s.weight([3, 1, 1])]);
    },
    'the convolution is an output': after((s, y) => [s.op('mul', [y, s.weight([3, 1, 1])]), y]),
    'the convolution twice': after((s, y) => s.op('mul', [y, y])),
    'rows of a product': product(byConstant('mul', [4, 1])),
    'rows of a square product': product(byConstant('mul', [4, 1]), {}, [5, 4]),
    'a product times α': product(byConstant('add', [3]), { alpha: 0.5 }),
    'a product for each image': product(byConstant('mul', [3]), {}, [2, 5, 3]),
    'a product with a vector': product(byConstant('mul', [4]), {}, [5]),
    'a batch norm of a product': (s) => s.batchNorm(s.matmul(s.input([2, 4, 5]), s.weight([5, 3]))),
    'a constant on the left': (s) => s.op('mul', [s.matmul(s.weight([4, 5]), s.input([5, 3])), s.weight([3])]),
    'columns that another product has': (s) =>
      s.op('mul', [s.matmul(s.input([4, 5]), s.weight([5, 1])), s.weight([3])]),
    float64: (s) => {
      const double = (of: number[]): Value => s.op('cast', [s.weight(of)], { to: 'float64' });
      return s.op('mul', [s.matmul(s.input([4, 5], 'float64'), double([5, 3])), double([3])]);
    },
  },
};

const residual: Recogniser = {
  takes: {
    'conv + x': [after((s, y) => s.op('add', [y, s.input([2, 3, 5, 6])])), ['conv+add']],
    'x + conv': [after((s, y) => s.op('add', [s.input([2, 3, 5, 6]), y])), ['conv+add']],
    'the later of two': [after((s, y) => s.op('add', [s.conv(s.inputs[0], 3), y])), ['conv', 'conv+add']],
    'the one that may': [
      (s) => {
        const [a, b] = [s.conv(s.input(image), 3), s.conv(s.inputs[0], 3)];
        return [s.op('add', [a, b]), s.op('neg', [b])];
      },
      ['conv', 'conv+add', 'neg'],
    ],
    'one of three': [
      after((s, y) => s.op('add', [s.op('add', [y, s.input([2, 3, 5, 6])]), s.input([2, 3, 5, 6])])),
      ['conv+add', 'add'],
    ],
    'before an activation': [
      after((s, y) => s.op('relu', [s.op('add', [y, s.input([2, 3, 5, 6])])])),
      ['conv+add+relu'],
    ],
  },
  misses: {
    'the convolution twice': after((s, y) => s.op('add', [y, y])),
    'a difference': after((s, y) => s.op('sub', [y, s.input([2, 3, 5, 6])])),
    'a vector': after((s, y) => s.op('add', [y, s.input([3, 1, 1])])),
    'a wider one': (s) => s.op('add', [s.conv(s.input([1, 4, 5, 6]), 3), s.input([2, 3, 5, 6])]),
    'one with more axes': after((s, y) => s.op('add', [y, s.input([1, 2, 3, 5, 6])])),
    'a constant': after((s, y) => s.op('add', [y, s.weight([2, 3, 5, 6])])),
    'a sum with an activation of its own': after((s, y) =>
      s.op('add', [y, s.input([2, 3, 5, 6])], { activation: { kind: 'relu', alpha: 0, beta: 0 } }),
    ),
    'what has an activation': [
      after((s, y) => s.op('add', [s.op('relu', [y]), s.input([2, 3, 5, 6])])),
      ['conv+relu', 'add'],
    ],
    'an activation inside': (s) => {
      const activation = { kind: 'tanh', alpha: 0, beta: 0 } as const;
      return s.op('add', [s.conv(s.input(image), 3, { activation }), s.input([2, 3, 5, 6])]);
    },
    'a residual inside': (s) => {
      const attrs = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1 };
      const inputs = [s.input(image), s.weight([3, 4, 3, 3]), null, s.input([2, 3, 5, 6])];
      return s.op('add', [s.op('conv', inputs, { ...attrs, activation: null }), s.input([2, 3, 5, 6])]);
    },
    'the convolution is an output': after((s, y) => [s.op('add', [y, s.input([2, 3, 5, 6])]), y]),
    'a product': (s) => s.op('add', [s.matmul(s.input([4, 5]), s.weight([5, 3])), s.input([4, 3])]),
  },
};

const relu = (s: Sketch, x: Value): Value => s.op('relu', [x]);

export const activation: Recogniser = {
  takes: {
    'of a convolution': [after(relu), ['conv+relu']],
    'of a product': [product((s, y) => s.op('tanh', [y])), ['matmul+tanh']],
    'of a sum': [(s) => relu(s, s.op('add', [s.input(image), s.input(image)])), ['add+relu']],
    'the first of two': [after((s, y) => s.op('tanh', [relu(s, y)])), ['conv+relu', 'tanh']],
    'with its numbers': [after((s, y) => s.op('leakyRelu', [y], { alpha: 0.3 })), ['conv+leakyRelu']],
    'by its defaults': [after((s, y) => s.op('elu', [y])), ['conv+elu']],
  },
  misses: {
    'of a convolution that is an output': after((s, y) => [relu(s, y), y]),
    'of a convolution with two users': after((s, y) => [relu(s, y), s.op('tanh', [y])]),
    'of whole numbers': (s) => relu(s, s.op('add', [s.input(image, 'int32'), s.input(image, 'int32')])),
    'of doubles': (s) => relu(s, s.op('add', [s.input(image, 'float64'), s.input(image, 'float64')])),
    'of a maximum': (s) => relu(s, s.op('max', [s.input(image), s.input(image)])),
    'on an activation': (s) => relu(s, s.conv(s.input(image), 3, { activation: { kind: 'tanh', alpha: 0, beta: 0 } })),
    'that no kernel knows': after((s, y) => s.op('sin', [y])),
  },
};

export const structures = { padding, affine, residual };
