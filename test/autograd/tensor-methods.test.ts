// What tensors are expected to do: functions and methods by PyTorch's names, with PyTorch 1.13's values and gradients.
import { expect, test } from 'vitest';
import { type Variable, variable } from '../../src/autograd/index.ts';
import { F } from '../../src/nn/functional.ts';
import { describeEngines } from '../support/engines.ts';
import { computing } from './torch-computing.ts';
import { moving } from './torch-moving.ts';

describeEngines('methods', (use) => {
  use();

  test.each([...moving, ...computing])('%s', (_, body, dtype, shape, values, grad) => {
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
