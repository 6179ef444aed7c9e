import type { Value } from '../../../graph/graph.ts';
import type { Handlers, ImportContext } from '../context.ts';
import { perAxis, windowOf } from './window.ts';

function poolAttrs(ctx: ImportContext) {
  const kernel = ctx.attr.ints('kernel_shape');
  const window = windowOf(ctx, ctx.required(0).shape.slice(2), kernel);
  return { kernel, ...window, ceilMode: ctx.attr.flag('ceil_mode') };
}

function maxPool(ctx: ImportContext): Value[] {
  return ctx.emit('maxPool', [ctx.required(0)], {
    ...poolAttrs(ctx),
    indices: ctx.wants(1),
    indexBase: 'tensor',
    columnMajor: ctx.attr.flag('storage_order'),
  });
}

function averagePool(ctx: ImportContext): Value {
  const countIncludePad = ctx.attr.flag('count_include_pad');
  return ctx.one('averagePool', [ctx.required(0)], { ...poolAttrs(ctx), countIncludePad, divisorOverride: 0 });
}

/** The default output size inverts that of MaxPool: stride·(input − 1) + kernel − padding; input 2 may give another. */
function maxUnpool(ctx: ImportContext): Value {
  const [x, indices] = [ctx.required(0), ctx.required(1)];
  const kernel = ctx.attr.ints('kernel_shape');
  const stride = perAxis(ctx, 'strides', kernel.length, 1);
  const pads = perAxis(ctx, 'pads', kernel.length * 2, 0);
  const natural = x.shape
    .slice(2)
    .map((size, i) => stride[i] * (size - 1) + kernel[i] - pads[i] - pads[kernel.length + i]);
  const shape = ctx.numbers(2);
  if (shape === null) {
    return ctx.one('maxUnpool', [x, indices], { outputSize: natural, indexBase: 'tensor' });
  }
  // Indices refer to a tensor of the default size; a larger output is that tensor, padded with zeros at the end.
  const y = ctx.one('maxUnpool', [x, indices], { outputSize: natural, indexBase: 'tensor' });
  const end = shape.map((size, i) => size - y.shape[i]);
  if (end.every((count) => count === 0)) return y;
  return ctx.one('pad', [y], { begin: shape.map(() => 0), end, mode: 'constant', value: 0 });
}

const p = (ctx: ImportContext) => ctx.attr.int('p', 2);

export const poolHandlers: Handlers = {
  MaxPool: { since: 1, build: maxPool },
  AveragePool: { since: 1, build: averagePool },
  LpPool: { since: 2, build: (ctx) => ctx.one('lpPool', [ctx.required(0)], { ...poolAttrs(ctx), p: p(ctx) }) },
  GlobalMaxPool: { since: 1, build: (ctx) => ctx.one('globalMaxPool', [ctx.required(0)]) },
  GlobalAveragePool: { since: 1, build: (ctx) => ctx.one('globalAveragePool', [ctx.required(0)]) },
  GlobalLpPool: { since: 2, build: (ctx) => ctx.one('globalLpPool', [ctx.required(0)], { p: p(ctx) }) },
  MaxUnpool: { since: 9, build: maxUnpool },
};
