import type { PrimCall } from '../backend/backend.ts';
import type { PrimName } from '../backend/prims/index.ts';
import { alignUp } from '../memory/linear.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { View } from './views.ts';

/** A buffer of the arena: its bytes, and the calls during which they must not be touched by anybody else. */
export interface Interval {
  readonly bytes: number;
  first: number;
  last: number;
  offset: number;
}

export interface MemoryPlan {
  readonly arenaBytes: number;
  /** The largest sum of bytes that are live at the same call: no plan can do with less. */
  readonly liveBytes: number;
  readonly offsets: ReadonlyMap<Tensor, number>;
}

/**
 * Inputs whose memory the first output may take over when they are not needed afterwards: element i of the output
 * depends on no element of that input but i.
 */
const inPlaceInputs: { readonly [P in PrimName]?: readonly number[] } = {
  unary: [0],
  binary: [0, 1],
  batchNorm: [0],
  conv: [3],
};

/**
 * Assigns arena offsets to every tensor of `calls` that has no memory yet. `inputs` are written before the first call,
 * `outputs` are read after the last one. Tensors that are others in disguise (`aliases`) or parts of them (`views`) share their
 * base's bytes.
 */
export function planMemory(
  calls: readonly PrimCall[],
  aliases: ReadonlyMap<Tensor, Tensor>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  views: ReadonlyMap<Tensor, View> = new Map(),
): MemoryPlan {
  const bases = new Bases(aliases, views);
  const intervals = collectIntervals(calls, bases, inputs, outputs);
  reuseInPlace(calls, bases, intervals);
  const distinct = [...new Set(intervals.values())];
  const arenaBytes = assignOffsets(distinct);
  const offsets = new Map<Tensor, number>();
  const place = (tensor: Tensor): void => {
    const interval = intervals.get(bases.of(tensor));
    if (interval !== undefined) offsets.set(tensor, interval.offset + 4 * (views.get(tensor)?.offset ?? 0));
  };
  for (const call of calls) {
    for (const t of call.inputs) if (t !== null) place(t);
    for (const t of call.outputs) place(t);
  }
  for (const t of [...inputs, ...outputs]) place(t);
  return { arenaBytes, liveBytes: mostLive(distinct, calls.length), offsets };
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

/** Lets elementwise calls write over an input that dies with them: the two buffers become one. */
function reuseInPlace(calls: readonly PrimCall[], bases: Bases, intervals: Map<Tensor, Interval>): void {
  const members = new Map<Interval, Tensor[]>();
  for (const [tensor, interval] of intervals) members.set(interval, [tensor]);
  calls.forEach((call, at) => {
    const candidates = inPlaceInputs[call.prim];
    if (candidates === undefined || call.outputs.length !== 1 || call.pitch) return;
    const output = call.outputs[0];
    const target = intervals.get(bases.of(output));
    if (target === undefined || target.first !== at) return;
    for (const index of candidates) {
      const input = call.inputs[index];
      if (input == null || input.size !== output.size || input.layout !== output.layout) continue;
      const source = intervals.get(bases.of(input));
      // An input of the whole plan is the caller's to write at any time between runs, so it may be taken over too.
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
 * Largest buffers first, each into the smallest gap between the already placed buffers that live at the same time
 * (the planner of XNNPACK and TFLite). Returns the arena's size.
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
