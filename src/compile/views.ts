import type { Pitch, PrimCall } from '../backend/backend.ts';
import { channelsOf, pitchedStrides } from '../backend/pitch.ts';
import { readsPitch, writesPitch } from '../backend/prim-traits.ts';
import type { CopyAttrs } from '../backend/prims/copy.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The place of a tensor that has no memory of its own: its elements begin `offset` elements after the start of `base`. */
export interface View {
  readonly base: Tensor;
  readonly offset: number;
}

/** Calls of a plan, each with its owner, which may be of any type. */
export interface Program<Owner> {
  readonly calls: readonly PrimCall[];
  readonly owners: readonly Owner[];
}

export interface ProgramWithViews<Owner> extends Program<Owner> {
  readonly views: ReadonlyMap<Tensor, View>;
}

/**
 * Saves copies of whole channel ranges between channels-last tensors. The inputs of a concatenation become views of its
 * result (channels of a wider tensor: `Pitch`), so that they are computed in place. Slices of channels become views of the tensor
 * from which they are cut. A concatenation whose inputs are already side by side in a larger one (as in DenseNet) becomes a view of
 * the larger one. The results have the same bits. A tensor that a prim without a pitch reads or writes cannot be a view, and is copied
 * as before. `fixed`: tensors whose memory the caller uses (inputs and outputs of the plan).
 */
export function placeViews<Owner>(
  program: Program<Owner>,
  aliases: ReadonlyMap<Tensor, Tensor>,
  fixed: Iterable<Tensor>,
): ProgramWithViews<Owner> {
  const pass = new ViewPass(program.calls, aliases, fixed);
  pass.placeConcats();
  pass.placeSlices();
  return pass.rewrite(program);
}

/** A copy of all of `part` to or from channels `channel`… of `whole`. */
interface Piece {
  readonly at: number;
  readonly part: Tensor;
  readonly whole: Tensor;
  readonly channel: number;
}

/** Whether a tensor may have a pitch, or contain tensors that have one: only kernels of float32 support it. */
const isSpatial = (tensor: Tensor): boolean =>
  tensor.layout === 'channelsLast' && tensor.dtype === 'float32' && tensor.size > 0 && tensor.storage === null;

class ViewPass {
  private readonly calls: readonly PrimCall[];
  /** Indices of the calls that read and write each tensor. */
  private readonly readers = new Map<Tensor, number[]>();
  private readonly writers = new Map<Tensor, number[]>();
  /** Tensors that must not become views. */
  private readonly fixed: Set<Tensor>;
  private readonly parents = new Map<Tensor, View>();
  private readonly removed = new Set<number>();
  private readonly pieces = new Map<Tensor, readonly Piece[] | null>();
  /** Concatenations that have their own memory and have been processed. */
  private readonly hosts = new Set<Tensor>();
  /** Tensors whose memory a concatenation reuses: they must not become views of another concatenation. */
  private readonly overwritten = new Set<Tensor>();
  /** Copies that run earlier: index of a copy → index of the call after which it runs. */
  private readonly moved = new Map<number, number>();

  constructor(calls: readonly PrimCall[], aliases: ReadonlyMap<Tensor, Tensor>, fixed: Iterable<Tensor>) {
    this.calls = calls;
    this.fixed = new Set(fixed);
    for (const [view, base] of aliases) this.fixed.add(view).add(base);
    const note = (map: Map<Tensor, number[]>, tensor: Tensor, at: number): void => {
      const known = map.get(tensor);
      if (known === undefined) map.set(tensor, [at]);
      else if (known[known.length - 1] !== at) known.push(at);
    };
    calls.forEach((call, at) => {
      for (const t of call.inputs) if (t !== null) note(this.readers, t, at);
      for (const t of call.outputs) note(this.writers, t, at);
    });
  }

  /** Starts with the last concatenation, since earlier ones may be parts of it. */
  placeConcats(): void {
    const seen = new Set<Tensor>();
    for (let at = this.calls.length - 1; at >= 0; at--) {
      const call = this.calls[at];
      if (call.prim !== 'copy' || seen.has(call.outputs[0])) continue;
      const [whole] = call.outputs;
      seen.add(whole);
      const pieces = this.piecesOf(whole);
      if (pieces === null || this.placeInLarger(whole, pieces)) continue;
      const kept = this.placeOverSource(whole, pieces);
      for (const piece of pieces) if (!kept.includes(piece)) this.placePiece(piece);
    }
  }

  placeSlices(): void {
    this.calls.forEach((call, at) => {
      if (call.prim !== 'copy' || this.removed.has(at)) return;
      const [part, whole] = [call.outputs[0], call.inputs[0]!];
      const { inputOffset, inputStrides, outputOffset, outputStrides } = call.attrs as CopyAttrs;
      const channel = channelRange(call, part, whole, inputStrides, inputOffset, outputStrides, outputOffset);
      if (channel === null || this.parents.has(part) || this.writers.get(part)?.length !== 1) return;
      // A concatenation writes into the memory of `part`, and would change `whole`.
      if (this.overwritten.has(part)) return;
      if (this.fixed.has(whole) || this.resolve(whole).base === part || !this.canBeRead(part)) return;
      this.parents.set(part, { base: whole, offset: channel });
      this.removed.add(at);
    });
  }

  /** The copies that together write `whole`; null if other calls write it, or if the copies leave a part of it unwritten. */
  private piecesOf(whole: Tensor): readonly Piece[] | null {
    const known = this.pieces.get(whole);
    if (known !== undefined) return known;
    const found = this.findPieces(whole);
    this.pieces.set(whole, found);
    return found;
  }

  private findPieces(whole: Tensor): readonly Piece[] | null {
    if (!isSpatial(whole)) return null;
    const pieces: Piece[] = [];
    for (const at of this.writers.get(whole)!) {
      const call = this.calls[at];
      const part = call.inputs[0];
      if (call.prim !== 'copy' || part === null) return null;
      const { inputOffset, inputStrides, outputOffset, outputStrides } = call.attrs as CopyAttrs;
      const channel = channelRange(call, part, whole, outputStrides, outputOffset, inputStrides, inputOffset);
      if (channel === null) return null;
      pieces.push({ at, part, whole, channel });
    }
    const ordered = [...pieces].sort((a, b) => a.channel - b.channel);
    const disjoint = ordered.every(
      (p, i) => i === 0 || ordered[i - 1].channel + channelsOf(ordered[i - 1].part) <= p.channel,
    );
    return disjoint ? pieces : null;
  }

  /** Makes `whole` a view of a larger concatenation that has all its parts in the same order, if there is one. */
  private placeInLarger(whole: Tensor, pieces: readonly Piece[]): boolean {
    if (this.parents.has(whole) || this.fixed.has(whole) || !this.canBeRead(whole)) return false;
    const [first] = pieces;
    for (const host of this.hostsOf(first.part)) {
      const places = new Map(this.piecesOf(host.whole)!.map((piece) => [piece.part, piece]));
      const offset = host.channel - first.channel;
      const fits =
        offset >= 0 &&
        pieces.every(({ part, channel }) => {
          const there = places.get(part);
          return there?.channel === offset + channel && (this.removed.has(there.at) || this.writers.has(part));
        });
      if (!fits) continue;
      for (const piece of pieces) {
        this.removed.add(piece.at);
        const there = places.get(piece.part)!;
        // A part that is still copied into the larger one must be copied as soon as it has been computed.
        if (!this.removed.has(there.at)) this.moved.set(there.at, Math.max(...this.writers.get(piece.part)!));
      }
      this.parents.set(whole, { base: host.whole, offset });
      return true;
    }
    return false;
  }

  /**
   * For channels that a unit passes through unchanged (half of those of a ShuffleNet unit): a concatenation reuses the memory of the
   * tensor from which they were cut, if they keep their place and no call writes or reads that tensor after the other parts are
   * written. Returns the pieces that need not be copied.
   */
  private placeOverSource(whole: Tensor, pieces: readonly Piece[]): readonly Piece[] {
    if (this.parents.has(whole) || !this.canBeRead(whole)) return [];
    for (const { part } of pieces) {
      const source = this.sliceOf(part)?.base;
      if (source === undefined || source.shape.join() !== whole.shape.join()) continue;
      if (!isSpatial(source) || this.fixed.has(source) || this.parents.has(source)) continue;
      if (this.overwritten.has(source)) continue;
      const writers = this.writers.get(source);
      if (writers === undefined || this.piecesOf(source) !== null) continue;
      const kept = pieces.filter((piece) => {
        const slice = this.sliceOf(piece.part);
        return slice?.base === source && slice.offset === piece.channel;
      });
      const others = pieces.filter((piece) => !kept.includes(piece));
      // The other parts must be written after the source has been written and read for the last time.
      const written = Math.min(...others.flatMap((piece) => this.writers.get(piece.part) ?? [-1]));
      const read = this.lastRead(source, new Set(kept.map((piece) => piece.part)));
      if (kept.length === 0 || Math.max(read, ...writers) >= written) continue;
      for (const piece of kept) this.removed.add(piece.at);
      this.parents.set(whole, { base: source, offset: 0 });
      this.overwritten.add(source);
      return kept;
    }
    return [];
  }

  /** The tensor from which `part` is cut, and the place in it. */
  private sliceOf(part: Tensor): View | null {
    const writers = this.writers.get(part) ?? [];
    const call = writers.length === 1 ? this.calls[writers[0]] : null;
    const base = call?.inputs[0];
    if (call?.prim !== 'copy' || base == null) return null;
    const { inputOffset, inputStrides, outputOffset, outputStrides } = call.attrs as CopyAttrs;
    const offset = channelRange(call, part, base, inputStrides, inputOffset, outputStrides, outputOffset);
    return offset === null ? null : { base, offset };
  }

  /** The last call that reads `tensor` or slices of it, except the slices `kept`. */
  private lastRead(tensor: Tensor, kept: ReadonlySet<Tensor>): number {
    let last = -1;
    for (const at of this.readers.get(tensor) ?? []) {
      const [result] = this.calls[at].outputs;
      if (kept.has(result)) continue;
      const slice = this.sliceOf(result)?.base === tensor;
      last = Math.max(last, at, slice ? this.lastRead(result, kept) : -1);
    }
    return last;
  }

  /** Concatenations, already processed, of which `part` is a piece. */
  private hostsOf(part: Tensor): Piece[] {
    const hosts: Piece[] = [];
    for (const at of this.readers.get(part) ?? []) {
      const [whole] = this.calls[at].outputs;
      if (!this.hosts.has(whole)) continue;
      const piece = this.piecesOf(whole)?.find((p) => p.at === at);
      if (piece !== undefined) hosts.push(piece);
    }
    return hosts;
  }

  private placePiece(piece: Piece): void {
    const { part, whole, channel, at } = piece;
    this.hosts.add(whole);
    if (this.parents.has(part) || this.fixed.has(part) || this.overwritten.has(part) || !isSpatial(part)) return;
    // If a tensor is twice a part of the same concatenation, one of the two is copied.
    if (this.resolve(whole).base === part || !this.canBeRead(part) || !this.canBeWritten(part)) return;
    this.parents.set(part, { base: whole, offset: channel });
    this.removed.add(at);
  }

  /** Whether all calls that read `tensor` can read it with a pitch. */
  private canBeRead(tensor: Tensor): boolean {
    if (this.fixed.has(tensor) || !isSpatial(tensor)) return false;
    return (this.readers.get(tensor) ?? []).every((at) => {
      if (this.removed.has(at)) return true;
      const call = this.calls[at];
      return call.inputs.every((t, i) => t !== tensor || (i === 0 && readsPitch(call, tensor)));
    });
  }

  private canBeWritten(tensor: Tensor): boolean {
    const writers = this.writers.get(tensor) ?? [];
    return writers.length > 0 && writers.every((at) => this.removed.has(at) || writesPitch(this.calls[at], tensor));
  }

  /** The tensor that owns the memory of `tensor`, and the place in it. */
  private resolve(tensor: Tensor): View {
    let [base, offset] = [tensor, 0];
    for (let view = this.parents.get(base); view !== undefined; view = this.parents.get(base)) {
      base = view.base;
      offset += view.offset;
    }
    return { base, offset };
  }

  rewrite<Owner>({ calls, owners }: Program<Owner>): ProgramWithViews<Owner> {
    const views = new Map([...this.parents.keys()].map((tensor) => [tensor, this.resolve(tensor)]));
    const early = new Map<number, number[]>();
    for (const [at, behind] of this.moved) early.set(behind, [...(early.get(behind) ?? []), at]);
    const order: number[] = [];
    calls.forEach((_, at) => {
      if (!this.moved.has(at)) order.push(at);
      order.push(...(early.get(at) ?? []));
    });
    const kept = order.filter((at) => !this.removed.has(at));
    return { calls: kept.map((at) => withViews(calls[at], views)), owners: kept.map((at) => owners[at]), views };
  }
}

/**
 * The channel of `whole` at which `part` begins, if `call` copies all of `part`, without reordering, to or from pixels of `whole` (whose
 * strides and offset are given); else null.
 */
function channelRange(
  call: PrimCall,
  part: Tensor,
  whole: Tensor,
  strides: readonly number[],
  offset: number,
  partStrides: readonly number[],
  partOffset: number,
): number | null {
  if (!isSpatial(part) || !isSpatial(whole) || part.rank !== whole.rank || partOffset !== 0) return null;
  if (part.shape.some((d, axis) => axis !== 1 && d !== whole.shape[axis])) return null;
  const { dims } = call.attrs as CopyAttrs;
  const [partAxes, wholeAxes] = [part.strides, whole.strides];
  let loops = 0;
  for (let i = 0; i < dims.length; i++) {
    if (dims[i] === 1) continue;
    // The strides of axes longer than 1 differ, so they identify the axis.
    const axis = partAxes.findIndex((s, j) => s === partStrides[i] && part.shape[j] === dims[i]);
    if (axis < 0 || wholeAxes[axis] !== strides[i]) return null;
    loops++;
  }
  if (loops !== part.shape.filter((n) => n > 1).length) return null;
  return offset >= 0 && offset + channelsOf(part) <= channelsOf(whole) ? offset : null;
}

/** The call with the pitch that its input and output have now. */
function withViews(call: PrimCall, views: ReadonlyMap<Tensor, View>): PrimCall {
  const [input, output] = [call.inputs[0] ?? null, call.outputs[0]];
  const from = input === null ? undefined : views.get(input);
  const to = views.get(output);
  if (from === undefined && to === undefined) return call;
  if (call.prim !== 'copy') {
    const pitch: Pitch = { x: from ? channelsOf(from.base) : 0, y: to ? channelsOf(to.base) : 0 };
    return { ...call, pitch };
  }
  const attrs = call.attrs as CopyAttrs;
  const { dims } = attrs;
  const place = (view: View, tensor: Tensor, strides: readonly number[], offset: number) => {
    const placed = pitchedStrides(dims, strides, offset, channelsOf(tensor), channelsOf(view.base))!;
    return { strides: placed.strides, offset: placed.offset + view.offset };
  };
  const x = from && place(from, input!, attrs.inputStrides, attrs.inputOffset);
  const y = to && place(to, output, attrs.outputStrides, attrs.outputOffset);
  return {
    prim: 'copy',
    inputs: [from?.base ?? input],
    outputs: [to?.base ?? output],
    attrs: {
      dims,
      inputOffset: x?.offset ?? attrs.inputOffset,
      inputStrides: x?.strides ?? attrs.inputStrides,
      outputOffset: y?.offset ?? attrs.outputOffset,
      outputStrides: y?.strides ?? attrs.outputStrides,
    },
  } as PrimCall;
}
