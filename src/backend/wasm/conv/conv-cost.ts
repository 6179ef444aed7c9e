// The cost model of everything that convolves: convolutions, transposed ones and weight gradients choose by these estimates, in
// nanoseconds of one thread with cold weights. The constants were fitted by hand on one core of an AMD EPYC with relaxed SIMD (plain SIMD
// is slower by the same tenth everywhere) to layers from 8 → 8 @32 to 512 → 512 @14, cold and warm, and were right within a fifth there
// where an algorithm matters. bench/results/conv-costs.json has the times of one run with the processor that they were taken on:
// `npm run bench:algos -- --fit --write` measures the one at hand, shows how well these constants predict it and which would predict it
// best (bench/conv-fit.ts). On an Intel Xeon with plain SIMD these are off by 39 % and the best by 22 %, and both choose within 3 % of
// the fastest, which is why they are not refitted for each processor.
import type { ConvWeightGradAttrs } from '../../prims/conv.ts';
import { roundUp } from '../core/blocks.ts';
import type { TileSize } from './winograd-weights.ts';

/** Estimates are linear in these, which is what makes a fit by least squares possible. */
export const convCosts = {
  /** One row of A × one row of a panel (8 multiply–adds): 53 GFLOP/s. */
  step: 0.3,
  /** Bytes of weights, streamed from memory while the multiplications go on. */
  byte: 0.02,
  /** The table of addresses of an output pixel. */
  pixel: 13,
  /** Transforming a tile of four channels there, and back; the latter with what each panel costs the micro-kernel's calls. */
  there4: 16,
  back4: 50,
  there2: 6,
  back2: 16,
  /** Transforming the weights of a pair of channels, where that is part of the step. */
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

/** A stretch of weights that is not in the second-level cache: until the processor reads ahead. */
export const perStretch = 1500;
/** A kernel call for a unit. */
export const perUnit = 300;
/** Threads are not equally fast: what the slower one has left is part of a unit. */
export const unevenness = 0.1;

/** Matrices of F(n×n, 3×3). */
export const matricesOf = (size: TileSize): number => (size + 2) ** 2;

/** Transforms of a tile of four channels there and back. */
export const transformsOf = (size: TileSize, costs: ConvCosts = convCosts): readonly [there: number, back: number] =>
  size === 4 ? [costs.there4, costs.back4] : [costs.there2, costs.back2];

/** A sum over taps and channels: by tables of addresses, by phases, and the direct weight gradient. */
export function gemmCost(attrs: ConvWeightGradAttrs, costs: ConvCosts = convCosts): number {
  const { batch, output, kernel, channels, outChannels, groups } = attrs;
  const pixels = batch * output[0] * output[1] * output[2];
  const steps = kernel[0] * kernel[1] * kernel[2] * (channels / groups) * groups * Math.ceil(outChannels / groups / 8);
  return pixels * (costs.pixel + steps * costs.step) + steps * 32 * costs.byte;
}

/** What the cost of Winograd's algorithm depends on. */
export interface WinogradWork {
  readonly size: TileSize;
  readonly channels: number;
  readonly tiles: number;
  readonly panels: number;
}

/** `constant`: weights are transformed ahead. */
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
  // Those of the even and odd columns of six points, and of ∞.
  const products = 7 * panels * costs.rowProduct;
  return rows * (multiplications + products + tiles * (panels * costs.rowTile + there)) + steps * 32 * costs.byte;
}

/** A cut of a weight gradient: blocks of x's channels and of gy's repeat the transform of the other operand. */
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
