import { describe, expect, test } from 'vitest';
import { execute } from '../../../src/ops/core/execute.ts';
import { maxUnpool } from '../../../src/ops/pool/max-unpool.ts';
import * as family from '../../../src/ops/pool/pool.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { jsBackend } from '../../support/js-backend.ts';
import { inferError, opTests } from '../harness.ts';

const { averagePool, maxPool, lpPool, adaptiveAveragePool, adaptiveMaxPool, globalAveragePool } = family;
opTests('pool', family);

const js = jsBackend();
const window = { kernel: [2], stride: [2], padBegin: [1], padEnd: [1], dilation: [1], ceilMode: false };

describe('pools by hand', () => {
  const x = tensor([1, 5, 3, 4, 2], [1, 1, 5]);

  test('padding never wins a maximum, the first of equals counts', () => {
    const y = execute(js, maxPool, [tensor([-1, -1, -3, -2], [1, 1, 4])], {
      ...{ ...window, indices: true, indexBase: 'plane', columnMajor: false },
    });
    expect([...y[0].data]).toEqual([-1, -1, -2]);
    expect([...y[1].data]).toEqual([0, 1, 3]);
    expect(y[1].dtype).toBe('int64');
  });

  test('NaN wins a maximum', () => {
    const given = {
      ...window,
      padBegin: [0],
      padEnd: [0],
      indices: false,
      indexBase: 'plane',
      columnMajor: false,
    } as const;
    const [y] = execute(js, maxPool, [tensor([1, Number.NaN, 2, 3], [1, 1, 4])], given);
    expect([...y.data]).toEqual([Number.NaN, 3]);
  });

  test('divisors: with padding, without, given', () => {
    const of = (given: object): number[] => {
      const attrs = { ...window, countIncludePad: true, divisorOverride: 0, ...given };
      return [...execute(js, averagePool, [x], attrs)[0].data];
    };
    expect(of({})).toEqual([0.5, 4, 3]);
    expect(of({ countIncludePad: false })).toEqual([1, 4, 3]);
    expect(of({ divisorOverride: 4 })).toEqual([0.25, 2, 1.5]);
    // Ceil mode: the last window ends behind the padding, which bounds its count.
    expect(of({ kernel: [3], stride: [3], padEnd: [0], ceilMode: true })).toEqual([2, 3]);
    expect(of({ kernel: [3], stride: [4], padBegin: [0], padEnd: [0], ceilMode: true, countIncludePad: true })).toEqual(
      [3, 2],
    );
  });

  test('p norm', () => {
    const [y] = execute(js, lpPool, [tensor([3, -4, 0, 2], [1, 1, 4])], {
      ...window,
      padBegin: [0],
      padEnd: [0],
      p: 2,
    });
    expect([...y.data]).toEqual([5, 2]);
  });

  test('indices in the whole tensor, columns first', () => {
    const image = tensor([0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 9, 0], [1, 2, 2, 3]);
    const attrs = {
      ...{ kernel: [2, 3], stride: [1, 1], padBegin: [0, 0], padEnd: [0, 0], dilation: [1, 1], ceilMode: false },
      indices: true,
    };
    const at = (indexBase: 'plane' | 'tensor', columnMajor: boolean): number[] => [
      ...execute(js, maxPool, [image], { ...attrs, indexBase, columnMajor })[1].data,
    ];
    expect(at('plane', false)).toEqual([5, 4]);
    expect(at('tensor', false)).toEqual([5, 10]);
    expect(at('plane', true)).toEqual([5, 3]);
    expect(at('tensor', true)).toEqual([5, 9]);
  });

  test('adaptive windows overlap where sizes do not divide', () => {
    const [y] = execute(js, adaptiveAveragePool, [x], { outputSize: [2], indices: false });
    expect([...y.data]).toEqual([3, 3]);
    const [top, places] = execute(js, adaptiveMaxPool, [x], { outputSize: [3], indices: true });
    expect([...top.data]).toEqual([5, 5, 4]);
    expect([...places.data]).toEqual([1, 1, 3]);
  });

  test('maxUnpool undoes maxPool', () => {
    const indices = tensor([1, 3], [1, 1, 2], 'int64');
    const [y] = execute(js, maxUnpool, [tensor([5, 4], [1, 1, 2]), indices], { outputSize: [5], indexBase: 'plane' });
    expect([...y.data]).toEqual([0, 5, 0, 4, 0]);
    const bad = tensor([1, 5], [1, 1, 2], 'int64');
    expect(() =>
      execute(js, maxUnpool, [tensor([5, 4], [1, 1, 2]), bad], { outputSize: [5], indexBase: 'plane' }),
    ).toThrow('maxUnpool: indices expect 0…4, got 5');
  });
});

describe('pools: what does not fit', () => {
  const x = [1, 3, 6, 6];
  const two = {
    ...{ kernel: [3, 3], stride: [1, 1], padBegin: [0, 0], padEnd: [0, 0], dilation: [1, 1], ceilMode: false },
    ...{ indices: false, indexBase: 'plane', columnMajor: false, countIncludePad: true, divisorOverride: 0, p: 2 },
  };
  test.each([
    ['kernel 0', maxPool, [x], { kernel: [0, 3] }, 'argument: maxPool: kernel expects 2 whole numbers ≥ 1, got [0,3]'],
    [
      'kernel of another rank',
      averagePool,
      [x],
      { kernel: [3] },
      'argument: averagePool: kernel expects 2 whole numbers ≥ 1, got [3]',
    ],
    [
      'padding as large as the window',
      maxPool,
      [x],
      { padBegin: [0, 3] },
      "argument: maxPool: padBegin of axis W expects less than the window's 3 cells, got 3",
    ],
    ['stride', lpPool, [x], { stride: [1, -1] }, 'argument: lpPool: stride expects 2 whole numbers ≥ 1, got [1,-1]'],
    ['p', lpPool, [x], { p: 0 }, 'argument: lpPool: p expects a number > 0, got 0'],
    [
      'divisor',
      averagePool,
      [x],
      { divisorOverride: -2 },
      'argument: averagePool: divisorOverride expects 1 whole number ≥ 0, got [-2]',
    ],
    ['index base', maxPool, [x], { indexBase: 'row' }, 'argument: maxPool: indexBase expects plane or tensor, got row'],
    [
      'empty output',
      maxPool,
      [x],
      { kernel: [3, 7] },
      'shape: maxPool: output would be empty: axis W expects at least 7 cells for kernel 7 with dilation 1, got 6 + padding 0 + 0',
    ],
    [
      'output size',
      adaptiveMaxPool,
      [x],
      { outputSize: [0, 1] },
      'argument: adaptiveMaxPool: outputSize expects 2 whole numbers ≥ 1, got [0,1]',
    ],
    [
      'places of an average',
      adaptiveAveragePool,
      [x],
      { outputSize: [1, 1], indices: true },
      'argument: adaptiveAveragePool: indices expects false, an average has no place',
    ],
    [
      'nothing to pool',
      globalAveragePool,
      [[1, 3, 0, 6]],
      {},
      'shape: globalAveragePool: output would be undefined: axis H expects ≥ 1 cells, got 0',
    ],
  ] as const)('%s', (_, op, shapes, given, message) => {
    expect(inferError(op as typeof maxPool, shapes, { ...two, ...given })).toBe(`ConvletError ${message}`);
  });

  test('indices like x', () => {
    const infos = [
      { dtype: 'float32', shape: [1, 3, 2, 2] },
      { dtype: 'int64', shape: [1, 3, 2, 1] },
    ] as const;
    expect(() => maxUnpool.infer(infos, { outputSize: [4, 4], indexBase: 'plane' })).toThrow(
      'maxUnpool: indices expects shape [1,3,2,2], got [1,3,2,1]',
    );
  });
});
