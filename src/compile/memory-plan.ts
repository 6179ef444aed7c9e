import type { PrimCall } from '../backend/backend.ts';
import { traitsOf } from '../backend/prim-traits.ts';
import { dtypes } from '../common/dtype.ts';
import { alignUp } from '../memory/linear.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { View } from './views.ts';

/** A buffer of the arena: its bytes, and the calls during which no other tensor may use them. */
export interface Interval {
  readonly bytes: number;
  first: number;
  last: number;
  offset: number;
}

export interface MemoryPlan {
  readonly arenaBytes: number;
  /** The largest sum of bytes that are live at the same call: every plan needs at least that many. */
  readonly liveBytes: number;
  readonly offsets: ReadonlyMap<Tensor, number>;
}

/**
 * Assigns arena offsets to every tensor of `calls` that has no memory yet. `inputs` are written before the first call,
 * `outputs` are read after the last one. A tensor that is another one under a different shape (`aliases`) or a part of another one
 * (`views`) shares the bytes of that base. A base is not a view itself, and has the element type of its views.
 */
export function planMemory(
  calls: readonly PrimCall[],
  aliases: ReadonlyMap<Tensor, Tensor>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  views: ReadonlyMap<Tensor, View> = new Map(),
): MemoryPlan {
  checkViews(views, aliases);
  const bases = new Bases(aliases, views);
  const intervals = collectIntervals(calls, bases, inputs, outputs);
  reuseInPlace(calls, bases, intervals);
  const distinct = [...new Set(intervals.values())];
  const arenaBytes = assignOffsets(distinct);
  const offsets = new Map<Tensor, number>();
  const place = (tensor: Tensor): void => {
    const interval = intervals.get(bases.of(tensor));
    if (interval !== undefined) offsets.set(tensor, interval.offset + viewOffset(tensor, views));
  };
  for (const call of calls) {
    for (const t of call.inputs) if (t !== null) place(t);
    for (const t of call.outputs) place(t);
  }
  for (const t of [...inputs, ...outputs]) place(t);
  return { arenaBytes, liveBytes: mostLive(distinct, calls.length), offsets };
}

const viewOffset = (tensor: Tensor, views: ReadonlyMap<Tensor, View>): number =>
  dtypes[tensor.dtype].bytes * (views.get(tensor)?.offset ?? 0);

/** Checks what `Bases` and `viewOffset` assume. A failure is a bug of the passes that made the views. */
function checkViews(views: ReadonlyMap<Tensor, View>, aliases: ReadonlyMap<Tensor, Tensor>): void {
  for (const [view, { base, offset }] of views) {
    const what = `planMemory: a view of elements ${offset}…${offset + view.size} of shape [${base.shape}]`;
    if (views.has(base)) throw new Error(`${what} has a base that is a view itself`);
    if (aliases.has(view)) throw new Error(`${what} is an alias of another tensor besides`);
    if (base.dtype !== view.dtype) throw new Error(`${what} is ${view.dtype}, its base ${base.dtype}`);
    if (!(offset >= 0 && offset + view.size <= base.size)) throw new Error(`${what} does not lie in it`);
  }
  for (const [alias, base] of aliases) {
    if (views.has(base)) throw new Error(`planMemory: shape [${alias.shape}] is an alias of a view`);
  }
}

/** Follows views to the tensor that owns the bytes. */
class Bases {
  private readonly aliases: ReadonlyMap<Tensor, Tensor>;
  private readonly views: ReadonlyMap<Tensor, View>;

  constructor(aliases: ReadonlyMap<Tensor, Tensor>, views: ReadonlyMap<Tensor, View>) {
    this.aliases = aliases;
    this.views = views;
  }

  of(tensor: Tensor): Tensor {
    let base = this.views.get(tensor)?.base ?? tensor;
    for (let next = this.aliases.get(base); next !== undefined; next = this.aliases.get(base)) base = next;
    return base;
  }
}

function collectIntervals(
  calls: readonly PrimCall[],
  bases: Bases,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): Map<Tensor, Interval> {
  const intervals = new Map<Tensor, Interval>();
  const touch = (tensor: Tensor, at: number): void => {
    const base = bases.of(tensor);
    if (base.storage !== null) return;
    const known = intervals.get(base);
    if (known === undefined) {
      intervals.set(base, { bytes: alignUp(Math.max(base.byteLength, 1)), first: at, last: at, offset: -1 });
    } else {
      known.first = Math.min(known.first, at);
      known.last = Math.max(known.last, at);
    }
  };
  for (const t of inputs) touch(t, -1);
  calls.forEach((call, at) => {
    for (const t of call.inputs) if (t !== null) touch(t, at);
    for (const t of call.outputs) touch(t, at);
  });
  for (const t of outputs) touch(t, calls.length);
  return intervals;
}

/** Lets elementwise calls write over an input that no later call reads: the two buffers become one. */
function reuseInPlace(calls: readonly PrimCall[], bases: Bases, intervals: Map<Tensor, Interval>): void {
  const members = new Map<Interval, Tensor[]>();
  for (const [tensor, interval] of intervals) members.set(interval, [tensor]);
  calls.forEach((call, at) => {
    const candidates = traitsOf(call.prim).inPlace;
    if (candidates === undefined || call.outputs.length !== 1 || call.pitch) return;
    const output = call.outputs[0];
    const target = intervals.get(bases.of(output));
    if (target === undefined || target.first !== at) return;
    for (const index of candidates) {
      const input = call.inputs[index];
      if (input == null || input.size !== output.size || input.layout !== output.layout) continue;
      const source = intervals.get(bases.of(input));
      // The caller writes the inputs of the plan before each run, so their memory may be reused too.
      if (source === undefined || source === target || source.last !== at || source.bytes !== target.bytes) continue;
      if (call.inputs.some((other, i) => i !== index && other !== null && intervals.get(bases.of(other)) === source))
        continue;
      source.last = target.last;
      for (const tensor of members.get(target)!) {
        intervals.set(tensor, source);
        members.get(source)!.push(tensor);
      }
      return;
    }
  });
}

/**
 * Places the largest buffers first, each in the smallest gap between placed buffers that are live at the same time
 * (as the planners of XNNPACK and TFLite). Returns the arena's size.
 */
function assignOffsets(intervals: readonly Interval[]): number {
  const order = [...intervals].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  const placed: Interval[] = []; // by offset
  let end = 0;
  for (const interval of order) {
    let at = 0;
    let best = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    for (const other of placed) {
      if (other.last < interval.first || other.first > interval.last) continue;
      const gap = other.offset - at;
      if (gap >= interval.bytes && gap < bestGap) {
        best = at;
        bestGap = gap;
      }
      at = Math.max(at, other.offset + other.bytes);
    }
    interval.offset = best >= 0 ? best : at;
    end = Math.max(end, interval.offset + interval.bytes);
    const position = placed.findIndex((other) => other.offset > interval.offset);
    placed.splice(position < 0 ? placed.length : position, 0, interval);
  }
  return end;
}

function mostLive(intervals: readonly Interval[], calls: number): number {
  const change = new Array<number>(calls + 3).fill(0);
  for (const { first, last, bytes } of intervals) {
    change[first + 1] += bytes;
    change[last + 2] -= bytes;
  }
  let live = 0;
  let most = 0;
  for (const delta of change) {
    live += delta;
    most = Math.max(most, live);
  }
  return most;
}
