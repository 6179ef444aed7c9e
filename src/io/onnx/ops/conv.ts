import { ConvletError, shapeText } from '../../../common/error.ts';
import { product } from '../../../common/numbers.ts';
import type { Value } from '../../../graph/graph.ts';
import { extent } from '../../../ops/window.ts';
import type { Handlers, ImportContext } from '../context.ts';
import { perAxis, windowOf } from './window.ts';

function kernelOf(ctx: ImportContext, weight: Value): readonly number[] {
  const kernel = weight.shape.slice(2);
  const declared = ctx.attr.ints('kernel_shape', kernel);
  if (declared.length !== kernel.length || declared.some((k, i) => k !== kernel[i])) {
    throw new ConvletError('shape', `kernel_shape ${shapeText(declared)} is not that of W ${shapeText(weight.shape)}`);
  }
  return kernel;
}

/** Window and groups of a convolution of x, for any element type. */
export const convAttrs = (ctx: ImportContext, x: Value, weight: Value) => ({
  ...windowOf(ctx, x.shape.slice(2), kernelOf(ctx, weight)),
  groups: ctx.attr.int('group', 1),
});

function conv(ctx: ImportContext): Value {
  const [x, weight] = [ctx.required(0), ctx.required(1)];
  return ctx.one('conv', [x, weight, ctx.input(2), null], { ...convAttrs(ctx, x, weight), activation: null });
}

/**
 * Output shape and auto_pad of ConvTranspose become padding and output padding: total padding =
 * stride·(input − 1) + output_padding + extent − output_shape. An odd cell is at the end for SAME_UPPER, else at the beginning.
 */
function convTranspose(ctx: ImportContext): Value {
  const [x, weight, bias] = [ctx.required(0), ctx.required(1), ctx.input(2)];
  const kernel = kernelOf(ctx, weight);
  const input = x.shape.slice(2);
  const rank = kernel.length;
  const stride = perAxis(ctx, 'strides', rank, 1);
  const dilation = perAxis(ctx, 'dilations', rank, 1);
  const outputPadding = [...perAxis(ctx, 'output_padding', rank, 0)];
  const autoPad = ctx.attr.choice('auto_pad', ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'], 'NOTSET');
  const same = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER';
  const pads = autoPad === 'NOTSET' ? perAxis(ctx, 'pads', rank * 2, 0) : new Array<number>(rank * 2).fill(0);
  const padBegin = pads.slice(0, rank);
  const padEnd = pads.slice(rank);
  let outputShape = ctx.attr.has('output_shape') ? ctx.attr.ints('output_shape').slice(-rank) : null;
  if (outputShape === null && same) outputShape = input.map((size, i) => size * stride[i]);
  outputShape?.forEach((wanted, i) => {
    const total = stride[i] * (input[i] - 1) + outputPadding[i] + extent(kernel[i], dilation[i]) - wanted;
    const small = Math.floor(Math.max(0, total) / 2);
    const large = Math.max(0, total) - small;
    padBegin[i] = autoPad === 'SAME_UPPER' ? small : large;
    padEnd[i] = autoPad === 'SAME_UPPER' ? large : small;
    if (total < 0) outputPadding[i] -= total;
  });
  return ctx.one('convTranspose', [x, weight, bias], {
    stride,
    padBegin,
    padEnd,
    dilation,
    outputPadding,
    groups: ctx.attr.int('group', 1),
    activation: null,
  });
}

/**
 * Sum of columns into an image: a transposed convolution whose kernel moves each of a channel's kernel cells to its
 * place.
 */
function col2Im(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const image = ctx.numbers(1) ?? [];
  const block = ctx.numbers(2) ?? [];
  const rank = image.length;
  const cells = product(block);
  if (x.shape.length !== 3 || block.length !== rank || !Number.isInteger(x.shape[1] / cells) || cells < 1) {
    const given = `${shapeText(x.shape)}, image ${shapeText(image)}, block ${shapeText(block)}`;
    throw new ConvletError('shape', `expects [N, C·block, L] with a block of the image's rank, got ${given}`);
  }
  // Per channel the kernel below has as many elements as the square of the block's size.
  if (x.shape[1] * cells > 2 ** 26) throw new ConvletError('unsupported', `a block of ${cells} cells`);
  const stride = perAxis(ctx, 'strides', rank, 1);
  const dilation = perAxis(ctx, 'dilations', rank, 1);
  const pads = perAxis(ctx, 'pads', rank * 2, 0);
  const windows = image.map((size, i) => {
    const room = size + pads[i] + pads[rank + i] - extent(block[i] ?? 1, dilation[i]);
    return Math.floor(room / stride[i]) + 1;
  });
  const [n, rows] = x.shape;
  const channels = rows / cells;
  const columns = ctx.reshape(x, [n, rows, ...windows]);
  const eye = Array.from({ length: rows * cells }, (_, i) => (Math.floor(i / cells) % cells === i % cells ? 1 : 0));
  const weight = ctx.values(eye, x.dtype, [rows, 1, ...block]);
  const natural = windows.map((w, i) => (w - 1) * stride[i] + extent(block[i], dilation[i]));
  return ctx.one('convTranspose', [columns, weight, null], {
    stride,
    padBegin: pads.slice(0, rank),
    padEnd: pads.slice(rank),
    dilation,
    outputPadding: image.map((size, i) => size + pads[i] + pads[rank + i] - natural[i]),
    groups: channels,
    activation: null,
  });
}

export const convHandlers: Handlers = {
  Conv: { since: 1, build: conv },
  ConvTranspose: { since: 1, build: convTranspose },
  Col2Im: { since: 18, build: col2Im },
};
