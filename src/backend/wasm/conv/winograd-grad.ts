import {
  FinishWinogradGradDesc,
  gradFinishBytes,
  gradMatrices,
  gradScratchBytes,
  WinogradGradDesc,
  winogradGradHead,
} from '../../../abi/generated/abi.ts';
import type { PrimCall, Step } from '../../backend.ts';
import type { ConvWeightGradAttrs } from '../../prims/conv.ts';
import { roundUp, tileRowsOf } from '../core/blocks.ts';
import type { WasmSession } from '../core/session.ts';
import { type ConvCosts, type WinogradGradWork, winogradGradCost } from './conv-cost.ts';
import { oddLines, vPitchOf } from './winograd.ts';

/** How a weight gradient is cut: splits of the tiles × blocks of x's channels × blocks of gy's. It does not depend on the threads. */
export interface WinogradGradPlan {
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly tiles: number;
  readonly splits: number;
  readonly splitTiles: number;
  readonly rowBlock: number;
  readonly columnBlock: number;
  /** Tiles per pass. */
  readonly chunk: number;
  /** The sizes on which the cost depends, and a factor of the cost for cuts that are too coarse or whose sums are too large. */
  readonly work: WinogradGradWork;
  readonly penalty: number;
  /** Estimated nanoseconds of one thread. */
  readonly cost: number;
}

/** The cost of the plan with other constants. */
export function winogradGradPlanCost(attrs: ConvWeightGradAttrs, costs?: ConvCosts): number {
  const { work, penalty, cost } = planWinogradGrad(attrs);
  return costs === undefined ? cost : winogradGradCost(work, costs) * penalty;
}

/** There should be at least so many work units, if there are enough tiles. */
const wantedUnits = 8;
/** The fewest tiles of a split. */
const leastTiles = 16;
/** The most bytes of V and W of a pass, and of a unit's sums, which should stay in the second-level cache. */
const cacheBytes = 393216;
const mostBlockBytes = 327680;

const halves = [1, 2, 4, 8, 16] as const;

/** The cheapest cut that has enough units for several threads. Each block repeats the transform of the other operand. */
export function planWinogradGrad({ batch, output, channels, outChannels }: ConvWeightGradAttrs): WinogradGradPlan {
  const tileRows = Math.ceil(output[1] / 4);
  const tileColumns = Math.ceil(output[2] / 4);
  const tiles = batch * output[0] * tileRows * tileColumns;
  let best: WinogradGradPlan | null = null;
  for (const parts of halves) {
    const splitTiles = Math.ceil(tiles / parts);
    const splits = Math.ceil(tiles / splitTiles);
    if (parts > 1 && splitTiles < leastTiles) break;
    for (const rowParts of halves) {
      const rowBlock = roundUp(Math.ceil(channels / rowParts), 4);
      const rowUnits = Math.ceil(channels / rowBlock);
      for (const columnParts of halves) {
        const columnBlock = roundUp(Math.ceil(outChannels / columnParts), 8);
        const columnUnits = Math.ceil(outChannels / columnBlock);
        const small = splits * rowUnits * columnUnits < wantedUnits ? 1.5 : 1;
        const large = gradMatrices * rowBlock * columnBlock * 4 > mostBlockBytes ? 1.5 : 1;
        const work = { tiles, channels, outChannels, splits, rowUnits, columnUnits };
        const penalty = small * large;
        const cost = winogradGradCost(work) * penalty;
        if (best !== null && cost >= best.cost) continue;
        const most = Math.max(leastTiles, Math.floor(cacheBytes / (gradMatrices * 4 * (rowBlock + columnBlock))));
        const chunk = Math.ceil(splitTiles / Math.ceil(splitTiles / most));
        best = { tileRows, tileColumns, tiles, splits, splitTiles, rowBlock, columnBlock, chunk, work, penalty, cost };
      }
    }
  }
  return best!;
}

/** Two steps: the sums of the splits, then their total and the output transform. */
export function winogradGradSteps(
  { inputs, outputs, attrs }: PrimCall<'convWeightGrad'>,
  session: WasmSession,
  plan: WinogradGradPlan,
): Step[] {
  const { channels, outChannels, input, output, padBegin } = attrs;
  const { tileRows, tileColumns, tiles, splits, splitTiles, rowBlock, columnBlock, chunk } = plan;
  const rowUnits = Math.ceil(channels / rowBlock);
  const columnUnits = Math.ceil(outChannels / columnBlock);
  const rowBytes = vPitchOf(outChannels);
  const matrixBytes = channels * rowBytes;
  const splitBytes = gradMatrices * matrixBytes;
  const [vPitch, wPitch] = [rowBlock * 4, columnBlock * 4];
  const [vMatrix, wMatrix] = [oddLines(chunk * vPitch), oddLines(chunk * wPitch)];
  const scratchOffset = winogradGradHead;
  const vOffset = scratchOffset + gradMatrices * gradScratchBytes;
  const wOffset = vOffset + gradMatrices * vMatrix;
  const partial = session.scratch(splits * splitBytes);
  const values: WinogradGradDesc = {
    x: session.address(inputs[0]!),
    zeros: session.zeros(256),
    workspace: 0,
    size: 4,
    inputH: input[1],
    inputW: input[2],
    padH: padBegin[1],
    padW: padBegin[2],
    pixel: channels * 4,
    tileRowsPerImage: tileRows,
    tileColumns,
    vMatrix,
    vPitch,
    scratchOffset,
    vOffset,
    gy: session.address(inputs[1]!),
    partial,
    outputH: output[1],
    outputW: output[2],
    channels,
    outChannels,
    gyPixel: outChannels * 4,
    tiles,
    splitTiles,
    chunk,
    rowBlock,
    rowUnits,
    columnBlock,
    columnUnits,
    wMatrix,
    wPitch,
    wOffset,
    rowBytes,
    matrixBytes,
    splitBytes,
    tileRows: tileRowsOf(session),
  };
  const finish = {
    ...{ partial, workspace: 0, splits, splitBytes, matrixBytes, rowBytes, channels, columns: outChannels },
    gw: session.address(outputs[0]),
  };
  const [prim, units, workspace] = [
    'convWeightGrad',
    splits * rowUnits * columnUnits,
    wOffset + gradMatrices * wMatrix,
  ] as const;
  return [
    session.step(prim, 'winogradWeightGrad', WinogradGradDesc, values, units, { workspace }),
    session.step(prim, 'finishWinogradGrad', FinishWinogradGradDesc, finish, channels, { workspace: gradFinishBytes }),
  ];
}
