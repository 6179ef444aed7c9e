import { recordHead, WinogradRowDesc, winogradRowColumns, workspaceHead } from '../../../abi/generated/abi.ts';
import type { PrimCall, Step } from '../../backend.ts';
import { type ConvAttrs, convInputs } from '../../prims/conv.ts';
import { roundUp, tileRowsOf } from '../core/blocks.ts';
import type { Epilogue } from '../core/epilogue.ts';
import { Declined } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';
import type { WindowShape } from './window.ts';
import { mapFields } from './winograd.ts';

/** Output pixels of a tile, and the points of F(4, 4): p, −p of each, and ∞. */
const tileSize = 4;
const points = [0.5, 1, 2].flatMap((p) => [p, -p]);

/** The algorithm takes seven taps at stride 2 along W, any kernel along H, and constant weights. */
export function cannotTransformRows({ attrs, inputs }: PrimCall<'conv'>, session: WasmSession): Declined | null {
  const { kernel, stride, dilation, groups, input } = attrs;
  if (session.backend.precision === 'exact') return new Declined("precision 'exact'");
  if (kernel[0] !== 1 || kernel[2] !== 7 || stride[2] !== 2 || input[0] !== 1)
    return new Declined('no rows of 7 at stride 2');
  if (groups !== 1 || dilation[1] !== 1 || dilation[2] !== 1) return new Declined('groups or dilation');
  return inputs[convInputs.weight]!.constant ? null : new Declined('the weight is no constant');
}

/**
 * G w for every kernel row and pair of channels: for each panel the matrices of the finite points [kernelH][even, odd][channels][8],
 * then that of ∞ [kernelH][even][channels][8]. The row of G for point p is p⁰ … p³ over Π (p − other points); for ∞ it is the last tap.
 */
function transformWeights(weight: Float32Array, { channels, outChannels, kernel }: ConvAttrs, to: Float32Array): void {
  const rows = kernel[1];
  const length = rows * channels;
  const panelLength = 13 * length * 8;
  const scales = points.map((p) => points.reduce((n, q) => (p === q ? n : n * (p - q)), 1));
  to.fill(0);
  for (let o = 0; o < outChannels; o++) {
    const panel = Math.floor(o / 8) * panelLength + (o % 8);
    for (let c = 0; c < channels; c++) {
      for (let r = 0; r < rows; r++) {
        const w = weight.subarray(((o * channels + c) * rows + r) * 7);
        points.forEach((p, j) => {
          const even = panel + (j * 2 * length + (r * 2 * channels + c)) * 8;
          to[even] = (w[0] + p * (w[2] + p * (w[4] + p * w[6]))) / scales[j];
          to[even + channels * 8] = (w[1] + p * (w[3] + p * w[5])) / scales[j];
        });
        to[panel + (12 * length + r * channels + c) * 8] = w[6];
      }
    }
  }
}

/** Unit of work: a block of output rows. */
export function winogradRowSteps(
  { prim, inputs, attrs }: PrimCall<'conv'>,
  session: WasmSession,
  shape: WindowShape,
  epilogue: Epilogue,
): Step[] {
  const { batch, output, kernel, stride, channels, outChannels } = attrs;
  const panels = Math.ceil(outChannels / 8);
  const tiles = Math.ceil(output[2] / tileSize);
  const bytes = panels * 13 * kernel[1] * channels * 32;
  const weight = session.packed(inputs[convInputs.weight]!, `winograd row ${channels} ${outChannels}`, bytes, (to) => {
    const raw = new Float32Array(inputs[convInputs.weight]!.size);
    inputs[convInputs.weight]!.copyTo(new Uint8Array(raw.buffer));
    transformWeights(raw, attrs, new Float32Array(session.bytes().buffer, to, bytes / 4));
  });
  // V of a block stays in the second-level cache; input rows that two blocks share are transformed twice.
  const rowBlock = Math.ceil(output[1] / roundUp(Math.ceil(output[1] / 8), 2));
  const rowBlocks = Math.ceil(output[1] / rowBlock);
  const inputRows = (rowBlock - 1) * stride[1] + kernel[1];
  const tileRows = tileRowsOf(session);
  const recordsBytes = roundUp(Math.ceil(tiles / tileRows) * (recordHead + tileRows * 4), 64);
  const infinityTile = roundUp(inputRows * channels * 4 + 12, 16);
  const vTile = roundUp(inputRows * channels * 8 + 12, 16);
  const mMatrix = tiles * 32;
  const recordsOffset = workspaceHead;
  const infinityRecordsOffset = recordsOffset + recordsBytes;
  const stagingOffset = infinityRecordsOffset + recordsBytes;
  const vOffset = roundUp(stagingOffset + winogradRowColumns * roundUp(channels, 4) * 4, 64);
  const infinityOffset = vOffset + 6 * tiles * vTile;
  const mOffset = roundUp(infinityOffset + tiles * infinityTile, 64);
  const values: WinogradRowDesc = {
    ...mapFields(session, shape, inputs[convInputs.bias]),
    weight,
    kernelH: kernel[1],
    strideH: stride[1],
    yImage: shape.yPitch[3],
    tiles,
    rowBlock,
    rowBlocks,
    panels,
    tileRows,
    vMatrix: tiles * vTile,
    vTile,
    infinityTile,
    mMatrix,
    recordsOffset,
    infinityRecordsOffset,
    stagingOffset,
    vOffset,
    infinityOffset,
    mOffset,
    ...epilogue,
  };
  const workspace = mOffset + 7 * mMatrix;
  return [session.step(prim, 'convWinogradRow', WinogradRowDesc, values, batch * rowBlocks, { workspace })];
}
