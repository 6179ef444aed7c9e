// For every recogniser of src/graph/passes one graph that it takes, and for each of its conditions one that misses that alone.
import type { Value } from '../../src/graph/graph.ts';
import type { Drawing, Sketch } from './compare.ts';

interface Recogniser {
  /** Graphs that it takes, and what is left of them. */
  readonly takes: { readonly [name: string]: readonly [Drawing, readonly string[]] };
  /** Graphs that it must leave; a list where other passes do something, else all nodes are kept as they are. */
  readonly misses: { readonly [name: string]: Drawing | readonly [Drawing, readonly string[]] };
}

interface Clipped {
  readonly shift?: number;
  readonly low?: number;
  readonly high?: number;
  readonly six?: number;
  /** Shapes of the numbers that are added and divided by. */
  readonly shiftShape?: number[];
  readonly sixShape?: number[];
}

const shape = [3, 5];

/** clip(x + 3, 0, 6). */
const clipped = (s: Sketch, x: Value, { shift = 3, low = 0, high = 6, shiftShape }: Clipped = {}): Value =>
  s.op('clip', [s.op('add', [x, s.scalar(shift, shiftShape, x.dtype)])], { alpha: low, beta: high });
const bySix = (s: Sketch, x: Value, { six = 6, sixShape }: Clipped = {}): Value =>
  s.op('div', [x, s.scalar(six, sixShape, x.dtype)]);
/** clip(x + 3, 0, 6) / 6, and x times that. */
const gate = (s: Sketch, x: Value, of: Clipped = {}): Value => bySix(s, clipped(s, x, of), of);
const swish = (s: Sketch, x: Value, of: Clipped = {}): Value => bySix(s, s.op('mul', [x, clipped(s, x, of)]), of);

const bounds: Recogniser = {
  takes: {
    'min(relu(x), 6)': [(s) => s.op('min', [s.op('relu', [s.input(shape)]), s.scalar(6)]), ['clip']],
    'min(6, relu(x))': [(s) => s.op('min', [s.scalar(6), s.op('relu', [s.input(shape)])]), ['clip']],
    integers: [(s) => s.op('min', [s.op('relu', [s.input(shape, 'int32')]), s.scalar(6, [], 'int32')]), ['clip']],
    'a bound of 0': [(s) => s.op('min', [s.op('relu', [s.input(shape)]), s.scalar(0)]), ['clip']],
  },
  misses: {
    'max for min': (s) => s.op('max', [s.op('relu', [s.input(shape)]), s.scalar(6)]),
    'abs for relu': (s) => s.op('min', [s.op('abs', [s.input(shape)]), s.scalar(6)]),
    'a negative bound': (s) => s.op('min', [s.op('relu', [s.input(shape)]), s.scalar(-1)]),
    'a bound for each column': (s) => s.op('min', [s.op('relu', [s.input(shape)]), s.weight([5], 0, 4)]),
    'a bound that is computed': (s) => s.op('min', [s.op('relu', [s.input(shape)]), s.input([])]),
    'a bound with more axes': (s) => s.op('min', [s.op('relu', [s.input(shape)]), s.scalar(6, [1, 1, 1])]),
    'relu is used elsewhere': (s) => {
      const relu = s.op('relu', [s.input(shape)]);
      return [s.op('min', [relu, s.scalar(6)]), s.op('neg', [relu])];
    },
    'relu is an output': (s) => {
      const relu = s.op('relu', [s.input(shape)]);
      return [s.op('min', [relu, s.scalar(6)]), relu];
    },
  },
};

const hardSigmoid: Recogniser = {
  takes: {
    'clip(x + 3, 0, 6) / 6': [(s) => gate(s, s.input(shape)), ['hardSigmoid']],
    'times a sixth': [(s) => s.op('mul', [s.scalar(1 / 6), clipped(s, s.input(shape))]), ['hardSigmoid']],
    float64: [(s) => gate(s, s.input(shape, 'float64')), ['hardSigmoid']],
  },
  misses: {
    'x + 2': (s) => gate(s, s.input(shape), { shift: 2 }),
    'clip from 1': (s) => gate(s, s.input(shape), { low: 1 }),
    'clip to 5': (s) => gate(s, s.input(shape), { high: 5 }),
    'by 5': (s) => gate(s, s.input(shape), { six: 5 }),
    '6 by it': (s) => s.op('div', [s.scalar(6), clipped(s, s.input(shape))]),
    'minus 3': (s) => {
      const sum = s.op('sub', [s.input(shape), s.scalar(3)]);
      return bySix(s, s.op('clip', [sum], { alpha: 0, beta: 6 }));
    },
    'a shift for each column': (s) => {
      const sum = s.op('add', [s.input(shape), s.weight([5], 3, 3.5)]);
      return bySix(s, s.op('clip', [sum], { alpha: 0, beta: 6 }));
    },
    'six for each column': (s) => s.op('div', [clipped(s, s.input(shape)), s.weight([5], 6, 7)]),
    'plus a sixth': (s) => s.op('add', [clipped(s, s.input(shape)), s.scalar(1 / 6)]),
    'whole numbers': (s) => gate(s, s.input(shape, 'int32')),
    '3 with more axes': (s) => gate(s, s.input(shape), { shiftShape: [1, 1, 1] }),
    '6 with more axes': (s) => gate(s, s.input(shape), { sixShape: [1, 1, 1] }),
    'the clip is used elsewhere': (s) => {
      const clip = clipped(s, s.input(shape));
      return [bySix(s, clip), s.op('neg', [clip])];
    },
    'the sum is an output': (s) => {
      const sum = s.op('add', [s.input(shape), s.scalar(3)]);
      return [bySix(s, s.op('clip', [sum], { alpha: 0, beta: 6 })), sum];
    },
  },
};

const gated: Recogniser = {
  takes: {
    silu: [
      (s) => {
        const x = s.input(shape);
        return s.op('mul', [s.op('sigmoid', [x]), x]);
      },
      ['silu'],
    ],
    hardSwish: [
      (s) => {
        const x = s.input(shape);
        return s.op('mul', [x, s.op('hardSigmoid', [x], { alpha: 1 / 6, beta: 0.5 })]);
      },
      ['hardSwish'],
    ],
    mish: [
      (s) => {
        const x = s.input(shape);
        return s.op('mul', [s.op('tanh', [s.op('softplus', [x])]), x]);
      },
      ['mish'],
    ],
  },
  misses: {
    'sigmoid of another': (s) => s.op('mul', [s.input(shape), s.op('sigmoid', [s.input(shape)])]),
    'a sum': [
      (s) => {
        const x = s.input(shape);
        return s.op('add', [x, s.op('sigmoid', [x])]);
      },
      ['sigmoid', 'add'],
    ],
    'the gate is an output': (s) => {
      const x = s.input(shape);
      const sigmoid = s.op('sigmoid', [x]);
      return [s.op('mul', [x, sigmoid]), sigmoid];
    },
    'hardSigmoid by its defaults': (s) => {
      const x = s.input(shape);
      return s.op('mul', [x, s.op('hardSigmoid', [x])]);
    },
    'hardSigmoid with another shift': (s) => {
      const x = s.input(shape);
      return s.op('mul', [x, s.op('hardSigmoid', [x], { alpha: 1 / 6, beta: 0.4 })]);
    },
    'hardSigmoid of another': (s) => {
      const other = s.op('hardSigmoid', [s.input(shape)], { alpha: 1 / 6, beta: 0.5 });
      return s.op('mul', [s.input(shape), other]);
    },
    'tanh itself': (s) => {
      const x = s.input(shape);
      return s.op('mul', [x, s.op('tanh', [x])]);
    },
    'tanh of an exponential': (s) => {
      const x = s.input(shape);
      return s.op('mul', [x, s.op('tanh', [s.op('exp', [x])])]);
    },
    'softplus of another': (s) => s.op('mul', [s.input(shape), s.op('tanh', [s.op('softplus', [s.input(shape)])])]),
    'softplus with another slope': (s) => {
      const x = s.input(shape);
      return s.op('mul', [x, s.op('tanh', [s.op('softplus', [x], { alpha: 2, beta: 20 })])]);
    },
    'softplus that ends early': (s) => {
      const x = s.input(shape);
      return s.op('mul', [x, s.op('tanh', [s.op('softplus', [x], { alpha: 1, beta: 1 })])]);
    },
    'softplus is an output': (s) => {
      const x = s.input(shape);
      const softplus = s.op('softplus', [x]);
      return [s.op('mul', [x, s.op('tanh', [softplus])]), softplus];
    },
    'tanh is an output': (s) => {
      const x = s.input(shape);
      const tanh = s.op('tanh', [s.op('softplus', [x])]);
      return [s.op('mul', [x, tanh]), tanh];
    },
  },
};

const hardSwish: Recogniser = {
  takes: {
    'x · clip(x + 3, 0, 6) / 6': [(s) => swish(s, s.input(shape)), ['hardSwish']],
    'clip(x + 3, 0, 6) · x times a sixth': [
      (s) => {
        const x = s.input(shape);
        return s.op('mul', [s.op('mul', [clipped(s, x), x]), s.scalar(1 / 6)]);
      },
      ['hardSwish'],
    ],
    'x · (clip(x + 3, 0, 6) / 6)': [
      (s) => {
        const x = s.input(shape);
        return s.op('mul', [x, gate(s, x)]);
      },
      ['hardSwish'],
    ],
  },
  misses: {
    'x + 2': (s) => swish(s, s.input(shape), { shift: 2 }),
    'clip from −1': (s) => swish(s, s.input(shape), { low: -1 }),
    'clip to 1': (s) => swish(s, s.input(shape), { high: 1 }),
    'by 3': (s) => swish(s, s.input(shape), { six: 3 }),
    'another x': (s) => bySix(s, s.op('mul', [s.input(shape), clipped(s, s.input(shape))])),
    'a sum': (s) => {
      const x = s.input(shape);
      return bySix(s, s.op('add', [x, clipped(s, x)]));
    },
    'whole numbers': (s) => swish(s, s.input(shape, 'int32')),
    '3 with more axes': (s) => swish(s, s.input(shape), { shiftShape: [1, 1, 1] }),
    '6 with more axes': (s) => swish(s, s.input(shape), { sixShape: [1, 1, 1] }),
    'the product is used elsewhere': (s) => {
      const x = s.input(shape);
      const product = s.op('mul', [x, clipped(s, x)]);
      return [bySix(s, product), s.op('neg', [product])];
    },
    'the clip is an output': (s) => {
      const x = s.input(shape);
      const clip = clipped(s, x);
      return [bySix(s, s.op('mul', [x, clip])), clip];
    },
  },
};

interface Erf {
  readonly root?: number;
  readonly one?: number;
  readonly half?: number;
  readonly oneShape?: number[];
  readonly halfShape?: number[];
  readonly rootShape?: number[];
}

/** 1 + erf(x / √2). */
const erfSum = (s: Sketch, x: Value, { root = Math.SQRT2, one = 1, oneShape, rootShape }: Erf = {}): Value =>
  s.op('add', [s.op('erf', [s.op('div', [x, s.scalar(root, rootShape)])]), s.scalar(one, oneShape)]);
const erfGelu = (s: Sketch, x: Value, of: Erf = {}): Value =>
  s.op('mul', [s.op('mul', [x, erfSum(s, x, of)]), s.scalar(of.half ?? 0.5, of.halfShape)]);

const gelu: Recogniser = {
  takes: {
    'x · (1 + erf(x / √2)) · ½': [(s) => erfGelu(s, s.input(shape)), ['gelu']],
    '(½ · x) · (1 + erf(x · √½))': [
      (s) => {
        const x = s.input(shape);
        const erf = s.op('erf', [s.op('mul', [x, s.scalar(Math.SQRT1_2)])]);
        return s.op('mul', [s.op('mul', [s.scalar(0.5), x]), s.op('add', [s.scalar(1), erf])]);
      },
      ['gelu'],
    ],
    '((x · ¼) · (1 + erf)) · 2': [
      (s) => {
        const x = s.input(shape);
        return s.op('mul', [s.op('mul', [s.op('mul', [x, s.scalar(0.25)]), erfSum(s, x)]), s.scalar(2)]);
      },
      ['gelu'],
    ],
    'x · ((1 + erf) · ½)': [
      (s) => {
        const x = s.input(shape);
        return s.op('mul', [x, s.op('mul', [erfSum(s, x), s.scalar(0.5)])]);
      },
      ['gelu'],
    ],
  },
  misses: {
    'x once more': [
      (s) => {
        const x = s.input(shape);
        return s.op('mul', [erfGelu(s, x), x]);
      },
      ['gelu', 'mul'],
    ],
    'x / 2': (s) => erfGelu(s, s.input(shape), { root: 2 }),
    'x times √2': (s) => {
      const x = s.input(shape);
      const erf = s.op('erf', [s.op('mul', [x, s.scalar(Math.SQRT2)])]);
      return s.op('mul', [s.op('mul', [x, s.op('add', [erf, s.scalar(1)])]), s.scalar(0.5)]);
    },
    'x by √½': (s) => erfGelu(s, s.input(shape), { root: Math.SQRT1_2 }),
    '√2 by x': (s) => {
      const x = s.input(shape);
      const erf = s.op('erf', [s.op('div', [s.scalar(Math.SQRT2), x])]);
      return s.op('mul', [s.op('mul', [x, s.op('add', [erf, s.scalar(1)])]), s.scalar(0.5)]);
    },
    'x + √2': (s) => {
      const x = s.input(shape);
      const erf = s.op('erf', [s.op('add', [x, s.scalar(Math.SQRT2)])]);
      return s.op('mul', [s.op('mul', [x, s.op('add', [erf, s.scalar(1)])]), s.scalar(0.5)]);
    },
    '2 + erf': (s) => erfGelu(s, s.input(shape), { one: 2 }),
    '1 − erf': (s) => {
      const x = s.input(shape);
      const erf = s.op('erf', [s.op('div', [x, s.scalar(Math.SQRT2)])]);
      return s.op('mul', [s.op('mul', [x, s.op('sub', [s.scalar(1), erf])]), s.scalar(0.5)]);
    },
    'a third': (s) => erfGelu(s, s.input(shape), { half: 1 / 3 }),
    'tanh for erf': (s) => {
      const x = s.input(shape);
      const tanh = s.op('tanh', [s.op('div', [x, s.scalar(Math.SQRT2)])]);
      return s.op('mul', [s.op('mul', [x, s.op('add', [tanh, s.scalar(1)])]), s.scalar(0.5)]);
    },
    'erf of another': (s) => s.op('mul', [s.op('mul', [s.input(shape), erfSum(s, s.input(shape))]), s.scalar(0.5)]),
    'x twice within': (s) => {
      const x = s.input(shape);
      return s.op('mul', [s.op('mul', [s.op('mul', [x, x]), erfSum(s, x)]), s.scalar(0.5)]);
    },
    'a factor for each column': (s) => {
      const x = s.input(shape);
      return s.op('mul', [s.op('mul', [x, erfSum(s, x)]), s.weight([5])]);
    },
    '1 with more axes': (s) => erfGelu(s, s.input(shape), { oneShape: [1, 1, 1] }),
    '½ with more axes': (s) => erfGelu(s, s.input(shape), { halfShape: [1, 1, 1] }),
    '√2 with more axes': (s) => erfGelu(s, s.input(shape), { rootShape: [1, 1, 1] }),
    'the sum is an output': (s) => {
      const x = s.input(shape);
      const sum = erfSum(s, x);
      return [s.op('mul', [s.op('mul', [x, sum]), s.scalar(0.5)]), sum];
    },
    'the inner product is an output': (s) => {
      const x = s.input(shape);
      const product = s.op('mul', [x, erfSum(s, x)]);
      return [s.op('mul', [product, s.scalar(0.5)]), product];
    },
  },
};

const linear: Recogniser = {
  takes: {
    'x · 3 − 1': [(s) => s.op('add', [s.op('mul', [s.input(shape), s.scalar(3)]), s.scalar(-1)]), ['linear']],
    '2 + 3 · x': [(s) => s.op('add', [s.scalar(2, [1]), s.op('mul', [s.scalar(3), s.input(shape)])]), ['linear']],
  },
  misses: {
    'a scale for each column': (s) => s.op('add', [s.op('mul', [s.input(shape), s.weight([5])]), s.scalar(1)]),
    'a shift for each column': (s) => s.op('add', [s.op('mul', [s.input(shape), s.scalar(3)]), s.weight([5])]),
    'a difference': (s) => s.op('sub', [s.op('mul', [s.input(shape), s.scalar(3)]), s.scalar(1)]),
    'a quotient': (s) => s.op('add', [s.op('div', [s.input(shape), s.scalar(3)]), s.scalar(1)]),
    'whole numbers': (s) =>
      s.op('add', [s.op('mul', [s.input(shape, 'int32'), s.scalar(3, [], 'int32')]), s.scalar(1, [], 'int32')]),
    float64: (s) =>
      s.op('add', [s.op('mul', [s.input(shape, 'float64'), s.scalar(3, [], 'float64')]), s.scalar(1, [], 'float64')]),
    'a scale with more axes': (s) => s.op('add', [s.op('mul', [s.input(shape), s.scalar(3, [1, 1, 1])]), s.scalar(1)]),
    'a shift with more axes': (s) => s.op('add', [s.op('mul', [s.input(shape), s.scalar(3)]), s.scalar(1, [1, 1, 1])]),
    'the product is an output': (s) => {
      const product = s.op('mul', [s.input(shape), s.scalar(3)]);
      return [s.op('add', [product, s.scalar(1)]), product];
    },
  },
};

export const activationPatterns = { bounds, hardSigmoid, gated, hardSwish, gelu, linear };
export type { Drawing, Recogniser };
