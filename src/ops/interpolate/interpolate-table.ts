import type { CoordinateMode, InterpolateAttrs, InterpolateMode, NearestMode } from './attrs.ts';

/** The defaults of PyTorch and ONNX. */
export const interpolateDefaults: Omit<InterpolateAttrs, 'outputShape' | 'mode'> = {
  scales: null,
  coordinateMode: 'half_pixel',
  nearestMode: 'round_prefer_floor',
  cubicCoeffA: -0.75,
  excludeOutside: false,
  antialias: false,
  extrapolationValue: 0,
  roi: null,
};

/** How one axis is resampled; names and meaning are those of ONNX Resize. */
export interface AxisResize {
  readonly input: number;
  readonly output: number;
  /** Output cells per input cell; null: output / input. */
  readonly scale: number | null;
  readonly mode: InterpolateMode;
  readonly coordinateMode: CoordinateMode;
  readonly nearestMode: NearestMode;
  readonly cubicCoeffA: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
  /** Part of the input that tf_crop_and_resize samples, 0…1. */
  readonly roi: readonly [number, number];
}

/** y[o] = Σ_t weight[o·taps + t] · x[index[o·taps + t]]; index −1 stands for the extrapolation value. */
export interface AxisTable {
  readonly taps: number;
  readonly index: Int32Array;
  readonly weight: Float32Array;
}

export const interpolateModes = [
  'nearest',
  'linear',
  'cubic',
  'area',
  'lanczos3',
] as const satisfies readonly InterpolateMode[];

export const coordinateModes = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_half_pixel_for_nn',
  'tf_crop_and_resize',
] as const satisfies readonly CoordinateMode[];

export const nearestModes = [
  'round_prefer_floor',
  'round_prefer_ceil',
  'floor',
  'ceil',
] as const satisfies readonly NearestMode[];

/** One output cell: its consecutive input cells, which may be outside the input, and their weights. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** The length of `p` output cells in input cells. Exact if the scale is output / input. */
function unscale({ input, output, scale }: AxisResize, p: number): number {
  return scale === null ? (p * input) / output : p / scale;
}

/** Length of the output by the scale, not rounded to whole cells. */
const exactOutput = ({ input, output, scale }: AxisResize): number => (scale === null ? output : scale * input);

/** Place in the input of output cell o, in cells from the centre of cell 0. */
const coordinates: Readonly<Record<CoordinateMode, (axis: AxisResize, o: number) => number>> = {
  half_pixel: (axis, o) => unscale(axis, o + 0.5) - 0.5,
  half_pixel_symmetric: (axis, o) => {
    const offset = (axis.input / 2) * (1 - axis.output / exactOutput(axis));
    return offset + unscale(axis, o + 0.5) - 0.5;
  },
  pytorch_half_pixel: (axis, o) => (axis.output > 1 ? unscale(axis, o + 0.5) - 0.5 : 0),
  align_corners: (axis, o) => (o === 0 ? 0 : (o * (axis.input - 1)) / (exactOutput(axis) - 1)),
  asymmetric: (axis, o) => unscale(axis, o),
  tf_half_pixel_for_nn: (axis, o) => unscale(axis, o + 0.5),
  tf_crop_and_resize: ({ roi: [start, end], input, output }, o) =>
    output > 1
      ? start * (input - 1) + (o * (end - start) * (input - 1)) / (output - 1)
      : 0.5 * (start + end) * (input - 1),
};

const rounding: Readonly<Record<NearestMode, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Keys' cubic kernel (1981) with parameter a. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0;
}

function lanczos3(distance: number): number {
  if (distance === 0) return 1;
  if (Math.abs(distance) >= 3) return 0;
  const p = Math.PI * distance;
  return (3 * Math.sin(p) * Math.sin(p / 3)) / (p * p);
}

/** Kernels: the weight by distance, and the distance beyond which it is 0. */
const kernels = {
  linear: { support: 1, weigh: (d: number): number => Math.max(0, 1 - Math.abs(d)) },
  cubic: { support: 2, weigh: cubic },
  lanczos3: { support: 3, weigh: lanczos3 },
} as const;

function nearestTaps(axis: AxisResize, x: number): Taps {
  return { first: clamp(rounding[axis.nearestMode](x), axis.input), weights: [1] };
}

/** The mean of the input cells that the output cell touches: adaptive average pooling. */
function areaTaps({ input, output }: AxisResize, o: number): Taps {
  const first = Math.floor((o * input) / output);
  const count = Math.ceil(((o + 1) * input) / output) - first;
  return { first, weights: new Array<number>(count).fill(1 / count) };
}

/**
 * A kernel around x. With `antialias`, a shrinking resize stretches the kernel by 1/scale (as PIL, PyTorch and ONNX do).
 * With `excludeOutside`, cells outside the input are dropped and the other weights are scaled to a sum of 1; otherwise they have the
 * value of the edge.
 */
function kernelTaps(axis: AxisResize, mode: keyof typeof kernels, x: number): Taps {
  const { support, weigh } = kernels[mode];
  const shrink = axis.antialias ? Math.min(1, exactOutput(axis) / axis.input) : 1;
  const reach = support / shrink;
  const first = Math.floor(x - reach) + 1;
  const last = Math.max(first, Math.ceil(x + reach) - 1);
  const weights: number[] = [];
  let sum = 0;
  for (let i = first; i <= last; i++) {
    const outside = axis.excludeOutside && (i < 0 || i >= axis.input);
    const weight = outside ? 0 : weigh((i - x) * shrink, axis.cubicCoeffA);
    weights.push(weight);
    sum += weight;
  }
  // Weights of stretched or cut kernels, and of Lanczos, do not sum to 1.
  const factor = sum === 0 ? 1 : 1 / sum;
  return { first, weights: weights.map((w) => w * factor) };
}

const clamp = (i: number, length: number): number => Math.min(Math.max(i, 0), length - 1);

/** The table of an axis. Weights of the same edge cell are added; every row has `taps` entries. */
export function axisTable(axis: AxisResize): AxisTable {
  // Every row is computed twice: to keep them would take a hundred times the memory of the table.
  let taps = 1;
  for (let o = 0; o < axis.output; o++) taps = Math.max(taps, row(axis, o).size);
  const index = new Int32Array(axis.output * taps);
  const weight = new Float32Array(axis.output * taps);
  for (let o = 0; o < axis.output; o++) {
    const cells = row(axis, o);
    const [first] = cells.keys();
    index.fill(first, o * taps, (o + 1) * taps); // Spare taps read a cell that is read anyway, with weight 0.
    let at = o * taps;
    for (const [cell, w] of cells) {
      index[at] = cell;
      weight[at++] = w;
    }
  }
  return { taps, index, weight };
}

/** Cell → weight for one output cell. Cells are inside the input, or −1 for the extrapolation value. */
function row(axis: AxisResize, o: number): Map<number, number> {
  const { mode, input } = axis;
  const x = mode === 'area' ? 0 : coordinates[axis.coordinateMode](axis, o);
  if (axis.coordinateMode === 'tf_crop_and_resize' && mode !== 'area' && (x < 0 || x > input - 1))
    return new Map([[-1, 1]]);
  const taps =
    mode === 'nearest' ? nearestTaps(axis, x) : mode === 'area' ? areaTaps(axis, o) : kernelTaps(axis, mode, x);
  const cells = new Map<number, number>();
  taps.weights.forEach((w, i) => {
    if (w === 0) return;
    const cell = clamp(taps.first + i, input);
    cells.set(cell, (cells.get(cell) ?? 0) + w);
  });
  if (cells.size === 0) cells.set(clamp(taps.first, input), 0);
  return cells;
}

/** Whether the table copies its axis unchanged. */
export function isIdentity({ taps, index, weight }: AxisTable, input: number): boolean {
  return taps === 1 && index.length === input && index.every((cell, o) => cell === o) && weight.every((w) => w === 1);
}

/**
 * The table of the gradient: row i lists the output cells that read input cell i. The extrapolation value (−1) gets no gradient.
 * Rows shorter than the longest are filled with taps of weight 0, which resampling skips.
 */
export function transposeTable({ taps, index, weight }: AxisTable, input: number): AxisTable {
  const rows: { cell: number; weight: number }[][] = Array.from({ length: input }, () => []);
  index.forEach((cell, at) => {
    if (cell >= 0 && weight[at] !== 0) rows[cell].push({ cell: Math.floor(at / taps), weight: weight[at] });
  });
  const most = rows.reduce((n, row) => Math.max(n, row.length), 1);
  const transposed = { taps: most, index: new Int32Array(input * most), weight: new Float32Array(input * most) };
  rows.forEach((row, i) => {
    transposed.index.fill(row[0]?.cell ?? 0, i * most, (i + 1) * most);
    row.forEach((tap, t) => {
      transposed.index[i * most + t] = tap.cell;
      transposed.weight[i * most + t] = tap.weight;
    });
  });
  return transposed;
}
