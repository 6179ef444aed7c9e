// Geometry of windows on one to three spatial axes, for convolutions, pools and unfold.

import type { Triple, WindowAttrs } from '../backend/prims/window.ts';
import { ConvletError } from '../common/error.ts';
import { expectFloat, expectRank, expectWhole, required } from './check.ts';
import type { SpatialAttrs } from './conv/attrs.ts';
import type { TensorInfo } from './core/op.ts';

type Numbers = readonly number[];

export const axisNames: readonly (readonly string[])[] = [[], ['L'], ['H', 'W'], ['D', 'H', 'W']];
export const spatialOf = (shape: Numbers): Numbers => shape.slice(2);

/** Prims always have three spatial axes: missing ones are `fill`, at the beginning. */
export function triple(values: Numbers, fill = 1): Triple {
  return [...new Array<number>(3 - values.length).fill(fill), ...values] as unknown as Triple;
}

/** The data input of a spatial op: [N,C,L], [N,C,H,W] or [N,C,D,H,W] of a floating type. */
export function spatialInput(op: string, inputs: readonly (TensorInfo | null)[]): TensorInfo {
  const x = required(op, inputs, 0, 'x');
  expectRank(op, 'x', x, 3, 4, 5);
  expectFloat(op, 'x', x);
  return x;
}

/** Kernels count cells in 32 bits, so the sum of an axis, both paddings and one stride must fit if each is at most this. */
export const mostCells = 2 ** 29;

/** Checks stride, dilation and padding of an input of `rank` spatial axes. */
export function checkSpatial(op: string, attrs: SpatialAttrs, rank: number): void {
  expectWhole(op, 'stride', attrs.stride, rank, 1, mostCells);
  expectWhole(op, 'dilation', attrs.dilation, rank, 1, mostCells);
  expectWhole(op, 'padBegin', attrs.padBegin, rank, 0, mostCells);
  expectWhole(op, 'padEnd', attrs.padEnd, rank, 0, mostCells);
}

/** Cells that a dilated kernel spans. */
export const extent = (kernel: number, dilation: number): number => dilation * (kernel - 1) + 1;

/**
 * Number of windows per axis: floor((input + padding − extent) / stride) + 1. With `ceilMode` it is ceil instead of floor, but
 * the last window must start inside the input or the padding before it (as in PyTorch and ONNX 19+). Throws
 * `shape` if no window fits.
 */
export function windowOutput(
  op: string,
  input: Numbers,
  kernel: Numbers,
  attrs: SpatialAttrs,
  ceilMode = false,
): number[] {
  return input.map((size, i) => {
    const stride = attrs.stride[i];
    const span = extent(kernel[i], attrs.dilation[i]);
    const room = size + attrs.padBegin[i] + attrs.padEnd[i] - span;
    // In ceil mode a window may begin inside and end outside, even the first window.
    if (room < (ceilMode ? 1 - stride : 0)) {
      const axis = axisNames[input.length][i];
      throw new ConvletError(
        'shape',
        `${op}: output would be empty: axis ${axis} expects at least ${span} cells for kernel ${kernel[i]} with dilation ` +
          `${attrs.dilation[i]}, got ${size} + padding ${attrs.padBegin[i]} + ${attrs.padEnd[i]}`,
      );
    }
    if (!ceilMode) return Math.floor(room / stride) + 1;
    const out = Math.ceil(room / stride) + 1;
    return (out - 1) * stride >= size + attrs.padBegin[i] ? out - 1 : out;
  });
}

/**
 * Padding of one axis that makes the output ceil(input / stride) cells: ONNX's auto_pad SAME_UPPER (an odd cell is added at the
 * end, as in TensorFlow's and PyTorch's 'same') and SAME_LOWER (an odd cell is added at the beginning).
 */
export function samePadding(
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
  odd: 'upper' | 'lower' = 'upper',
): { begin: number; end: number } {
  const output = Math.ceil(input / stride);
  const total = Math.max(0, (output - 1) * stride + extent(kernel, dilation) - input);
  const small = Math.floor(total / 2);
  return odd === 'upper' ? { begin: small, end: total - small } : { begin: total - small, end: small };
}

/** The window geometry of a prim. `output` is the spatial part of the output's shape. */
export function windowAttrs(x: TensorInfo, output: Numbers, kernel: Numbers, attrs: SpatialAttrs): WindowAttrs {
  return {
    batch: x.shape[0],
    input: triple(spatialOf(x.shape)),
    output: triple(output),
    kernel: triple(kernel),
    stride: triple(attrs.stride),
    dilation: triple(attrs.dilation),
    padBegin: triple(attrs.padBegin, 0),
  };
}
