import { beforeEach, describe, expect, it } from 'vitest';
import { useBackend, variable } from '../../src/autograd/index.ts';
import { l1UnstructuredMask, lnStructuredMask, Pruning } from '../../src/nn/prune.ts';
import { dequantize, fakeQuantize, quantize } from '../../src/nn/quant.ts';
import { expectClose, expectError } from '../ops/run.ts';
import { jsBackend } from '../support/js-backend.ts';

beforeEach(() => void useBackend(jsBackend()));

describe('quantization', () => {
  it('quantize rounds half to even, clamps, and dequantize undoes it', () => {
    const x = variable([0.25, 0.75, -0.25, 100, -100]);
    const q = quantize(x, 0.5, { zeroPoint: 3 });
    expect([q.dtype, ...q.data]).toEqual(['int8', 3, 5, 3, 127, -128]);
    expectClose(dequantize(q, 0.5, { zeroPoint: 3 }).data, [0, 1, 0, 62, -65.5]);
    expect(Array.from(quantize(variable([-1, 300]), 1, { dtype: 'uint8' }).data)).toEqual([0, 255]);
  });

  it('gradients go straight through inside the range; a learned scale has one too', () => {
    const x = variable([0.3, 9, -9], undefined, { requiresGrad: true });
    const scale = variable([0.5], undefined, { requiresGrad: true });
    fakeQuantize(x, scale, { quantMin: -4, quantMax: 4 }).sum().backward();
    expectClose(x.grad!.data, [1, 0, 0]);
    // q where it is clamped, round(x/s) − x/s inside.
    expectClose(scale.grad!.data, [4 - 4 + (1 - 0.6)], 5);
  });

  it('says what is wrong', () => {
    expectError('argument', ['fakeQuantize', 'scale', '0'], () => fakeQuantize(variable([1]), 0));
    expectError('dtype', ['quantize', 'float32'], () => quantize(variable([1]), 1, { dtype: 'float32' }));
    expectError('shape', ['fakeQuantize', '2 values along axis 0', 'got 3'], () =>
      fakeQuantize(variable([1, 2]), variable([1, 2, 3])),
    );
  });
});

describe('pruning', () => {
  it('masks the smallest elements, or slices of least norm', () => {
    const w = variable([
      [1, -4],
      [0.5, 2],
      [3, 3],
    ]);
    expect(Array.from(l1UnstructuredMask(w, 0.5).data)).toEqual([0, 1, 0, 0, 1, 1]);
    expect(Array.from(l1UnstructuredMask(w, 1).data)).toEqual([1, 1, 0, 1, 1, 1]);
    expect(Array.from(lnStructuredMask(w, 1).data)).toEqual([1, 1, 0, 0, 1, 1]);
    expect(Array.from(lnStructuredMask(w, 0.5, 1, 1).data)).toEqual([0, 1, 0, 1, 0, 1]);
    expect(Array.from(lnStructuredMask(w, 1, Infinity, 1).data)).toEqual([0, 1, 0, 1, 0, 1]);
    expectError('argument', ['l1UnstructuredMask', 'amount', '7'], () => l1UnstructuredMask(w, 7));
  });

  it('what is pruned stays zero, and a second pruning adds to the first', () => {
    const w = variable([1, -4, 0.5, 2], [4], { requiresGrad: true });
    const pruning = new Pruning();
    pruning.prune(w, l1UnstructuredMask(w, 1));
    w.set([9, 9, 9, 9]);
    pruning.apply();
    expect(Array.from(w.data)).toEqual([9, 9, 0, 9]);
    pruning.prune(w, variable([0, 1, 1, 1]));
    expect(Array.from(w.data)).toEqual([0, 9, 0, 9]);
    expect(pruning.sparsity).toBe(0.5);
    expectError('shape', ['prune', '4 elements', '1'], () => pruning.prune(w, variable([1])));
  });
});
