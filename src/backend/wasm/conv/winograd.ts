import { recordHead, WinogradDesc, winogradHead } from '../../../abi/generated/abi.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { PrimCall, Step } from '../../backend.ts';
import { type ConvAttrs, type ConvWeightGradAttrs, convInputs } from '../../prims/conv.ts';
import { leavesOne, roundUp, tileRowsOf } from '../core/blocks.ts';
import type { Epilogue } from '../core/epilogue.ts';
import { Declined } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';
import { convCosts, matricesOf, perStretch, perUnit, transformsOf, unevenness } from './conv-cost.ts';
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

/** Convolutions, and transposed convolutions (such as input gradients), which are convolutions with mirrored kernels. */
export type TransformCall = PrimCall<'conv'> | PrimCall<'convTranspose'>;

/** Bytes of a row of V, which is whole vectors. */
export const vPitchOf = (channels: number): number => roundUp(channels, 4) * 4;
/** At least `bytes`, and an odd number of cache lines, so that matrices, which a transform uses together, are in different cache sets. */
export const oddLines = (bytes: number): number => 64 * (Math.ceil(bytes / 64) | 1);

/** The most bytes of V and M of a chunk, which share the second-level cache with the weights. */
const cacheBytes = 524288;

/** There are transforms for 3×3 kernels (in each slice of a 3-d input) of stride 1, dilation 1, one group. */
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
  // An even number of equal chunks, so that two threads finish together: with 128 → 128 @28 in chunks of 30 and 19 tiles one thread
  // was idle for a third of the time. Chunks that are not whole register tiles do not slow a single thread.
  const chunks = Math.ceil(tiles / most);
  const chunk = chunkOf(tiles, chunks === 1 ? 1 : roundUp(chunks, 2));
  // As many panels as possible, so that the weights are read in order: 512 → 512 @7, relaxed, 92, 113, 125, 135 GFLOP/s with 8, 16,
  // 32, 64 panels at a time.
  const plan = { size, channels, tileRows, tileColumns, tiles, chunk, panels, panelUnit: Math.min(64, panels) };
  return session.backend.threads === 1 ? plan : shareOut(plan, session.backend.threads);
}

/** Tiles per chunk for about `chunks` equal chunks, such that no chunk has a single tile. */
function chunkOf(tiles: number, chunks: number): number {
  let chunk = Math.ceil(tiles / chunks);
  while (leavesOne(tiles, chunk)) chunk++;
  return chunk;
}

/**
 * The cut with the least work for the thread that has most. Units of fewer panels repeat the input transform; units of
 * fewer tiles read the weights again.
 */
function shareOut(plan: WinogradPlan, threads: number): WinogradPlan {
  const { tiles, panels, channels, size } = plan;
  const [there, back] = transformsOf(size);
  const streamed = matricesOf(size) * panels * channels * 32 > cacheBytes;
  let best = plan;
  let least = Infinity;
  for (const chunks of [Math.ceil(tiles / plan.chunk), threads, 2 * threads, 4 * threads]) {
    const chunk = chunkOf(tiles, chunks);
    if (chunk > plan.chunk) continue;
    for (let parts = Math.ceil(panels / plan.panelUnit); parts <= Math.min(panels, 4 * threads); parts++) {
      const panelUnit = Math.ceil(panels / parts);
      const steps = matricesOf(size) * channels * panelUnit;
      const weights = steps * 32 * convCosts.byte + (streamed ? matricesOf(size) * perStretch : 0);
      const transforms = chunk * (there * Math.ceil(channels / 4) + back * 2 * panelUnit);
      const unit = Math.max(chunk, 2) * steps * convCosts.step + weights + transforms + perUnit;
      const units = Math.ceil(tiles / chunk) * Math.ceil(panels / panelUnit);
      const time = (Math.ceil(units / threads) + unevenness) * unit;
      if (time >= least) continue;
      least = time;
      best = { ...plan, chunk, panelUnit };
    }
  }
  return best;
}

/** The common fields of the descriptors of Winograd's kernels: the maps, the padding, and the bias (zeros if there is none). */
export function mapFields(session: WasmSession, shape: WindowShape, bias: Tensor | null | undefined) {
  const { x, y, input, grid, pad, channels, outChannels, xPixel, yPitch } = shape;
  const zeros = session.zeros(256);
  return {
    ...{ x, y, zeros, channels, outChannels, workspace: 0 },
    bias: bias ? session.address(bias) : zeros,
    inputH: input[1],
    inputW: input[2],
    outputH: grid[1],
    outputW: grid[2],
    padH: pad[1],
    padW: pad[2],
    pixel: xPixel,
    yPixel: yPitch[0],
    yRow: yPitch[1],
  };
}

/** Unit of work: a chunk of tiles × some panels. If the weights are not constants, a step before it transforms them. */
export function winogradSteps(
  { prim, inputs, attrs }: TransformCall,
  session: WasmSession,
  shape: WindowShape,
  epilogue: Epilogue,
  plan: WinogradPlan,
): Step[] {
  const { channels, output } = attrs;
  const { size, chunk, panels, panelUnit, tiles } = plan;
  const rows = tileRowsOf(session);
  const matrices = matricesOf(size);
  const panelBytes = channels * 32;
  const weightMatrix = oddLines(panels * panelBytes);
  const weights = transformedWeights(session, prim, inputs[convInputs.weight]!, attrs, size, weightMatrix);
  const vPitch = vPitchOf(channels);
  const mPitch = panelUnit * 32;
  const [vMatrix, mMatrix] = [oddLines(chunk * vPitch), oddLines(chunk * mPitch)];
  const recordsOffset = winogradHead;
  const scratchOffset = roundUp(recordsOffset + Math.ceil(chunk / rows) * (recordHead + rows * 4), 64);
  // The input transform's block [column][row][64 channels] of a tile; the output transform needs a smaller one.
  const vOffset = scratchOffset + matrices * 256;
  const mOffset = vOffset + matrices * vMatrix;
  const panelUnits = Math.ceil(panels / panelUnit);
  const values: WinogradDesc = {
    ...mapFields(session, shape, inputs[convInputs.bias]),
    weight: weights.address,
    size,
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
