import { ConvWeightGradDesc, FinishWeightGradDesc, runBytes, runsOffset } from '../../../abi/generated/abi.ts';
import { product } from '../../../common/numbers.ts';
import type { PrimCall, Step } from '../../backend.ts';
import type { ConvWeightGradAttrs } from '../../prims/conv.ts';
import { type Algorithm, type Choice, choose, lowerBy } from '../core/algorithm.ts';
import { tileRowsOf } from '../core/blocks.ts';
import { geometryFields } from '../core/geometry.ts';
import { type Declined, nothingToSum, otherThanFloat32, type WasmPrim } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';
import { type ConvCosts, gemmCost } from './conv-cost.ts';
import { cannotTransform } from './winograd.ts';
import { planWinogradGrad, winogradGradPlanCost, winogradGradSteps } from './winograd-grad.ts';

/**
 * The most parts of the batch that are summed separately, and the fewest pixels of a part. Adding 16 parts instead of 8 took three
 * times as long, 3 % of a step of ResNet-20. More threads than that share taps and panels.
 */
const mostSplits = 8;
const leastPixels = 128;
/** The most bytes of partial sums. */
const mostPartialBytes = 1 << 23;
/** There should be at least so many work units. */
const wantedUnits = 16;
/** Output pixels per pass: 8 columns of gy and a tile's columns of x stay in the first-level cache. */
const blockPixels = 128;

/** How the sum over pixels and the result are cut into work units. It depends on the shapes, not on the number of threads. */
function cut(pixels: number, splitBytes: number, items: number, panels: number) {
  const splits = Math.max(
    1,
    Math.min(mostSplits, Math.floor(pixels / leastPixels), Math.floor(mostPartialBytes / splitBytes)),
  );
  const splitPixels = Math.ceil(pixels / splits);
  const itemBlock = Math.ceil(items / Math.max(1, Math.min(items, Math.ceil(wantedUnits / splits))));
  const itemUnits = Math.ceil(items / itemBlock);
  const panelBlock = Math.ceil(panels / Math.min(panels, Math.ceil(wantedUnits / (splits * itemUnits))));
  return {
    splits: Math.ceil(pixels / splitPixels),
    splitPixels,
    itemBlock,
    itemUnits,
    panelBlock,
    panelUnits: Math.ceil(panels / panelBlock),
  };
}

export interface WeightGradAlgorithm extends Algorithm<'convWeightGrad', null> {
  /** `costs`: other constants than those of conv-cost.ts, for a fit. */
  cost(call: PrimCall<'convWeightGrad'>, session: WasmSession, costs?: ConvCosts): number | Declined;
}
export type WeightGradChoice = Choice<'convWeightGrad', null, WeightGradAlgorithm>;

/** The binding of a weight gradient whose algorithm `by` chooses. */
export const weightGradBy =
  (by: (call: PrimCall<'convWeightGrad'>, session: WasmSession) => WeightGradChoice): WasmPrim<'convWeightGrad'> =>
  (call, session) => {
    const { inputs, outputs, attrs } = call;
    const other = otherThanFloat32(inputs, outputs);
    if (other !== null) return other;
    if (attrs.batch * product(attrs.output) * attrs.channels * attrs.outChannels === 0) return nothingToSum();
    return lowerBy(by(call, session), call, session, null);
  };

export const weightGradAlgorithms: readonly WeightGradAlgorithm[] = [
  { name: 'direct', cost: ({ attrs }, _, costs) => gemmCost(attrs, costs), lower: directSteps },
  {
    name: 'winograd',
    detail({ attrs }) {
      const { splits, chunk } = planWinogradGrad(attrs);
      return `${chunk} tiles a chunk, ${splits} ${splits === 1 ? 'sum' : 'sums'}`;
    },
    cost: (call, session, costs) => cannotTransform(call, session) ?? winogradGradPlanCost(call.attrs, costs),
    lower: (call, session) => winogradGradSteps(call, session, planWinogradGrad(call.attrs)),
  },
];

/** The algorithm of the least estimated cost. */
export const chooseWeightGrad = (call: PrimCall<'convWeightGrad'>, session: WasmSession): WeightGradChoice =>
  choose(weightGradAlgorithms, call, session);

export const convWeightGrad: WasmPrim<'convWeightGrad'> = weightGradBy(chooseWeightGrad);

/** The direct sum, over rows of pixels of x and gy. */
export function directSteps({ inputs, outputs, attrs }: PrimCall<'convWeightGrad'>, session: WasmSession): Step[] {
  const { channels, outChannels, groups, kernel, output, batch, dilation } = attrs;
  const pixels = batch * product(output);
  const taps = product(kernel);
  const depthwise = groups > 1 && groups === channels && groups === outChannels;
  const perGroup = channels / groups;
  // Few channels: the taps of a kernel row are one run of x, which needs copies at the left and right border.
  const byTap = depthwise || groups > 1 || perGroup >= 8 || kernel[2] === 1 || dilation[2] !== 1;
  const groupItems = byTap ? taps : kernel[0] * kernel[1];
  const rows = depthwise ? 1 : byTap ? perGroup : kernel[2] * channels;
  const columns = depthwise ? channels : outChannels / groups;
  const items = depthwise ? taps : groups * groupItems;
  const rowBytes = depthwise ? Math.ceil(columns / 16) * 64 : Math.ceil(columns / 4) * 16;
  const itemBytes = rows * rowBytes;
  const splitBytes = items * itemBytes;
  const panels = depthwise ? 1 : Math.ceil(columns / 8);
  const { splits, ...units } = cut(pixels, splitBytes, items, panels);
  const block = Math.min(blockPixels, units.splitPixels);
  // Output rows that a block may touch.
  const rowsOfBlock = Math.ceil((block - 1) / output[2]) + 1;
  const panelOffset = align(runsOffset + rowsOfBlock * runBytes);
  const stagingOffset = panelOffset + (depthwise ? 0 : units.panelBlock * block * 32);
  const stagingRow = align(((Math.min(output[2], block) - 1) * attrs.stride[2] + kernel[2]) * channels * 4);
  const partial = session.scratch(splits * splitBytes);
  const values = {
    x: session.address(inputs[0]!),
    gy: session.address(inputs[1]!),
    partial,
    workspace: 0,
    ...geometryFields(attrs),
    pixel: channels * 4,
    gyPixel: outChannels * 4,
    byTap: byTap ? 1 : 0,
    items,
    taps: groupItems,
    rows,
    columns,
    groupInput: perGroup * 4,
    groupOutput: columns * 4,
    itemBytes,
    rowBytes,
    splitBytes,
    pixels,
    ...units,
    blockPixels: block,
    tileRows: tileRowsOf(session),
    panelOffset,
    stagingOffset,
    stagingRow,
  };
  const name = depthwise ? 'depthwiseWeightGrad' : 'convWeightGrad';
  const count = splits * units.itemUnits * units.panelUnits;
  const bytes = stagingOffset + (byTap ? 0 : rowsOfBlock * stagingRow);
  const sums = session.step('convWeightGrad', name, ConvWeightGradDesc, values, count, { workspace: bytes });
  return [sums, finishStep(session, attrs, { gw: session.address(outputs[0]), partial, splits, splitBytes, rowBytes })];
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** The address of the partial sums, their number, and where their sum is stored. */
interface Sums {
  readonly gw: number;
  readonly partial: number;
  readonly splits: number;
  readonly splitBytes: number;
  readonly rowBytes: number;
}

function finishStep(
  session: WasmSession,
  { channels, outChannels, groups, kernel }: ConvWeightGradAttrs,
  sums: Sums,
): Step {
  const depthwise = groups > 1 && groups === channels && groups === outChannels;
  const [sets, inner, columns] = depthwise ? [1, 1, channels] : [groups, channels / groups, outChannels / groups];
  const taps = product(kernel);
  const values = {
    ...sums,
    groupBytes: taps * inner * sums.rowBytes,
    groups: sets,
    channels: inner,
    taps,
    columns,
  };
  const units = sets * Math.ceil(columns / 4);
  return session.step('convWeightGrad', 'finishWeightGrad', FinishWeightGradDesc, values, units);
}
