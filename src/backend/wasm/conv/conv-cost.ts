// The cost model of convolutions, transposed convolutions and weight gradients: they choose their algorithm by these estimates, in
// nanoseconds of one thread with cold weights. The constants were fitted by hand on one core of an AMD EPYC with relaxed SIMD (plain SIMD
// is slower by the same tenth everywhere) to layers from 8 → 8 @32 to 512 → 512 @14, cold and warm. There they are right within a fifth
// for the layers where the choice matters. bench/results/conv-costs.json has the times of one run and names its processor.
// `npm run bench:algos -- --fit --write` measures the current machine, and shows how well these constants predict its times and which
// constants would predict them best (bench/conv-fit.ts). On an Intel Xeon with plain SIMD these constants are off by 39 % and the best
// by 22 %, on an AMD EPYC with plain SIMD by 25 % and 10 %, weight gradients included; both choose algorithms within 3 % of the
// fastest. So they are not refitted for each processor.
import type { ConvWeightGradAttrs } from '../../prims/conv.ts';
import { roundUp } from '../core/blocks.ts';
import type { TileSize } from './winograd-weights.ts';

/** Estimates are linear in these constants, so that they can be fitted by least squares. */
export const convCosts = {
  /** One row of A × one row of a panel (8 multiply–adds): 53 GFLOP/s. */
  step: 0.3,
  /** A byte of weights, streamed from memory during the multiplications. */
  byte: 0.02,
  /** The table of addresses of an output pixel. */
  pixel: 13,
  /** Input transform (there) and output transform (back) of a tile of four channels; `back` includes the micro-kernel's calls per panel. */
  there4: 16,
  back4: 50,
  there2: 6,
  back2: 16,
  /** Transforming the weights of a pair of channels, if that is part of the step. */
  filter4: 10,
  filter2: 6,
  /** Winograd along rows: per tile and panel, per tile and input row of four channels, per product of a panel. */
  rowTile: 20,
  rowInput: 16,
  rowProduct: 50,
  /** Weight gradients: transforming a tile of four channels of gy. */
  gradQuad: 14,
  /** Weight gradients: a byte of a partial sum, which is cleared, written, and read again. */
  partialByte: 0.12,
};

export type ConvCosts = { readonly [name in keyof typeof convCosts]: number };

/** Start of reading a run of weights that is not in the second-level cache, until the processor prefetches. */
export const perStretch = 1500;
/** A kernel call for one unit of work. */
export const perUnit = 300;
/** Threads are not equally fast: at the end, the others wait for this share of a unit. */
export const unevenness = 0.1;

/** Matrices of F(n×n, 3×3). */
export const matricesOf = (size: TileSize): number => (size + 2) ** 2;

/** Costs of the input and the output transform of a tile of four channels. */
export const transformsOf = (size: TileSize, costs: ConvCosts = convCosts): readonly [there: number, back: number] =>
  size === 4 ? [costs.there4, costs.back4] : [costs.there2, costs.back2];

/** The direct sum over taps and channels: convolutions, phases of transposed convolutions, and the direct weight gradient. */
export function gemmCost(attrs: ConvWeightGradAttrs, costs: ConvCosts = convCosts): number {
  const { batch, output, kernel, channels, outChannels, groups } = attrs;
  const pixels = batch * output[0] * output[1] * output[2];
  const steps = kernel[0] * kernel[1] * kernel[2] * (channels / groups) * groups * Math.ceil(outChannels / groups / 8);
  return pixels * (costs.pixel + steps * costs.step) + steps * 32 * costs.byte;
}

/** The sizes on which the cost of Winograd's algorithm depends. */
export interface WinogradWork {
  readonly size: TileSize;
  readonly channels: number;
  readonly tiles: number;
  readonly panels: number;
}

/** `constant`: weights have been transformed before the run. */
export function winogradCost(work: WinogradWork, constant: boolean, costs: ConvCosts = convCosts): number {
  const { size, channels, tiles, panels } = work;
  const steps = matricesOf(size) * channels * panels;
  const [there, back] = transformsOf(size, costs);
  const transforms = tiles * (there * Math.ceil(channels / 4) + back * 2 * panels);
  const filters = constant ? 0 : channels * panels * 8 * (size === 4 ? costs.filter4 : costs.filter2);
  // A register tile of one row waits for its sums and takes as long as two rows.
  return Math.max(tiles, 2) * steps * costs.step + transforms + filters + steps * 32 * costs.byte;
}

/** Winograd's algorithm along rows, tiles of four output pixels. */
export function winogradRowCost(attrs: ConvWeightGradAttrs, costs: ConvCosts = convCosts): number {
  const { batch, output, kernel, stride, channels, outChannels } = attrs;
  const rows = batch * output[1];
  const tiles = Math.ceil(output[2] / 4);
  const panels = Math.ceil(outChannels / 8);
  const steps = 13 * kernel[1] * channels * panels;
  const there = stride[1] * Math.ceil(channels / 4) * costs.rowInput;
  // Register tiles of fewer than four rows wait for their sums.
  const multiplications = Math.max(tiles, 4) * steps * costs.step;
  // A product for each of the six finite points, and one for ∞.
  const products = 7 * panels * costs.rowProduct;
  return rows * (multiplications + products + tiles * (panels * costs.rowTile + there)) + steps * 32 * costs.byte;
}

/** The parts of a weight gradient: each block of x's channels repeats the transform of gy, and each block of gy's that of x. */
export interface WinogradGradWork {
  readonly tiles: number;
  readonly channels: number;
  readonly outChannels: number;
  readonly splits: number;
  readonly rowUnits: number;
  readonly columnUnits: number;
}

export function winogradGradCost(work: WinogradGradWork, costs: ConvCosts = convCosts): number {
  const { tiles, channels, outChannels, splits, rowUnits, columnUnits } = work;
  const steps = tiles * matricesOf(4) * channels * Math.ceil(outChannels / 8) * costs.step;
  const there = costs.there4 * Math.ceil(channels / 4) * columnUnits;
  const transforms = tiles * (there + costs.gradQuad * Math.ceil(outChannels / 4) * rowUnits);
  const sums = splits * matricesOf(4) * channels * roundUp(outChannels, 4) * 4 * costs.partialByte;
  return steps + transforms + sums;
}
