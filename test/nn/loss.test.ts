import { beforeEach, describe, expect, it } from 'vitest';
import { useBackend, type Variable, variable } from '../../src/autograd/index.ts';
import { F } from '../../src/nn/functional.ts';
import * as nn from '../../src/nn/modules.ts';
import { backendOf, variants } from '../kernels/harness.ts';
import { expectClose, expectError } from '../ops/run.ts';
import { jsBackend } from '../support/js-backend.ts';

const ints = (...values: number[]): Variable => variable(Int32Array.from(values));
const logits = (): Variable =>
  variable(
    [
      [1, 2, 3],
      [0, 0, 0],
    ],
    undefined,
    { requiresGrad: true },
  );

describe.each([['js', () => jsBackend()], ...variants.map((v) => [v, () => backendOf(v)] as const)] as const)(
  'losses on %s',
  (_, backend) => {
    beforeEach(() => void useBackend(backend()));

    it('cross entropy', () => {
      const log = Math.log(Math.exp(-2) + Math.exp(-1) + 1);
      expectClose([F.crossEntropy(logits(), ints(2, 0)).item()], [(log + Math.log(3)) / 2]);
      expectClose(F.crossEntropy(logits(), ints(2, 0), { reduction: 'none' }).data, [log, Math.log(3)]);
      expectClose([F.crossEntropy(logits(), ints(2, -100)).item()], [log]);
      expectClose([F.crossEntropy(variable([1, 2, 3]), variable(Int32Array.of(2), [])).item()], [log]);
    });

    it('binary cross entropy of saturated probabilities: PyTorch 1.13, whose p·(1 − p) is at least 1e-12', () => {
      const values = [0, 1, 1, 0.3, 0.9, 1e-20, 2e-39];
      const x = variable(values, undefined, { requiresGrad: true });
      const t = variable([1, 0, 1, 0.2, 0.7, 1, 1], undefined, { requiresGrad: true });
      const loss = F.binaryCrossEntropy(x, t, { reduction: 'sum' });
      loss.backward();
      const grad = [-1e12, 1e12, 0, 0.1 / 0.21, 0.2 / 0.09, -1e12, -1e12];
      grad.forEach((value, i) => {
        expect(x.grad!.data[i] / (value || 1)).toBeCloseTo(value === 0 ? 0 : 1, 5);
      });
      expectClose(t.grad!.data.slice(3, 5), [Math.log(0.7 / 0.3), Math.log(0.1 / 0.9)], 5);
      expect(Number.isFinite(loss.item())).toBe(true);
    });

    it('nothing is left: NaN as PyTorch, and no gradient', () => {
      const x = logits();
      const loss = F.crossEntropy(x, ints(-100, -100), { reduction: 'sum' });
      expect(loss.item()).toBe(0);
      loss.backward();
      expect(Array.from(x.grad!.data)).toEqual([0, 0, 0, 0, 0, 0]);
      expect(F.crossEntropy(logits(), ints(-100, -100)).item()).toBeNaN();
    });

    it('labels out of range are an error, not a wrong address', () => {
      expectError('index-range', ['target 3', 'position 1', '0…2'], () => F.crossEntropy(logits(), ints(0, 3)));
      expectError('index-range', ['target -1'], () => F.nllLoss(logits(), ints(-1, 0)));
    });

    it('saturated probabilities have finite losses and gradients', () => {
      const p = variable([0, 1, 0.5], undefined, { requiresGrad: true });
      const loss = F.binaryCrossEntropy(p, variable([1, 0, 1]), { reduction: 'none' });
      expectClose(loss.data, [100, 100, Math.LN2], 3);
      loss.sum().backward();
      for (const g of p.grad!.data) expect(Number.isFinite(g)).toBe(true);
      const x = variable([1000, -1000], undefined, { requiresGrad: true });
      expectClose(F.binaryCrossEntropyWithLogits(x, variable([0, 1]), { reduction: 'none' }).data, [1000, 1000]);
    });

    it('CTC of targets that are too long is ∞, or 0 where that is asked for', () => {
      const y = variable(new Float32Array(2 * 3).fill(Math.log(1 / 3)), [2, 1, 3], { requiresGrad: true });
      const given = [variable(Int32Array.of(1, 1), [1, 2]), ints(2), ints(2)] as const;
      expect(F.ctcLoss(y, ...given).item()).toBe(Infinity);
      const loss = F.ctcLoss(y, ...given, { zeroInfinity: true });
      expect(loss.item()).toBe(0);
      loss.backward();
      expect(Array.from(y.grad!.data, Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
      // One label in two steps: blank-1, 1-blank, 1-1.
      expectClose([F.ctcLoss(y, given[0], ints(2), ints(1)).item()], [-Math.log(3 / 9)]);
      expectError('index-range', ['ctcLoss', 'targets[0]', 'blank 1'], () => F.ctcLoss(y, ...given, { blank: 1 }));
      expectError('index-range', ['ctcLoss', 'inputLengths'], () => F.ctcLoss(y, given[0], ints(3), ints(1)));
    });
  },
);

describe('wrong input', () => {
  beforeEach(() => void useBackend(jsBackend()));
  const x = (): Variable => variable([[1, 2, 3]]);

  it.each([
    ['shape', ['softmaxCrossEntropy', 'target', '[1]', '[2]'], () => F.crossEntropy(x(), ints(0, 0))],
    ['shape', ['softmaxCrossEntropy', 'weight', '[3]'], () => F.crossEntropy(x(), ints(0), { weight: variable([1]) })],
    ['argument', ['labelSmoothing', '1.5'], () => F.crossEntropy(x(), ints(0), { labelSmoothing: 1.5 })],
    ['argument', ['reduction', 'avg'], () => F.crossEntropy(x(), ints(0), { reduction: 'avg' as 'mean' })],
    ['argument', ['mseLoss', 'reduction'], () => F.mseLoss(x(), x(), { reduction: 'avg' as 'mean' })],
    ['shape', ['mseLoss', 'target'], () => F.mseLoss(x(), variable([1]))],
    ['shape', ['crossEntropy', 'target'], () => F.crossEntropy(x(), variable([1]))],
    ['argument', ['huberLoss', 'delta'], () => F.huberLoss(x(), x(), { delta: 0 })],
    ['shape', ['cosineEmbeddingLoss', 'target'], () => F.cosineEmbeddingLoss(x(), x(), variable([1, 1]))],
  ] as const)('%s %j', (code, parts, body) => {
    expectError(code, parts, body);
  });
});

it('layers call the functions', () => {
  useBackend(jsBackend());
  const loss = new nn.CrossEntropyLoss({ reduction: 'sum', labelSmoothing: 0.1 });
  const expected = F.crossEntropy(logits(), ints(2, 0), { reduction: 'sum', labelSmoothing: 0.1 }).item();
  expect(loss.forward(logits(), ints(2, 0)).item()).toBe(expected);
  const [a, b] = [variable([[1, 2]]), variable([[2, 1]])];
  expect(new nn.CosineEmbeddingLoss().forward(a, b, variable([1])).item()).toBeCloseTo(0.2, 6);
  expect(new nn.MSELoss().forward(a, b).item()).toBe(1);
});
