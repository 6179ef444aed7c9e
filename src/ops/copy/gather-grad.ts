import { ConvletError, shapeText } from '../../common/error.ts';
import { elementCount } from '../../tensor/layout.ts';
import { checkShape, type Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, gradOf, inputOf } from '../core/gradient.ts';
import { defineOp, rowLayouts } from '../core/op.ts';
import { checkedIndex, forEachSlice, indexInput } from './gather.ts';
import { around } from './select.ts';

const ofGatherGrad = checker('gatherGrad');
const ofGatherNDGrad = checker('gatherNDGrad');

/** The transpose of gather: slice j of gy is added to slice indices[j] of a tensor of zeros (PyTorch's index_add). */
export const gatherGrad = defineOp({
  name: 'gatherGrad',
  infer(inputs, attrs) {
    const indices = indexInput('gatherGrad', inputs, 0);
    const gy = ofGatherGrad.required(inputs, 1, 'gy');
    const shape = checkShape('gatherGrad', attrs.shape);
    const axis = ofGatherGrad.axis(attrs.axis, shape.length);
    ofGatherGrad.shape('gy', gy, [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)]);
    return [{ dtype: gy.dtype, shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const axis = ofGatherGrad.axis(attrs.axis, attrs.shape.length);
    const [outer, length, inner] = around(attrs.shape, axis);
    emit.call('host', inputs, outputs, {
      name: 'gatherGrad',
      run: ([indices, gy], [gx]) => {
        const [index, from, to] = [(indices as Tensor).array, (gy as Tensor).array, gx.array];
        const rows = Int32Array.from(index, (i) => checkedIndex('gatherGrad', i, axis, length));
        to.fill(0);
        for (let o = 0, at = 0; o < outer; o++) {
          for (const row of rows) {
            const start = (o * length + row) * inner;
            for (let i = 0; i < inner; i++) to[start + i] += from[at++];
          }
        }
      },
    });
  },
  backward: (g) => [null, apply(g, 'gather', [gradOf(g), inputOf(g)], { axis: g.attrs.axis })],
});

/** The transpose of gatherND: each slice of gy is added at the place that its indices name, in a tensor of zeros of `shape`. */
export const gatherNDGrad = defineOp({
  name: 'gatherNDGrad',
  infer(inputs, attrs) {
    const indices = indexInput('gatherNDGrad', inputs, 0);
    const gy = ofGatherNDGrad.required(inputs, 1, 'gy');
    const shape = checkShape('gatherNDGrad', attrs.shape);
    const depth = indices.shape.at(-1) ?? 0;
    if (depth < 1 || attrs.batchDims + depth > shape.length) {
      throw new ConvletError(
        'shape',
        `gatherNDGrad: indices of shape ${shapeText(indices.shape)} do not fit shape ${shapeText(shape)} with batchDims ${attrs.batchDims}`,
      );
    }
    ofGatherNDGrad.shape('gy', gy, [...indices.shape.slice(0, -1), ...shape.slice(attrs.batchDims + depth)]);
    return [{ dtype: gy.dtype, shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { batchDims }) {
    emit.call('host', inputs, outputs, {
      name: 'gatherNDGrad',
      run: ([indices, gy], [gx]) => {
        const [from, to] = [(gy as Tensor).array, gx.array];
        to.fill(0);
        if (elementCount(gx.shape) === 0) return;
        forEachSlice('gatherNDGrad', gx, indices as Tensor, batchDims, (at, size, i) => {
          for (let j = 0; j < size; j++) to[at + j] += from[i * size + j];
        });
      },
    });
  },
  backward: (g) => [null, apply(g, 'gatherND', [gradOf(g), inputOf(g)], { batchDims: g.attrs.batchDims })],
});
