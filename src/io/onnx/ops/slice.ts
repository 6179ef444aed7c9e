import { ConvletError } from '../../../common/error.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Handlers, ImportContext } from '../context.ts';

/** `size` entries of one axis from `start` on. */
export function sliceOf(ctx: ImportContext, x: Value, axis: number, start: number, size: number): Value {
  if (start === 0 && size === x.shape[axis]) return x;
  return ctx.one('slice', [x], {
    starts: x.shape.map((_, i) => (i === axis ? start : 0)),
    steps: x.shape.map(() => 1),
    sizes: x.shape.map((d, i) => (i === axis ? size : d)),
  });
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** Starts, ends and axes are attributes before opset 10; bounds are clamped as Python's slices are. */
function slice(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const rank = x.shape.length;
  const legacy = ctx.opset < 10;
  const starts = legacy ? ctx.attr.ints('starts') : (ctx.numbers(1) ?? []);
  const ends = legacy ? ctx.attr.ints('ends') : (ctx.numbers(2) ?? []);
  const axes =
    (legacy ? (ctx.attr.has('axes') ? ctx.attr.ints('axes') : null) : ctx.numbers(3)) ?? starts.map((_, i) => i);
  const steps = (legacy ? null : ctx.numbers(4)) ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length)) {
    const got = [starts, ends, axes, steps].map((list) => list.length).join(', ');
    throw new ConvletError('malformed', `starts, ends, axes and steps expect equally many values, got ${got}`);
  }
  const attrs = { starts: x.shape.map(() => 0), steps: x.shape.map(() => 1), sizes: [...x.shape] };
  const seen = new Set<number>();
  axes.forEach((given, i) => {
    const axis = ctx.axis(given, rank);
    if (seen.has(axis)) throw new ConvletError('malformed', `axes name axis ${axis} twice`);
    seen.add(axis);
    const step = steps[i];
    if (step === 0) throw new ConvletError('argument', `step of axis ${axis} expects a number other than 0`);
    const size = x.shape[axis];
    const absolute = (index: number) => (index < 0 ? index + size : index);
    const start = step > 0 ? clamp(absolute(starts[i]), 0, size) : clamp(absolute(starts[i]), 0, size - 1);
    const end = step > 0 ? clamp(absolute(ends[i]), 0, size) : clamp(absolute(ends[i]), -1, size - 1);
    const count = size === 0 ? 0 : Math.max(0, Math.ceil((end - start) / step));
    attrs.starts[axis] = count === 0 ? 0 : start;
    attrs.steps[axis] = step;
    attrs.sizes[axis] = count;
  });
  const whole = attrs.sizes.every((size, i) => size === x.shape[i]) && attrs.steps.every((step) => step === 1);
  return whole ? x : ctx.one('slice', [x], attrs);
}

export const sliceHandlers: Handlers = { Slice: { since: 1, build: slice } };
