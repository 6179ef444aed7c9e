import { describe, expect, test } from 'vitest';
import {
  anything,
  checkCall,
  checkOptions,
  fits,
  flag,
  inside,
  type Known,
  kind,
  number,
  oneOf,
  refuse,
  whole,
  withDefaults,
} from '../../src/common/options.ts';

const known: Known = {
  stride: number,
  padding: number,
  dilation: number,
  bias: flag,
  paddingMode: oneOf('zeros', 'reflect'),
  lr: number,
  weightDecay: number,
  eps: number,
  batchSize: whole(1),
  stopping: inside({ patience: whole(1), restoreBest: flag }),
  hook: kind('a function', (value) => typeof value === 'function'),
  any: anything,
};

/** Options and what is said about them. */
const wrong: [unknown, string][] = [
  [{ pading: 1 }, 'f: unknown option pading: did you mean padding?'],
  [{ stirde: 1 }, 'f: unknown option stirde: did you mean stride?'],
  [{ weight_decay: 1 }, 'f: unknown option weight_decay: did you mean weightDecay?'],
  [{ batch_size: 1 }, 'f: unknown option batch_size: did you mean batchSize?'],
  [{ padding_mode: 'zeros' }, 'f: unknown option padding_mode: did you mean paddingMode?'],
  [{ BatchSize: 1 }, 'f: unknown option BatchSize: did you mean batchSize?'],
  [{ learning_rate: 1 }, 'f: unknown option learning_rate: did you mean lr?'],
  [{ learningRate: 1 }, 'f: unknown option learningRate: did you mean lr?'],
  [{ wd: 1 }, 'f: unknown option wd: did you mean weightDecay?'],
  [{ epsilon: 1 }, 'f: unknown option epsilon: did you mean eps?'],
  [{ foo: 1 }, `f: unknown option foo; it has ${Object.keys(known).join(', ')}`],
  [{ constructor: 1 }, `f: unknown option constructor; it has ${Object.keys(known).join(', ')}`],
  [JSON.parse('{"__proto__": 1}'), `f: unknown option __proto__; it has ${Object.keys(known).join(', ')}`],
  [Object.create({ pading: 1 }), 'f: unknown option pading: did you mean padding?'],
  [{ kernel_size: 1 }, 'f: unknown option kernel_size: did you mean the argument kernelSize? f(x, 3, { … })'],
  [{ stride: '2' }, 'f: stride expects a number, got 2'],
  [{ bias: 0 }, 'f: bias expects true or false, got 0'],
  [{ bias: null }, 'f: bias expects true or false, got null'],
  [{ paddingMode: 'Zeros' }, 'f: paddingMode expects zeros or reflect, got Zeros'],
  [{ batchSize: 1.5 }, 'f: batchSize expects a whole number ≥ 1, got 1.5'],
  [{ hook: { a: 1 } }, 'f: hook expects a function, got { a }'],
  [{ stopping: { patiance: 1 } }, 'f: unknown option stopping.patiance: did you mean patience?'],
  [{ stopping: { patience: 0 } }, 'f: stopping.patience expects a whole number ≥ 1, got 0'],
  [{ stopping: 3 }, 'f: stopping expects an object of options, got 3'],
  [null, 'f: expects options by name, got null: f(x, 3, { … })'],
  [2, 'f: expects options by name, got 2: f(x, 3, { stride: 2 })'],
  [false, 'f: expects options by name, got false: f(x, 3, { bias: false })'],
  ['reflect', "f: expects options by name, got reflect: f(x, 3, { paddingMode: 'reflect' })"],
  [[2, 3], 'f: expects options by name, got [2, 3]: f(x, 3, { … })'],
  [[], 'f: expects options by name, got []: f(x, 3, { … })'],
  [() => 1, 'f: expects options by name, got a function: f(x, 3, { … })'],
  [Float32Array.of(1), 'f: expects options by name, got Float32Array: f(x, 3, { … })'],
];

describe('options', () => {
  test.each(wrong)('%j is refused', (options, message) => {
    expect(fits(options, known)).toBe(false);
    expect(() => refuse('f', options, known, { x: {}, kernelSize: 3 })).toThrow(
      expect.objectContaining({ name: 'ConvletError', code: 'argument', message }),
    );
  });

  test('those that fit', () => {
    const fitting = [
      undefined,
      {},
      { stride: 1 },
      { stride: undefined, any: null },
      { stopping: {} },
      Object.create(null),
    ];
    for (const options of fitting) expect(() => checkOptions('f', options, known)).not.toThrow();
  });

  test('without any: all are refused', () => {
    expect(() => checkOptions('f', { inplace: true }, {})).toThrow('f: unknown option inplace; it has none');
  });

  test('an option that is undefined is not given', () => {
    expect(withDefaults({ lr: 1, eps: 2 }, { lr: undefined, eps: 3 })).toEqual({ lr: 1, eps: 3 });
  });
});

describe('calls', () => {
  const signature = {
    args: { size: whole(1), kernelSize: number },
    options: { stride: number, padding: number, bias: flag },
  };
  const calls: [unknown[], string | null][] = [
    [[2, 3], null],
    [[2, 3, {}], null],
    [[2, 3, undefined, undefined], null],
    [[2, 3, { stride: 1 }], null],
    [[2, 3, 2, 1], 'Conv: expects options by name, got 2, 1: new Conv(2, 3, { stride: 2, padding: 1 })'],
    [[2, 3, 2, false], 'Conv: expects options by name, got 2, false: new Conv(2, 3, { stride: 2, bias: false })'],
    [[2, 3, { stride: 1 }, 1], 'Conv: expects no more arguments, got 1: new Conv(2, 3, { … })'],
    [[2, '3'], 'Conv: kernelSize expects a number, got 3: new Conv(2, kernelSize, { … })'],
    [[{ size: 2 }], 'Conv: size expects a whole number ≥ 1, got { size }: new Conv(size, kernelSize, { … })'],
  ];
  test.each(calls)('%j', (given, message) => {
    const call = () => checkCall('Conv', signature, given);
    if (message === null) expect(call).not.toThrow();
    else expect(call).toThrow(expect.objectContaining({ code: 'argument', message }));
  });

  test('options that must be given', () => {
    const needs = { args: {}, options: { gamma: number }, required: ['gamma'] };
    expect(() => checkCall('StepLR', needs, [])).toThrow('StepLR: gamma expects a number, got undefined');
    expect(() => checkCall('StepLR', needs, [{ gamma: 1 }])).not.toThrow();
  });

  test('functions without options', () => {
    expect(() => checkCall('ReLU', { args: {} }, [true])).toThrow(
      'ReLU: expects no more arguments, got true: new ReLU()',
    );
  });
});
