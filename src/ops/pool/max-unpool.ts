import { ConvletError } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, gradOf, inputOf, reshapeTo } from '../core/gradient.ts';
import { channelsLastLayouts, defineOp } from '../core/op.ts';
import { triple } from '../window.ts';
import type { MaxUnpoolAttrs } from './attrs.ts';
import { poolInput } from './pool.ts';

const check = checker('maxUnpool');

/**
 * Stores the values of x at the places that `indices` (int64 or int32, shape of x) name, and zero elsewhere: the partial
 * inverse of maxPool. Throws `index-range` at run time for an index out of range.
 */
export const maxUnpool = defineOp({
  name: 'maxUnpool',
  infer(inputs, attrs) {
    const x = poolInput('maxUnpool', inputs, 'int8', 'uint8');
    const indices = check.required(inputs, 1, 'indices');
    check.dtype('indices', indices, 'int64', 'int32');
    check.shape('indices', indices, x.shape);
    check.oneOf('indexBase', attrs.indexBase, ['plane', 'tensor']);
    check.whole('outputSize', attrs.outputSize, x.shape.length - 2, 1);
    if (attrs.indexSize !== undefined) check.whole('indexSize', attrs.indexSize, x.shape.length - 2, 1);
    return [{ dtype: x.dtype, shape: [x.shape[0], x.shape[1], ...attrs.outputSize] }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs, [0, 1]),
  forward(emit, inputs, outputs, attrs) {
    const run = (tensors: readonly (Tensor | null)[], [y]: readonly Tensor[]): void =>
      scatterMaxima(tensors[0]!, tensors[1]!, y, attrs);
    emit.call('host', inputs, outputs, { name: 'maxUnpool', run });
  },
  /** The gradient of a value is the one at the place where the value was stored. */
  backward(g) {
    const [x, indices, gy] = [inputOf(g, 0), inputOf(g, 1), gradOf(g)];
    const { outputSize, indexSize = outputSize, indexBase } = g.attrs;
    if (indexSize.some((d, i) => d !== outputSize[i])) {
      throw new ConvletError('unsupported', 'maxUnpool: with an indexSize that is not outputSize it has no gradient');
    }
    const [batch, channels, ...spatial] = x.shape;
    const rows = indexBase === 'plane' ? [batch, channels] : [];
    const from = reshapeTo(g, gy, [...rows, product(gy.shape) / product(rows)]);
    const at = reshapeTo(g, indices, [...rows, product(rows.length > 0 ? spatial : x.shape)]);
    return [reshapeTo(g, apply(g, 'gatherElements', [from, at], { axis: rows.length }), x.shape), null];
  },
});

function scatterMaxima(x: Tensor, indices: Tensor, y: Tensor, attrs: MaxUnpoolAttrs): void {
  const [batch, channels, ...spatial] = x.shape;
  const cells = product(spatial);
  const [outDepth, outHeight, outWidth] = triple(attrs.outputSize);
  const [depth, height, width] = triple(attrs.indexSize ?? attrs.outputSize);
  const plane = depth * height * width;
  const limit = attrs.indexBase === 'tensor' ? batch * channels * plane : plane;
  const outPlane = outDepth * outHeight * outWidth;
  const [from, at, to] = [x.array, indices.array, y.array];
  to.fill(0);
  for (let i = 0; i < from.length; i++) {
    let index = at[i];
    let n = Math.floor(i / (channels * cells));
    let c = i % channels;
    if (index < 0 || index >= limit) {
      throw new ConvletError('index-range', `maxUnpool: indices expect 0…${limit - 1}, got ${index}`);
    }
    if (attrs.indexBase === 'tensor') {
      n = Math.floor(index / (plane * channels));
      c = Math.floor(index / plane) % channels;
      index %= plane;
    }
    const d = Math.floor(index / (width * height));
    const h = Math.floor(index / width) % height;
    const w = index % width;
    if (d >= outDepth || h >= outHeight || w >= outWidth) continue;
    to[(n * outPlane + (d * outHeight + h) * outWidth + w) * channels + c] = from[i];
  }
}
