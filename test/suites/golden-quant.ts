// Quantization and pruning of the golden set; see golden-variables.ts.
import { l1UnstructuredMask, lnStructuredMask } from '../../src/nn/prune.ts';
import { convInteger, dequantize, fakeQuantize, quantize } from '../../src/nn/quant.ts';
import { perAxis } from './golden-context.ts';
import type { VariableContext, VariableOps } from './golden-variables.ts';
import { compare, type Expected } from './suite.ts';

/** The codes must be exactly PyTorch's; the output is the values of the codes. */
function codes({ attrs, find, input, values }: VariableContext): Expected[] {
  const x = find('x') ?? input('w');
  const scale = attrs.scale ?? input('scale');
  const options = { zeroPoint: attrs.zero_point ?? 0, axis: attrs.axis ?? 0 };
  const q = quantize(x, scale, { ...options, dtype: attrs.dtype });
  const { shape } = q;
  const data = Int32Array.from(q.data);
  compare('q', { dtype: 'int32', shape, data }, { ...values('q'), dtype: 'int32' }, 0, 0);
  return [dequantize(q, scale, options)];
}

export const goldenQuantization: VariableOps = {
  fake_quantize_per_tensor: ({ attrs, input }) => [
    fakeQuantize(input('x'), attrs.scale, {
      zeroPoint: attrs.zero_point,
      quantMin: attrs.qmin,
      quantMax: attrs.qmax,
    }),
  ],
  fake_quantize_per_channel: ({ attrs, input }) => [
    fakeQuantize(input('w'), input('scale'), { quantMin: attrs.qmin, quantMax: attrs.qmax, axis: attrs.axis }),
  ],
  quantize_per_tensor: codes,
  quantize_per_channel: codes,
  conv2d_int32: ({ attrs, input }) => [
    convInteger(input('x'), input('w'), {
      stride: perAxis(attrs.stride, 2),
      padding: perAxis(attrs.padding, 2),
      groups: attrs.groups,
      xZeroPoint: attrs.x_zero_point,
    }),
  ],
  prune_l1_unstructured: ({ attrs, input }) => [l1UnstructuredMask(input('w'), attrs.amount)],
  prune_ln_structured: ({ attrs, input }) => [lnStructuredMask(input('w'), attrs.amount, attrs.n, attrs.dim)],
};
