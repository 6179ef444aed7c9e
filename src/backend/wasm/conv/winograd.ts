import { recordHead, WinogradDesc, winogradHead } from '../../../abi/generated/abi.ts';
import type { PrimCall, Step } from '../../backend.ts';
import { type ConvAttrs, type ConvWeightGradAttrs, convInputs } from '../../prims/conv.ts';
import { leavesOne, roundUp, tileRowsOf } from '../core/blocks.ts';
import type { Epilogue } from '../core/epilogue.ts';
import { Declined } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';
import type { WindowShape } from './window.ts';
import { type TileSize, transformedWeights } from './winograd-weights.ts';

/** How a convolution is cut into units of work: `chunk` tiles × `panelUnit` panels of 8 output channels. */
export interface WinogradPlan {
  readonly size: TileSize;
  readonly channels: number;
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly tiles: number;
  readonly chunk: number;
  readonly panels: number;
  readonly panelUnit: number;
}

/** Convolutions, and transposed ones (input gradients among them), which are convolutions with mirrored kernels. */
export type TransformCall = PrimCall<'conv'> | PrimCall<'convTranspose'>;

const matricesOf = (size: TileSize): number => (size + 2) ** 2;
/** Rows of V: whole vectors. */
export const vPitchOf = (channels: number): number => roundUp(channels, 4) * 4;
/** At least `bytes`, an odd number of cache lines: the transforms touch all matrices at once, which then lie in different cache sets. */
export const oddLines = (bytes: number): number => 64 * (Math.ceil(bytes / 64) | 1);

/** What V and M of a chunk may take, beside the weights that stream through the second-level cache. */
const cacheBytes = 524288;

/** What there are transforms for: 3×3 (in each slice of a 3-d input), stride 1, dilation 1, one group. */
export function cannotTransform({ attrs }: { attrs: ConvWeightGradAttrs }, session: WasmSession): Declined | null {
  const { kernel, stride, dilation, padBegin, groups, input, output, channels, outChannels } = attrs;
  if (session.backend.precision === 'exact') return new Declined("precision 'exact'");
  if (kernel.join() !== '1,3,3') return new Declined(`kernel ${kernel.join('×')}`);
  if ([...stride, ...dilation].some((n) => n !== 1)) return new Declined('stride or dilation');
  if (groups !== 1) return new Declined(`${groups} groups`);
  if (padBegin[0] !== 0 || input[0] !== output[0]) return new Declined('padding between slices');
  return channels >= 8 && outChannels >= 8 ? null : new Declined('fewer than 8 channels');
}

/** The results do not depend on the number of threads. */
export function planWinograd(attrs: ConvAttrs, size: TileSize, session: WasmSession): WinogradPlan {
  const { batch, output, channels, outChannels } = attrs;
  const rows = tileRowsOf(session);
  const tileRows = Math.ceil(output[1] / size);
  const tileColumns = Math.ceil(output[2] / size);
  const tiles = batch * output[0] * tileRows * tileColumns;
  const panels = Math.ceil(outChannels / 8);
  const tileBytes = matricesOf(size) * (vPitchOf(channels) + panels * 32);
  // Not fewer than 36, since all of the weights are read for each chunk: 512 → 512 @7, batch 8, relaxed, in chunks of 12, 18, 36:
  // 87, 97, 114 GFLOP/s; with 64 channels sizes from 12 to 66 are within 2 %.
  const most = Math.max(36, Math.floor(cacheBytes / tileBytes / rows) * rows);
  // An even number of equal chunks, so that two threads finish together: 128 → 128 @28 in chunks of 30 and 19 tiles left one
  // idle for a third of the time. That they are not whole register tiles costs one thread nothing.
  const chunks = Math.ceil(tiles / most);
  const chunk = chunkOf(tiles, chunks === 1 ? 1 : roundUp(chunks, 2));
  // As many panels as there are, so that the weights are read front to back: 512 → 512 @7, relaxed, with 8, 16, 32, 64 panels at
  // a time 92, 113, 125, 135 GFLOP/s.
  const plan = { size, channels, tileRows, tileColumns, tiles, chunk, panels, panelUnit: Math.min(64, panels) };
  return session.backend.threads === 1 ? plan : shareOut(plan, session.backend.threads);
}

/** Tiles of one of `chunks` equal chunks, none of which may be of a single tile. */
function chunkOf(tiles: number, chunks: number): number {
  let chunk = Math.ceil(tiles / chunks);
  while (leavesOne(tiles, chunk)) chunk++;
  return chunk;
}

/**
 * The cut of which the thread with most units has the least to do. Units of fewer panels repeat the input transform, units of
 * fewer tiles read the weights again.
 */
function shareOut(plan: WinogradPlan, threads: number): WinogradPlan {
  const { tiles, panels, channels, size } = plan;
  const [there, back] = perQuad[size];
  const streamed = matricesOf(size) * panels * channels * 32 > cacheBytes;
  let best = plan;
  let least = Infinity;
  for (const chunks of [Math.ceil(tiles / plan.chunk), threads, 2 * threads, 4 * threads]) {
    const chunk = chunkOf(tiles, chunks);
    if (chunk > plan.chunk) continue;
    for (let parts = Math.ceil(panels / plan.panelUnit); parts <= Math.min(panels, 4 * threads); parts++) {
      const panelUnit = Math.ceil(panels / parts);
      const steps = matricesOf(size) * channels * panelUnit;
      const weights = steps * 32 * perByte + (streamed ? matricesOf(size) * perStretch : 0);
      const transforms = chunk * (there * Math.ceil(channels / 4) + back * 2 * panelUnit);
      const unit = Math.max(chunk, 2) * steps * perStep + weights + transforms + perUnit;
      const units = Math.ceil(tiles / chunk) * Math.ceil(panels / panelUnit);
      const time = (Math.ceil(units / threads) + unevenness) * unit;
      if (time >= least) continue;
      least = time;
      best = { ...plan, chunk, panelUnit };
    }
  }
  return best;
}

// The cost model: nanoseconds on one core of an AMD EPYC (relaxed SIMD; plain SIMD is slower by the same tenth everywhere),
// fitted to layers from 8 → 8 @32 to 512 → 512 @14, cold and warm, and right within a fifth where an algorithm matters.
/** One row of A × one row of a panel (8 multiply–adds): 53 GFLOP/s. */
export const perStep = 0.3;
/** Bytes of weights, streamed from memory while the multiplications go on. */
export const perByte = 0.02;
/** A stretch of weights that is not in the second-level cache: until the processor reads ahead. */
const perStretch = 1500;
/** A kernel call for a unit. */
const perUnit = 300;
/** Threads are not equally fast: what the slower one has left is part of a unit. */
const unevenness = 0.1;
/** The table of addresses of an output pixel. */
const perPixel = 13;
/** Transforming a tile of four channels there, and back; the latter with what each panel costs the micro-kernel's calls. */
export const perQuad = { 4: [16, 50], 2: [6, 16] } as const;

export function gemmCost({ batch, output, kernel, channels, outChannels, groups }: ConvWeightGradAttrs): number {
  const pixels = batch * output[0] * output[1] * output[2];
  const steps = kernel[0] * kernel[1] * kernel[2] * (channels / groups) * groups * Math.ceil(outChannels / groups / 8);
  return pixels * (perPixel + steps * perStep) + steps * 32 * perByte;
}

/** Transforming the weights of a pair of channels, where that is part of the step. */
const perFilter = { 4: 10, 2: 6 } as const;

/** `constant`: weights are transformed ahead. */
export function winogradCost({ size, channels, tiles, panels }: WinogradPlan, constant: boolean): number {
  const steps = matricesOf(size) * channels * panels;
  const [there, back] = perQuad[size];
  const transforms = tiles * (there * Math.ceil(channels / 4) + back * 2 * panels);
  // A register tile of one row waits for its sums and takes as long as two rows.
  const filters = constant ? 0 : channels * panels * 8 * perFilter[size];
  return Math.max(tiles, 2) * steps * perStep + transforms + filters + steps * 32 * perByte;
}

/** Unit of work: a chunk of tiles × some panels. In front of it a step that transforms weights, if they are no constants. */
export function winogradSteps(
  { prim, inputs, attrs }: TransformCall,
  session: WasmSession,
  shape: WindowShape,
  epilogue: Epilogue,
  plan: WinogradPlan,
): Step[] {
  const { channels, outChannels, input, output } = attrs;
  const { size, chunk, panels, panelUnit, tiles } = plan;
  const rows = tileRowsOf(session);
  const matrices = matricesOf(size);
  const panelBytes = channels * 32;
  const weightMatrix = oddLines(panels * panelBytes);
  const weights = transformedWeights(session, prim, inputs[convInputs.weight]!, attrs, size, weightMatrix, matrices);
  const vPitch = vPitchOf(channels);
  const mPitch = panelUnit * 32;
  const [vMatrix, mMatrix] = [oddLines(chunk * vPitch), oddLines(chunk * mPitch)];
  const recordsOffset = winogradHead;
  const scratchOffset = roundUp(recordsOffset + Math.ceil(chunk / rows) * (recordHead + rows * 4), 64);
  // [column][row][64 channels] of a tile, on input; the output's block is smaller.
  const vOffset = scratchOffset + matrices * 256;
  const mOffset = vOffset + matrices * vMatrix;
  const panelUnits = Math.ceil(panels / panelUnit);
  const bias = inputs[convInputs.bias];
  const none = session.zeros(256);
  const values: WinogradDesc = {
    x: shape.x,
    y: shape.y,
    weight: weights.address,
    bias: bias ? session.address(bias) : none,
    zeros: none,
    workspace: 0,
    size,
    inputH: input[1],
    inputW: input[2],
    outputH: output[1],
    outputW: output[2],
    padH: shape.pad[1],
    padW: shape.pad[2],
    channels,
    outChannels,
    pixel: shape.xPixel,
    yPixel: shape.yPitch[0],
    yRow: shape.yPitch[1],
    yImage: output[0] === 1 ? shape.yPitch[3] : shape.yPitch[2],
    tileRowsPerImage: plan.tileRows,
    tileColumns: plan.tileColumns,
    tiles,
    chunk,
    panelUnit,
    panelUnits,
    panels,
    panelBytes,
    weightMatrix,
    vMatrix,
    vPitch,
    mMatrix,
    mPitch,
    tileRows: rows,
    recordsOffset,
    scratchOffset,
    vOffset,
    mOffset,
    ...epilogue,
  };
  const units = Math.ceil(tiles / chunk) * panelUnits;
  const workspace = mOffset + matrices * mMatrix;
  return [...weights.steps, session.step(prim, 'convWinograd', WinogradDesc, values, units, { workspace })];
}
