import type { TypedArray } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { elementCount, rowStrides } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { expectIntegers } from '../copy/copy.ts';
import { apply, castTo, gradOf, inputOf, reshapeTo } from '../core/gradient.ts';
import { defineOp, rowLayouts } from '../core/op.ts';
import type { GridSampleAttrs, SampleMode, SamplePadding } from './attrs.ts';

const ofGridSample = checker('gridSample');
const ofAffineGrid = checker('affineGrid');

export const sampleModes = ['nearest', 'linear', 'cubic'] as const satisfies readonly SampleMode[];
export const paddingModes = ['zeros', 'border', 'reflection'] as const satisfies readonly SamplePadding[];

/** Reflects `x` into low…high, as many times as needed. */
function reflect(x: number, low: number, high: number): number {
  const span = high - low;
  if (span <= 0) return low;
  const distance = Math.abs(x - low);
  const rest = distance % span;
  return Math.floor(distance / span) % 2 === 0 ? low + rest : high - rest;
}

/** Pixel position of a grid value on an axis of `size` pixels, border and reflection applied. */
export function position(v: number, size: number, attrs: GridSampleAttrs): number {
  const at = attrs.alignCorners ? ((v + 1) / 2) * (size - 1) : ((v + 1) * size - 1) / 2;
  // NaN and ∞ sample like −1 (PyTorch). The mode 'cubic' applies the padding to each of its taps instead of the position.
  if (!Number.isFinite(at)) return -1;
  return attrs.mode === 'cubic' ? at : folded(at, size, attrs);
}

function folded(at: number, size: number, { paddingMode, alignCorners }: GridSampleAttrs): number {
  if (paddingMode === 'zeros') return at;
  const inside =
    paddingMode === 'reflection' ? reflect(at, alignCorners ? 0 : -0.5, alignCorners ? size - 1 : size - 0.5) : at;
  return Math.min(Math.max(inside, 0), size - 1);
}

/** Taps along one axis: pixel indices (−1 for a value of zero) and weights. */
export interface Taps {
  readonly index: Int32Array;
  readonly weight: Float64Array;
  count: number;
}

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Weights of the cubic convolution of Keys 1981 with a = −0.75, as PyTorch and ONNX use it. */
function cubic(distance: number): number {
  const a = -0.75;
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

export function tapsOf(at: number, size: number, attrs: GridSampleAttrs, taps: Taps): void {
  const inside = (i: number): number => (i >= 0 && i < size ? i : -1);
  if (attrs.mode === 'nearest') {
    taps.index[0] = inside(roundEven(at));
    taps.weight[0] = 1;
    taps.count = 1;
    return;
  }
  const floor = Math.floor(at);
  if (attrs.mode === 'linear') {
    taps.index[0] = inside(floor);
    taps.index[1] = inside(floor + 1);
    taps.weight[0] = floor + 1 - at;
    taps.weight[1] = at - floor;
    taps.count = 2;
    return;
  }
  for (let t = 0; t < 4; t++) {
    taps.index[t] = inside(folded(floor - 1 + t, size, attrs));
    taps.weight[t] = cubic(at - (floor - 1 + t));
  }
  taps.count = 4;
}

/**
 * x [N,C,(D,)H,W], grid [N,(D′,)H′,W′,2 or 3] with x, y (, z) in −1…1 → [N,C,(D′,)H′,W′] (Jaderberg et al. 2015;
 * PyTorch's grid_sample, whose 'bilinear' and 'bicubic' are 'linear' and 'cubic').
 */
export const gridSample = defineOp({
  name: 'gridSample',
  infer(inputs, { mode, paddingMode }) {
    const x = ofGridSample.required(inputs, 0, 'x');
    const grid = ofGridSample.required(inputs, 1, 'grid');
    ofGridSample.dtype('x', x, 'float32', 'float64', 'float16');
    ofGridSample.dtype('grid', grid, 'float32', 'float64', 'float16');
    ofGridSample.rank('x', x, 3, 4, 5);
    const space = x.shape.length - 2;
    if (grid.shape.length !== x.shape.length || grid.shape.at(-1) !== space || grid.shape[0] !== x.shape[0]) {
      throw new ConvletError(
        'shape',
        `gridSample: grid expects rank ${x.shape.length}, ${x.shape[0]} first and ${space} last, got shape ${shapeText(grid.shape)} for x ${shapeText(x.shape)}`,
      );
    }
    if (elementCount(x.shape.slice(2)) === 0)
      throw new ConvletError('shape', `gridSample: x of shape ${shapeText(x.shape)} is empty`);
    if (!sampleModes.includes(mode))
      throw new ConvletError('argument', `gridSample: mode expects ${sampleModes.join(' or ')}, got ${String(mode)}`);
    if (!paddingModes.includes(paddingMode)) {
      throw new ConvletError(
        'argument',
        `gridSample: paddingMode expects ${paddingModes.join(' or ')}, got ${String(paddingMode)}`,
      );
    }
    if (mode === 'cubic' && space !== 2)
      throw new ConvletError('unsupported', 'gridSample: mode cubic expects x of rank 4');
    return [{ dtype: x.dtype, shape: [x.shape[0], x.shape[1], ...grid.shape.slice(1, -1)] }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    emit.call('host', inputs, outputs, {
      name: 'gridSample',
      run: ([x, grid], [y]) => sampleGrid(x as Tensor, grid as Tensor, y, attrs),
    });
  },
  backward: (g) => g.op('gridSampleGrad', [inputOf(g, 0), inputOf(g, 1), gradOf(g)], g.attrs),
});

function sampleGrid(x: Tensor, grid: Tensor, y: Tensor, attrs: GridSampleAttrs): void {
  const [batch, channels, ...sizes] = x.shape;
  const space = sizes.length;
  const strides = rowStrides(sizes);
  const plane = elementCount(sizes);
  const points = elementCount(y.shape.slice(2));
  const [from, to, at] = [x.array, y.array, grid.array];
  const axes: Taps[] = sizes.map(() => ({ index: new Int32Array(4), weight: new Float64Array(4), count: 0 }));
  for (let n = 0; n < batch; n++) {
    for (let p = 0; p < points; p++) {
      const point = (n * points + p) * space;
      // The grid's x is the last axis.
      for (let d = 0; d < space; d++) {
        tapsOf(position(at[point + space - 1 - d], sizes[d], attrs), sizes[d], attrs, axes[d]);
      }
      for (let c = 0; c < channels; c++) {
        const start = (n * channels + c) * plane;
        to[(n * channels + c) * points + p] = gatherTaps(from, start, axes, strides, 0);
      }
    }
  }
}

function gatherTaps(
  x: TypedArray,
  at: number,
  axes: readonly Taps[],
  strides: readonly number[],
  axis: number,
): number {
  const { index, weight, count } = axes[axis];
  const last = axis === axes.length - 1;
  let sum = 0;
  for (let t = 0; t < count; t++) {
    if (index[t] < 0) continue;
    const next = at + index[t] * strides[axis];
    sum += weight[t] * (last ? x[next] : gatherTaps(x, next, axes, strides, axis + 1));
  }
  return sum;
}

/** Centre of pixel i of n on the axis −1…1. */
const coordinate = (i: number, n: number, alignCorners: boolean): number =>
  alignCorners ? (n === 1 ? 0 : -1 + (2 * i) / (n - 1)) : (2 * i + 1) / n - 1;

/** theta [N,2,3] or [N,3,4] → grid [N,(D,)H,W,2 or 3]: theta · (x, y (, z), 1) over the pixel centres. */
export const affineGrid = defineOp({
  name: 'affineGrid',
  infer(inputs, { size }) {
    const theta = ofAffineGrid.required(inputs, 0, 'theta');
    ofAffineGrid.dtype('theta', theta, 'float32', 'float64', 'float16');
    expectIntegers('affineGrid', 'size', size, size.length === 5 ? 5 : 4, 1);
    const space = size.length - 2;
    if (shapeText(theta.shape) !== shapeText([size[0], space, space + 1])) {
      throw new ConvletError(
        'shape',
        `affineGrid: theta expects shape [${size[0]},${space},${space + 1}], got ${shapeText(theta.shape)}`,
      );
    }
    return [{ dtype: theta.dtype, shape: [size[0], ...size.slice(2), space] }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { size, alignCorners }) {
    const sizes = size.slice(2);
    const space = sizes.length;
    const strides = rowStrides(sizes);
    emit.call('host', inputs, outputs, {
      name: 'affineGrid',
      run: ([theta], [y]) => {
        const matrix = (theta as Tensor).array;
        let at = 0;
        for (let n = 0; n < size[0]; n++) {
          for (let p = 0; p < strides[0] * sizes[0]; p++) {
            for (let row = 0; row < space; row++, at++) {
              const base = (n * space + row) * (space + 1);
              let sum = matrix[base + space];
              for (let d = 0; d < space; d++) {
                const i = Math.floor(p / strides[d]) % sizes[d];
                sum += matrix[base + space - 1 - d] * coordinate(i, sizes[d], alignCorners);
              }
              y.array[at] = sum;
            }
          }
        }
      },
    });
  },
  /** The grid is linear in theta: gtheta = gyᵀ · (pixel centres, 1). */
  backward(g) {
    const { size, alignCorners } = g.attrs;
    const sizes = size.slice(2);
    const [space, points] = [sizes.length, elementCount(sizes)];
    const strides = rowStrides(sizes);
    const gy = reshapeTo(g, gradOf(g), [size[0], points, space]);
    const base = new (gy.dtype === 'float64' ? Float64Array : Float32Array)(points * (space + 1)).fill(1);
    for (let p = 0; p < points; p++) {
      for (let d = 0; d < space; d++) {
        const i = Math.floor(p / strides[d]) % sizes[d];
        base[p * (space + 1) + space - 1 - d] = coordinate(i, sizes[d], alignCorners);
      }
    }
    const attrs = { transposeA: true, transposeB: false, alpha: 1, activation: null };
    return [apply(g, 'matmul', [gy, castTo(g, g.constant(base, [points, space + 1]), gy.dtype), null], attrs)];
  },
});
