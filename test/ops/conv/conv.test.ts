import { describe, expect, test } from 'vitest';
import * as family from '../../../src/ops/conv/conv.ts';
import { execute } from '../../../src/ops/core/execute.ts';
import { extent, samePadding, windowOutput } from '../../../src/ops/window.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { jsBackend } from '../../support/js-backend.ts';
import { inferError, opTests } from '../harness.ts';

const { conv } = family;
opTests('conv', family);

const attrs = {
  stride: [1, 1],
  padBegin: [0, 0],
  padEnd: [0, 0],
  dilation: [1, 1],
  groups: 1,
  activation: null,
};

describe('conv by hand', () => {
  const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
  const weight = tensor([1, 0, 0, -1], [1, 1, 2, 2]);

  test('a 2×2 difference of a 3×3 image', () => {
    const [y] = execute(jsBackend(), conv, [x, weight, null, null], attrs);
    expect([...y.data]).toEqual([-4, -4, -4, -4]);
  });

  test('bias, residual, activation: in this order', () => {
    const bias = tensor([3]);
    const residual = tensor([0, 1, 2, 3], [1, 1, 2, 2]);
    const relu = { kind: 'relu', alpha: 0, beta: 0 } as const;
    const [y] = execute(jsBackend(), conv, [x, weight, bias, residual], { ...attrs, activation: relu });
    expect([...y.data]).toEqual([0, 0, 1, 2]);
  });

  test('padding, stride and dilation place the taps', () => {
    const given = { ...attrs, padBegin: [1, 0], padEnd: [0, 2], stride: [2, 1], dilation: [1, 2] };
    const [y] = execute(jsBackend(), conv, [x, weight, null, null], given);
    // Row 0 has its first tap in the padding, its second in x's row 0, two columns on.
    expect(y.shape).toEqual([1, 1, 2, 3]);
    expect([...y.data]).toEqual([-3, 0, 0, 4 - 9, 5, 6]);
  });
});

describe('conv: what does not fit', () => {
  const x = [1, 32, 8, 8];
  const weight = [64, 64, 3, 3];
  const ok = [8, 32, 3, 3];
  test.each([
    [
      'channels',
      [x, weight],
      {},
      'shape: conv: weight expects 64 input channels (64 × 1 groups), input has 32 (shape [1,32,8,8])',
    ],
    ['rank of x', [[8, 8], ok], {}, 'shape: conv: x expects rank 3 or 4 or 5, got rank 2 (shape [8,8])'],
    [
      'rank of weight',
      [x, [8, 32, 3]],
      {},
      'shape: conv: weight expects rank 4 like x (shape [1,32,8,8]), got shape [8,32,3]',
    ],
    ['empty kernel', [x, [8, 32, 0, 3]], {}, 'shape: conv: weight expects no empty axis, got shape [8,32,0,3]'],
    ['no weight', [x, null], {}, "missing-input: conv: needs input 'weight'"],
    ['stride 0', [x, ok], { stride: [0, 1] }, 'argument: conv: stride expects 2 whole numbers ≥ 1, got [0,1]'],
    ['too few strides', [x, ok], { stride: [1] }, 'argument: conv: stride expects 2 whole numbers ≥ 1, got [1]'],
    [
      'dilation 1.5',
      [x, ok],
      { dilation: [1, 1.5] },
      'argument: conv: dilation expects 2 whole numbers ≥ 1, got [1,1.5]',
    ],
    [
      'negative padding',
      [x, ok],
      { padEnd: [0, -1] },
      'argument: conv: padEnd expects 2 whole numbers ≥ 0, got [0,-1]',
    ],
    [
      'NaN padding',
      [x, ok],
      { padBegin: [Number.NaN, 0] },
      'argument: conv: padBegin expects 2 whole numbers ≥ 0, got [NaN,0]',
    ],
    ['groups 0', [x, ok], { groups: 0 }, 'argument: conv: groups expects 1 whole number ≥ 1, got [0]'],
    [
      'groups and outputs',
      [x, [9, 8, 3, 3]],
      { groups: 4 },
      'argument: conv: groups expects a divisor of 9 output channels, got 4',
    ],
    ['bias', [x, ok, [9]], {}, 'shape: conv: bias expects shape [8], got [9]'],
    ['residual', [x, ok, null, [1, 8, 8, 8]], {}, 'shape: conv: residual expects shape [1,8,6,6], got [1,8,8,8]'],
    [
      'empty output',
      [x, ok],
      { dilation: [1, 4] },
      'shape: conv: output would be empty: axis W expects at least 9 cells for kernel 3 with dilation 4, got 8 + padding 0 + 0',
    ],
  ] as const)('%s', (_, shapes, given, message) => {
    expect(inferError(conv, shapes, { ...attrs, ...given })).toBe(`ConvletError ${message}`);
  });

  test('dtypes', () => {
    const infos = [
      { dtype: 'float32', shape: x },
      { dtype: 'float64', shape: ok },
    ] as const;
    expect(() => conv.infer(infos, attrs)).toThrow('conv: weight expects float32 like x, got float64');
    expect(() => conv.infer([{ dtype: 'int32', shape: x }, infos[1]], attrs)).toThrow('conv: x expects float32 or');
  });
});

describe('output sizes', () => {
  const window = (stride: number, padBegin: number, padEnd: number, dilation = 1) => ({
    ...{ stride: [stride], padBegin: [padBegin], padEnd: [padEnd], dilation: [dilation] },
  });

  test('ceil mode drops a window that would start in the padding behind', () => {
    expect(windowOutput('pool', [5], [2], window(2, 0, 0), true)).toEqual([3]);
    expect(windowOutput('pool', [5], [2], window(2, 0, 0), false)).toEqual([2]);
    // (4 + 2 − 2)/3 = 1.33: the third window would start at 6 − 1 = 5, behind the 4 cells.
    expect(windowOutput('pool', [4], [2], window(3, 1, 1), true)).toEqual([2]);
    expect(windowOutput('pool', [6], [3], window(2, 1, 1, 2), true)).toEqual([3]);
    // One window of 5 cells over 4: it begins inside.
    expect(windowOutput('pool', [4], [3], window(3, 0, 0, 2), true)).toEqual([1]);
    expect(() => windowOutput('pool', [4], [3], window(1, 0, 0, 2), true)).toThrow('output would be empty: axis L');
  });

  test.each(['upper', 'lower'] as const)('same padding, odd cell %s, gives ceil(input / stride)', (odd) => {
    for (let input = 1; input <= 9; input++) {
      for (const kernel of [1, 2, 3, 4, 5]) {
        for (const stride of [1, 2, 3, 6]) {
          for (const dilation of [1, 2, 3]) {
            const { begin, end } = samePadding(input, kernel, stride, dilation, odd);
            const size = Math.floor((input + begin + end - extent(kernel, dilation)) / stride) + 1;
            expect(size).toBe(Math.ceil(input / stride));
            const difference = odd === 'upper' ? end - begin : begin - end;
            expect([0, 1]).toContain(difference);
          }
        }
      }
    }
  });
});
