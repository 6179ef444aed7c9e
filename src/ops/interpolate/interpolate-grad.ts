import { canBeChannelsLast } from '../../tensor/layout.ts';
import { checker } from '../check.ts';
import { apply, gradOf } from '../core/gradient.ts';
import { emitRelayout } from '../core/layout-conversion.ts';
import { channelsLastLayouts, defineOp, rowLayouts } from '../core/op.ts';
import { emitPass, interpolate, passesOf } from './interpolate.ts';
import { transposeTable } from './interpolate-table.ts';

const check = checker('interpolateGrad');

/**
 * Gradient of interpolate: each cell of gy (`outputShape`) is added to the cells from which it was computed, times the same weights.
 * Interpolation is linear, so this is its transpose: the passes in reverse order, with transposed tables. Output: gx.
 */
export const interpolateGrad = defineOp({
  name: 'interpolateGrad',
  infer(inputs, attrs) {
    const gy = check.required(inputs, 0, 'gy');
    check.float('gy', gy);
    check.whole('inputShape', attrs.inputShape, gy.shape.length, 1);
    interpolate.infer([{ dtype: gy.dtype, shape: attrs.inputShape }], attrs);
    check.shape('gy', gy, attrs.outputShape);
    return [{ dtype: gy.dtype, shape: attrs.inputShape }];
  },
  layouts: (inputs, _attrs, outputs) =>
    canBeChannelsLast(inputs[0]!.shape.length) ? channelsLastLayouts(inputs, outputs) : rowLayouts(inputs, outputs),
  forward(emit, [gy], [gx], attrs) {
    const passes = passesOf(gx, attrs).reverse();
    let from = gy!;
    passes.forEach(({ axis, table }, i) => {
      const shape = from.shape.map((d, a) => (a === axis ? attrs.inputShape[a] : d));
      const to = i === passes.length - 1 ? gx : emit.temp(gx.dtype, shape, gx.layout);
      emitPass(emit, from, to, axis, transposeTable(table, attrs.inputShape[axis]), 0);
      from = to;
    });
    if (passes.length === 0) emitRelayout(emit, from, gx);
  },
  macs: (_inputs, outputs, attrs) => interpolate.macs!(outputs, [], attrs),
  backward(g) {
    const { inputShape: _, ...attrs } = g.attrs;
    return [apply(g, 'interpolate', [gradOf(g)], attrs)];
  },
});
