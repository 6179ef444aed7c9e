import { ConvletError } from '../../../common/error.ts';
import type { SpatialAttrs } from '../../../ops/conv/attrs.ts';
import { samePadding } from '../../../ops/window.ts';
import type { ImportContext } from '../context.ts';

/** An ints attribute of one entry per axis (or per input); absent or empty: all `fallback`. */
export function perAxis(ctx: ImportContext, name: string, length: number, fallback: number): readonly number[] {
  const values = ctx.attr.ints(name, []);
  if (values.length === 0) return new Array<number>(length).fill(fallback);
  if (values.length === length) return values;
  throw new ConvletError('malformed', `attribute ${name} expects ${length} values, got ${values.length}`);
}

/** strides, dilations, pads and auto_pad of convolutions and pools; auto_pad is replaced by the padding that it means. */
export function windowOf(ctx: ImportContext, input: readonly number[], kernel: readonly number[]): SpatialAttrs {
  const rank = kernel.length;
  if (input.length !== rank) {
    throw new ConvletError('shape', `input 0 expects ${rank} spatial axes like the kernel, got ${input.length}`);
  }
  const stride = perAxis(ctx, 'strides', rank, 1);
  const dilation = perAxis(ctx, 'dilations', rank, 1);
  const autoPad = ctx.attr.choice('auto_pad', ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'], 'NOTSET');
  if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
    const odd = autoPad === 'SAME_UPPER' ? 'upper' : 'lower';
    const pads = input.map((size, i) => samePadding(size, kernel[i], Math.max(1, stride[i]), dilation[i], odd));
    return { stride, dilation, padBegin: pads.map((p) => p.begin), padEnd: pads.map((p) => p.end) };
  }
  const pads = autoPad === 'NOTSET' ? perAxis(ctx, 'pads', rank * 2, 0) : new Array<number>(rank * 2).fill(0);
  return { stride, dilation, padBegin: pads.slice(0, rank), padEnd: pads.slice(rank) };
}
