// What tensors are expected to do: functions and methods by PyTorch's names, with PyTorch 1.13's values and gradients.
import { expect, test } from 'vitest';
import { type Variable, variable } from '../../src/autograd/index.ts';
import { F } from '../../src/nn/functional.ts';
import { describeEngines } from '../support/engines.ts';

type Row = readonly [
  name: string,
  body: (x: Variable) => Variable,
  dtype: string,
  shape: readonly number[],
  values: readonly number[],
  /** Of Σ y·w, w = 0.5, 1, 1.5, … */
  grad: readonly number[] | null,
];

const rows: readonly Row[] = [
  [
    'sort',
    (x) => x.sort(1).values,
    'float32',
    [3, 4],
    [-1.0, 0.5, 2.0, 3.0, -2.0, 0.25, 1.5, 4.0, -3.0, -0.5, 1.0, 2.5],
    [2.0, 0.5, 1.5, 1.0, 3.0, 4.0, 2.5, 3.5, 5.5, 5.0, 6.0, 4.5],
  ],
  [
    'sort descending',
    (x) => x.sort(0, true).values,
    'float32',
    [3, 4],
    [3.0, 4.0, 2.5, 1.5, 1.0, -0.5, 2.0, 0.5, 0.25, -1.0, -2.0, -3.0],
    [0.5, 5.0, 3.5, 4.0, 4.5, 1.0, 5.5, 2.0, 2.5, 3.0, 1.5, 6.0],
  ],
  ['argsort', (x) => x.argsort(1), 'int64', [3, 4], [1, 3, 2, 0, 2, 0, 3, 1, 3, 1, 0, 2], null],
  ['argmax', (x) => x.argmax(0), 'int64', [4], [0, 1, 2, 1], null],
  ['argmin of all', (x) => x.argmin(), 'int64', [], [11], null],
  [
    'repeat',
    (x) => x.repeat(2, 1, 2),
    'float32',
    [2, 3, 8],
    [
      3.0, -1.0, 2.0, 0.5, 3.0, -1.0, 2.0, 0.5, 0.25, 4.0, -2.0, 1.5, 0.25, 4.0, -2.0, 1.5, 1.0, -0.5, 2.5, -3.0, 1.0,
      -0.5, 2.5, -3.0, 3.0, -1.0, 2.0, 0.5, 3.0, -1.0, 2.0, 0.5, 0.25, 4.0, -2.0, 1.5, 0.25, 4.0, -2.0, 1.5, 1.0, -0.5,
      2.5, -3.0, 1.0, -0.5, 2.5, -3.0,
    ],
    [30.0, 32.0, 34.0, 36.0, 46.0, 48.0, 50.0, 52.0, 62.0, 64.0, 66.0, 68.0],
  ],
  [
    'tile',
    (x) => x.tile(2),
    'float32',
    [3, 8],
    [
      3.0, -1.0, 2.0, 0.5, 3.0, -1.0, 2.0, 0.5, 0.25, 4.0, -2.0, 1.5, 0.25, 4.0, -2.0, 1.5, 1.0, -0.5, 2.5, -3.0, 1.0,
      -0.5, 2.5, -3.0,
    ],
    [3.0, 4.0, 5.0, 6.0, 11.0, 12.0, 13.0, 14.0, 19.0, 20.0, 21.0, 22.0],
  ],
  [
    'maskedFill',
    (x) => x.maskedFill(x.gt(1), -7),
    'float32',
    [3, 4],
    [-7.0, -1.0, -7.0, 0.5, 0.25, -7.0, -2.0, -7.0, 1.0, -0.5, -7.0, -3.0],
    [0.0, 1.0, 0.0, 2.0, 2.5, 0.0, 3.5, 0.0, 4.5, 5.0, 0.0, 6.0],
  ],
  [
    'maskedSelect',
    (x) => x.maskedSelect(x.gt(1)),
    'float32',
    [5],
    [3.0, 2.0, 4.0, 1.5, 2.5],
    [0.5, 0.0, 1.0, 0.0, 0.0, 1.5, 0.0, 2.0, 0.0, 0.0, 2.5, 0.0],
  ],
  [
    'maskedSelect, broadcast',
    (x) => x.maskedSelect(variable([true, false, true, false])),
    'float32',
    [6],
    [3.0, 2.0, 0.25, -2.0, 1.0, 2.5],
    [0.5, 0.0, 1.0, 0.0, 1.5, 0.0, 2.0, 0.0, 2.5, 0.0, 3.0, 0.0],
  ],
  ['nonzero', (x) => x.gt(1).nonzero(), 'int64', [5, 2], [0, 0, 0, 2, 1, 1, 1, 3, 2, 2], null],
  [
    'scatter',
    (x) =>
      x.scatter(
        1,
        variable(new Int32Array([0, 2, 3, 1, 1, 0]), [3, 2]),
        variable([
          [9, 8],
          [7, 6],
          [5, 4],
        ]),
      ),
    'float32',
    [3, 4],
    [9.0, -1.0, 8.0, 0.5, 0.25, 6.0, -2.0, 7.0, 4.0, 5.0, 2.5, -3.0],
    [0.0, 1.0, 0.0, 2.0, 2.5, 0.0, 3.5, 0.0, 0.0, 0.0, 5.5, 6.0],
  ],
  [
    'scatter of a number',
    (x) => x.scatter(0, variable(new Int32Array([2, 0, 1, 1]), [1, 4]), 5),
    'float32',
    [3, 4],
    [3.0, 5.0, 2.0, 0.5, 0.25, 4.0, 5.0, 5.0, 5.0, -0.5, 2.5, -3.0],
    [0.5, 0.0, 1.5, 2.0, 2.5, 3.0, 0.0, 0.0, 0.0, 5.0, 5.5, 6.0],
  ],
  [
    'scatterAdd',
    (x) =>
      x.scatterAdd(
        1,
        variable(new Int32Array([0, 0, 3, 3, 1, 1]), [3, 2]),
        variable([
          [9, 8],
          [7, 6],
          [5, 4],
        ]),
      ),
    'float32',
    [3, 4],
    [20.0, -1.0, 2.0, 0.5, 0.25, 4.0, -2.0, 14.5, 1.0, 8.5, 2.5, -3.0],
    [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0],
  ],
  ['all', (x) => x.gt(-3).all(1), 'bool', [3], [1, 1, 0], null],
  ['any', (x) => x.lt(-2).any(1, true), 'bool', [3, 1], [0, 0, 1], null],
  ['all of numbers', (x) => x.all(), 'bool', [], [1], null],
  [
    'flip',
    (x) => x.flip(0, 1),
    'float32',
    [3, 4],
    [-3.0, 2.5, -0.5, 1.0, 1.5, -2.0, 4.0, 0.25, 0.5, 2.0, -1.0, 3.0],
    [6.0, 5.5, 5.0, 4.5, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 1.0, 0.5],
  ],
  [
    'flip, array',
    (x) => x.flip([1]),
    'float32',
    [3, 4],
    [0.5, 2.0, -1.0, 3.0, 1.5, -2.0, 4.0, 0.25, -3.0, 2.5, -0.5, 1.0],
    [2.0, 1.5, 1.0, 0.5, 4.0, 3.5, 3.0, 2.5, 6.0, 5.5, 5.0, 4.5],
  ],
  [
    'roll',
    (x) => x.roll(1, 0),
    'float32',
    [3, 4],
    [1.0, -0.5, 2.5, -3.0, 3.0, -1.0, 2.0, 0.5, 0.25, 4.0, -2.0, 1.5],
    [2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 0.5, 1.0, 1.5, 2.0],
  ],
  [
    'roll of all',
    (x) => x.roll(-5),
    'float32',
    [3, 4],
    [4.0, -2.0, 1.5, 1.0, -0.5, 2.5, -3.0, 3.0, -1.0, 2.0, 0.5, 0.25],
    [4.0, 4.5, 5.0, 5.5, 6.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5],
  ],
  [
    'roll of two axes',
    (x) => x.roll([1, 2], [0, 1]),
    'float32',
    [3, 4],
    [2.5, -3.0, 1.0, -0.5, 2.0, 0.5, 3.0, -1.0, -2.0, 1.5, 0.25, 4.0],
    [3.5, 4.0, 2.5, 3.0, 5.5, 6.0, 4.5, 5.0, 1.5, 2.0, 0.5, 1.0],
  ],
  [
    'reshape, array',
    (x) => x.reshape([2, 6]),
    'float32',
    [2, 6],
    [3.0, -1.0, 2.0, 0.5, 0.25, 4.0, -2.0, 1.5, 1.0, -0.5, 2.5, -3.0],
    [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0],
  ],
  [
    'permute, array',
    (x) => x.permute([1, 0]),
    'float32',
    [4, 3],
    [3.0, 0.25, 1.0, -1.0, 4.0, -0.5, 2.0, -2.0, 2.5, 0.5, 1.5, -3.0],
    [0.5, 2.0, 3.5, 5.0, 1.0, 2.5, 4.0, 5.5, 1.5, 3.0, 4.5, 6.0],
  ],
  [
    'T',
    (x) => x.T,
    'float32',
    [4, 3],
    [3.0, 0.25, 1.0, -1.0, 4.0, -0.5, 2.0, -2.0, 2.5, 0.5, 1.5, -3.0],
    [0.5, 2.0, 3.5, 5.0, 1.0, 2.5, 4.0, 5.5, 1.5, 3.0, 4.5, 6.0],
  ],
  [
    'chunk',
    (x) => F.cat(x.chunk(3, 1).reverse(), 1),
    'float32',
    [3, 4],
    [2.0, 0.5, 3.0, -1.0, -2.0, 1.5, 0.25, 4.0, 2.5, -3.0, 1.0, -0.5],
    [1.5, 2.0, 0.5, 1.0, 3.5, 4.0, 2.5, 3.0, 5.5, 6.0, 4.5, 5.0],
  ],
  [
    'split',
    (x) => F.cat(x.split([1, 3], 1).reverse(), 1),
    'float32',
    [3, 4],
    [-1.0, 2.0, 0.5, 3.0, 4.0, -2.0, 1.5, 0.25, -0.5, 2.5, -3.0, 1.0],
    [2.0, 0.5, 1.0, 1.5, 4.0, 2.5, 3.0, 3.5, 6.0, 4.5, 5.0, 5.5],
  ],
  [
    'unbind, stack',
    (x) => F.stack(x.unbind(1), 0),
    'float32',
    [4, 3],
    [3.0, 0.25, 1.0, -1.0, 4.0, -0.5, 2.0, -2.0, 2.5, 0.5, 1.5, -3.0],
    [0.5, 2.0, 3.5, 5.0, 1.0, 2.5, 4.0, 5.5, 1.5, 3.0, 4.5, 6.0],
  ],
  [
    'tril',
    (x) => x.tril(-1),
    'float32',
    [3, 4],
    [0.0, 0.0, 0.0, 0.0, 0.25, 0.0, 0.0, 0.0, 1.0, -0.5, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 2.5, 0.0, 0.0, 0.0, 4.5, 5.0, 0.0, 0.0],
  ],
  [
    'triu',
    (x) => x.triu(1),
    'float32',
    [3, 4],
    [0.0, -1.0, 2.0, 0.5, 0.0, 0.0, -2.0, 1.5, 0.0, 0.0, 0.0, -3.0],
    [0.0, 1.0, 1.5, 2.0, 0.0, 0.0, 3.5, 4.0, 0.0, 0.0, 0.0, 6.0],
  ],
  [
    'cumsum',
    (x) => x.cumsum(1),
    'float32',
    [3, 4],
    [3.0, 2.0, 4.0, 4.5, 0.25, 4.25, 2.25, 3.75, 1.0, 0.5, 3.0, 0.0],
    [5.0, 4.5, 3.5, 2.0, 13.0, 10.5, 7.5, 4.0, 21.0, 16.5, 11.5, 6.0],
  ],
  [
    'cumprod',
    (x) => x.cumprod(1),
    'float32',
    [3, 4],
    [3.0, -3.0, -6.0, -3.0, 0.25, 1.0, -2.0, -3.0, 1.0, -0.5, -1.25, 3.75],
    [-5.5, 18.0, -7.5, -12.0, -61.5, -4.0, 9.5, -8.0, 17.625, -26.25, 6.25, -7.5],
  ],
  [
    'logsumexp',
    (x) => x.logsumexp(1),
    'float32',
    [3],
    [3.38409, 4.10263, 2.74452],
    [0.34053, 0.00624, 0.12528, 0.02795, 0.02122, 0.90246, 0.00224, 0.07408, 0.26209, 0.05848, 1.17462, 0.0048],
  ],
  ['amax', (x) => x.amax([0, 1]), 'float32', [], [4.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]],
  [
    'expandAs',
    (x) => x.reshape(3, 1, 4).expandAs(F.zeros(3, 2, 4)),
    'float32',
    [3, 2, 4],
    [
      3.0, -1.0, 2.0, 0.5, 3.0, -1.0, 2.0, 0.5, 0.25, 4.0, -2.0, 1.5, 0.25, 4.0, -2.0, 1.5, 1.0, -0.5, 2.5, -3.0, 1.0,
      -0.5, 2.5, -3.0,
    ],
    [3.0, 4.0, 5.0, 6.0, 11.0, 12.0, 13.0, 14.0, 19.0, 20.0, 21.0, 22.0],
  ],
  [
    'F.sub of a number',
    (x) => F.sub(1, x),
    'float32',
    [3, 4],
    [-2.0, 2.0, -1.0, 0.5, 0.75, -3.0, 3.0, -0.5, 0.0, 1.5, -1.5, 4.0],
    [-0.5, -1.0, -1.5, -2.0, -2.5, -3.0, -3.5, -4.0, -4.5, -5.0, -5.5, -6.0],
  ],
  [
    'F.div of a number',
    (x) => F.div(2, x),
    'float32',
    [3, 4],
    [0.66667, -2.0, 1.0, 4.0, 8.0, 0.5, -1.0, 1.33333, 2.0, -4.0, 0.8, -0.66667],
    [-0.11111, -2.0, -0.75, -16.0, -80.0, -0.375, -1.75, -3.55556, -9.0, -40.0, -1.76, -1.33333],
  ],
  [
    'F.pow of a number',
    (x) => F.pow(2, x),
    'float32',
    [3, 4],
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: powers of 2 that happen to be it
    [8.0, 0.5, 4.0, 1.41421, 1.18921, 16.0, 0.25, 2.82843, 2.0, 0.70711, 5.65685, 0.125],
    [2.77259, 0.34657, 4.15888, 1.96052, 2.06074, 33.27106, 0.6065, 7.84206, 6.23832, 2.45065, 21.56568, 0.51986],
  ],
  [
    'F.maximum of a number',
    (x) => F.maximum(0.5, x),
    'float32',
    [3, 4],
    [3.0, 0.5, 2.0, 0.5, 0.5, 4.0, 0.5, 1.5, 1.0, 0.5, 2.5, 0.5],
    [0.5, 0.0, 1.5, 1.0, 0.0, 3.0, 0.0, 4.0, 4.5, 0.0, 5.5, 0.0],
  ],
  [
    'F.where',
    (x) => F.where(x.gt(1), x, 0),
    'float32',
    [3, 4],
    [3.0, 0.0, 2.0, 0.0, 0.0, 4.0, 0.0, 1.5, 0.0, 0.0, 2.5, 0.0],
    [0.5, 0.0, 1.5, 0.0, 0.0, 3.0, 0.0, 4.0, 0.0, 0.0, 5.5, 0.0],
  ],
  [
    'einsum ij,kj->ik',
    (x) => F.einsum('ij,kj->ik', x, x),
    'float32',
    [3, 3],
    [14.25, -6.5, 7.0, -6.5, 22.3125, -11.25, 7.0, -11.25, 16.5],
    [8.75, 8.5, 8.5, -10.0, 17.25, 13.5, 13.5, -12.0, 25.75, 18.5, 18.5, -14.0],
  ],
  [
    'einsum trace',
    (x) => F.einsum('ii', x.matmul(x.T)),
    'float32',
    [],
    [53.0625],
    [3.0, -1.0, 2.0, 0.5, 0.25, 4.0, -2.0, 1.5, 1.0, -0.5, 2.5, -3.0],
  ],
  [
    'einsum outer',
    (x) => F.einsum('i,j->ji', x.select(0, 0), x.select(0, 1)),
    'float32',
    [4, 4],
    [0.75, -0.25, 0.5, 0.125, 12.0, -4.0, 8.0, 2.0, -6.0, 2.0, -4.0, -1.0, 4.5, -1.5, 3.0, 0.75],
    [10.875, 12.75, 14.625, 16.5, 4.5, 13.5, 22.5, 31.5, 0.0, 0.0, 0.0, 0.0],
  ],
  [
    'einsum batch',
    (x) => F.einsum('b...,b...->b', x, x),
    'float32',
    [3],
    [14.25, 22.3125, 16.5],
    [3.0, -1.0, 2.0, 0.5, 0.5, 8.0, -4.0, 3.0, 3.0, -1.5, 7.5, -9.0],
  ],
  ['isnan', (x) => x.isnan(), 'bool', [3, 4], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], null],
  [
    'F.clamp',
    (x) => F.clamp(x, -1, 2),
    'float32',
    [3, 4],
    [2.0, -1.0, 2.0, 0.5, 0.25, 2.0, -1.0, 1.5, 1.0, -0.5, 2.0, -1.0],
    [0.0, 1.0, 1.5, 2.0, 2.5, 0.0, 0.0, 4.0, 4.5, 5.0, 0.0, 0.0],
  ],
  [
    'indexSelect',
    (x) => x.indexSelect(1, variable(new Int32Array([3, 0, 0]), [3])),
    'float32',
    [3, 3],
    [0.5, 3.0, 3.0, 1.5, 0.25, 0.25, -3.0, 1.0, 1.0],
    [2.5, 0.0, 0.0, 0.5, 5.5, 0.0, 0.0, 2.0, 8.5, 0.0, 0.0, 3.5],
  ],
  [
    'gather',
    (x) => x.gather(1, variable(new Int32Array([3, 0, 1]), [3, 1])),
    'float32',
    [3, 1],
    [0.5, 0.25, -0.5],
    [0.0, 0.0, 0.0, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 1.5, 0.0, 0.0],
  ],
  [
    'var',
    (x) => x.var(0),
    'float32',
    [4],
    [2.02083, 7.58333, 6.08333, 5.58333],
    [0.79167, -1.83333, 1.75, 1.66667, -0.58333, 3.16667, -4.25, 3.66667, -0.20833, -1.33333, 2.5, -5.33333],
  ],
];

describeEngines('methods', (use) => {
  use();

  test.each(rows)('%s', (_, body, dtype, shape, values, grad) => {
    const x = variable([3, -1, 2, 0.5, 0.25, 4, -2, 1.5, 1, -0.5, 2.5, -3], [3, 4], { requiresGrad: true });
    const y = body(x);
    expect([y.dtype, y.shape]).toEqual([dtype, shape]);
    y.data.forEach((value, i) => {
      expect(Math.abs(value - values[i])).toBeLessThanOrEqual(2e-5 * (1 + Math.abs(values[i])));
    });
    if (grad === null) return;
    const weights = variable(
      Float32Array.from({ length: y.size }, (_, i) => (i + 1) / 2),
      y.shape,
    );
    y.mul(weights).sum().backward();
    x.grad!.data.forEach((value, i) => {
      expect(Math.abs(value - grad[i]), `gradient ${i}`).toBeLessThanOrEqual(1e-4 * (1 + Math.abs(grad[i])));
    });
  });

  test('tolist, numel, dim, allclose', () => {
    const x = variable([
      [1, 2],
      [3, 4],
    ]);
    expect([x.tolist(), x.numel(), x.dim(), x.gt(2).tolist(), variable(5).tolist()]).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      4,
      2,
      [
        [false, false],
        [true, true],
      ],
      5,
    ]);
    expect(F.zeros(2, 0).tolist()).toEqual([[], []]);
    expect([x.allclose(x.add(1e-7)), x.allclose(x.add(0.1))]).toEqual([true, false]);
  });

  test('factory functions, with PyTorch’s types', () => {
    const of = (x: Variable) => [x.dtype, x.shape, x.tolist()];
    expect(of(F.zeros(2, 1))).toEqual(['float32', [2, 1], [[0], [0]]]);
    expect(of(F.ones([2], { dtype: 'int32' }))).toEqual(['int32', [2], [1, 1]]);
    expect(of(F.full([2], true))).toEqual(['bool', [2], [true, true]]);
    expect(of(F.full([1], 7))).toEqual(['int64', [1], [7]]);
    expect(of(F.full([1], 0.5))).toEqual(['float32', [1], [0.5]]);
    expect(of(F.arange(3))).toEqual(['int64', [3], [0, 1, 2]]);
    expect(of(F.arange(5, 0, -2))).toEqual(['int64', [3], [5, 3, 1]]);
    expect(of(F.arange(0, 1, 0.25))).toEqual(['float32', [4], [0, 0.25, 0.5, 0.75]]);
    expect(of(F.linspace(0, 1, 3))).toEqual(['float32', [3], [0, 0.5, 1]]);
    expect(of(F.eye(2, 3))).toEqual([
      'float32',
      [2, 3],
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ]);
    const x = variable(new Int32Array([1, 2]));
    expect(of(F.zerosLike(x))).toEqual(['int32', [2], [0, 0]]);
    expect(of(F.onesLike(x, { dtype: 'float32' }))).toEqual(['float32', [2], [1, 1]]);
    expect(F.zeros(2, { requiresGrad: true }).requiresGrad).toBe(true);
    expect(of(variable([[true], [false]]))).toEqual(['bool', [2, 1], [[true], [false]]]);
  });

  const wrong: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['einsum', () => F.einsum('ij->', F.eye(2), F.eye(2)), /equation 'ij->' does not fit 2 inputs/],
    ['einsum of a variable', () => F.einsum(F.eye(2) as never), /einsum: equation expects a text/],
    [
      'maskedFill',
      () => F.eye(2).maskedFill(F.eye(2), 0),
      /maskedFill: mask expects bool, got float32; use mask\.ne\(0\)/,
    ],
    ['where', () => F.where(F.eye(2), 1, 0), /where: condition expects bool/],
    ['repeat', () => F.eye(2).repeat(2), /repeat: expects a whole number ≥ 0 for each of at least 2 axes, got \[2\]/],
    ['split', () => F.eye(2).split([1, 2]), /split: axis 0 has 2 entries/],
    ['T', () => F.zeros(2).T, /T: expects a matrix/],
    ['arange', () => F.arange(0, 5, -1), /arange: step expects to lead from 0 to 5/],
    ['zeros', () => F.zeros(2, { dtyp: 'int32' } as never), /zeros: unknown option dtyp: did you mean dtype\?/],
    ['stack', () => F.stack([]), /stack: expects at least one variable/],
  ];
  test.each(wrong)('%s: what makes no sense is refused', (_, body, message) => {
    expect(body).toThrow(message);
  });
});
