import { elementCount, rowStrides } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { defineOp, rowLayouts } from '../core/op.ts';
import type { GridSampleAttrs } from './attrs.ts';
import { position, type Taps, tapsOf } from './sample.ts';

const check = checker('gridSampleGrad');

/** Taps of one axis with the derivatives of their weights by the grid's value. */
interface SlopedTaps extends Taps {
  readonly slope: Float64Array;
}

/** d position / d grid value: the factor from −1…1 to pixels, 0 if the position is clamped to the border, negative after a reflection. */
function stretch(v: number, size: number, { alignCorners, paddingMode, mode }: GridSampleAttrs): number {
  const factor = (alignCorners ? size - 1 : size) / 2;
  const at = alignCorners ? ((v + 1) / 2) * (size - 1) : ((v + 1) * size - 1) / 2;
  if (!Number.isFinite(at)) return 0;
  if (mode === 'cubic' || paddingMode === 'zeros') return factor;
  if (paddingMode === 'border') return at <= 0 || at >= size - 1 ? 0 : factor;
  const low = alignCorners ? 0 : -0.5;
  const span = (alignCorners ? size - 1 : size - 0.5) - low;
  if (span <= 0) return 0;
  const turns = Math.floor(Math.abs(at - low) / span);
  const rest = Math.abs(at - low) % span;
  const inside = turns % 2 === 0 ? low + rest : low + span - rest;
  if (inside <= 0 || inside >= size - 1) return 0;
  return factor * (at < low ? -1 : 1) * (turns % 2 === 0 ? 1 : -1);
}

/** Derivative of the cubic kernel (a = −0.75) by the distance. */
function cubicSlope(distance: number): number {
  const a = -0.75;
  const d = Math.abs(distance);
  const slope = d <= 1 ? (3 * (a + 2) * d - 2 * (a + 3)) * d : d < 2 ? (3 * a * d - 10 * a) * d + 8 * a : 0;
  return distance < 0 ? -slope : slope;
}

function slopesOf(at: number, attrs: GridSampleAttrs, factor: number, { slope, count }: SlopedTaps): void {
  const floor = Math.floor(at);
  for (let t = 0; t < count; t++) {
    if (attrs.mode === 'linear') slope[t] = t === 0 ? -factor : factor;
    else slope[t] = attrs.mode === 'cubic' ? factor * cubicSlope(at - (floor - 1 + t)) : 0;
  }
}

/** Gradients of gridSample by x and by the grid. */
export const gridSampleGrad = defineOp({
  name: 'gridSampleGrad',
  infer(inputs) {
    const [x, grid, gy] = ['x', 'grid', 'gy'].map((name, i) => check.required(inputs, i, name));
    check.dtype('gy', gy, x.dtype);
    check.shape('gy', gy, [x.shape[0], x.shape[1], ...grid.shape.slice(1, -1)]);
    return [x, grid].map(({ dtype, shape }) => ({ dtype, shape }));
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    emit.call('host', inputs, outputs, {
      name: 'gridSampleGrad',
      run: ([x, grid, gy], [gx, ggrid]) => scatter(x as Tensor, grid as Tensor, gy as Tensor, gx, ggrid, attrs),
    });
  },
});

function scatter(x: Tensor, grid: Tensor, gy: Tensor, gx: Tensor, ggrid: Tensor, attrs: GridSampleAttrs): void {
  const [batch, channels, ...sizes] = x.shape;
  const space = sizes.length;
  const strides = rowStrides(sizes);
  const plane = elementCount(sizes);
  const points = elementCount(gy.shape.slice(2));
  const [from, at, grad, to, toGrid] = [x.array, grid.array, gy.array, gx.array, ggrid.array];
  const axes: SlopedTaps[] = sizes.map(() => ({
    index: new Int32Array(4),
    weight: new Float64Array(4),
    slope: new Float64Array(4),
    count: 0,
  }));
  const sums = new Float64Array(space);
  to.fill(0);
  for (let n = 0; n < batch; n++) {
    for (let p = 0; p < points; p++) {
      const point = (n * points + p) * space;
      for (let d = 0; d < space; d++) {
        // The grid's x is the last axis.
        const v = at[point + space - 1 - d];
        const place = position(v, sizes[d], attrs);
        tapsOf(place, sizes[d], attrs, axes[d]);
        slopesOf(place, attrs, stretch(v, sizes[d], attrs), axes[d]);
      }
      sums.fill(0);
      const combinations = axes.reduce((product, { count }) => product * count, 1);
      for (let combination = 0; combination < combinations; combination++) {
        let weight = 1;
        let offset = 0;
        for (let d = 0, rest = combination; d < space && offset >= 0; d++) {
          const t = rest % axes[d].count;
          rest = (rest - t) / axes[d].count;
          weight *= axes[d].weight[t];
          offset = axes[d].index[t] < 0 ? -1 : offset + axes[d].index[t] * strides[d];
        }
        if (offset < 0) continue;
        let dot = 0;
        for (let c = 0; c < channels; c++) {
          const g = grad[(n * channels + c) * points + p];
          const cell = (n * channels + c) * plane + offset;
          to[cell] += g * weight;
          dot += g * from[cell];
        }
        for (let d = 0; d < space; d++) sums[d] += dot * slopeProduct(axes, combination, d);
      }
      for (let d = 0; d < space; d++) toGrid[point + space - 1 - d] = sums[d];
    }
  }
}

/** The product of the weights of a combination of taps, with the derivative instead of the weight on axis `sloped`. */
function slopeProduct(axes: readonly SlopedTaps[], combination: number, sloped: number): number {
  let product = 1;
  for (let d = 0, rest = combination; d < axes.length; d++) {
    const t = rest % axes[d].count;
    rest = (rest - t) / axes[d].count;
    product *= d === sloped ? axes[d].slope[t] : axes[d].weight[t];
  }
  return product;
}
