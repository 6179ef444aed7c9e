import { ConvletError, shapeText } from '../../common/error.ts';
import { canBeChannelsLast, elementCount, type Layout, memoryOrder } from '../../tensor/layout.ts';
import { checkShape } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { gradOf, inputOf, reshapeTo } from '../core/gradient.ts';
import { defineOp, type Placed } from '../core/op.ts';

const check = checker('reshape');

/**
 * For each axis of `from` and of `to`, the number of the group that it belongs to: groups are the smallest runs of axes
 * with equal products, so a reshape only rearranges inside a group. −1 for axes of size 1.
 */
function groups(from: readonly number[], to: readonly number[]): [number[], number[]] {
  const out: [number[], number[]] = [from.map(() => -1), to.map(() => -1)];
  let [i, j, group] = [0, 0, 0];
  while (i < from.length || j < to.length) {
    let [p, q] = [1, 1];
    // Axes of size 1 belong to no group and are skipped.
    do {
      if (p <= q && i < from.length) {
        if (from[i] !== 1) out[0][i] = group;
        p *= from[i++];
      } else {
        if (to[j] !== 1) out[1][j] = group;
        q *= to[j++];
      }
    } while (p !== q);
    group++;
  }
  return out;
}

/** The groups in the memory order of their axes, or null if an axis of another group is between those of one group. */
function groupOrder(group: readonly number[], layout: Layout): number[] | null {
  const order: number[] = [];
  let last = -1;
  for (const axis of memoryOrder(group.length, layout)) {
    const g = group[axis];
    if (g < 0) continue;
    if (order[order.length - 1] !== g) {
      if (order.includes(g)) return null;
      order.push(g);
    } else if (axis < last) return null;
    last = axis;
  }
  return order;
}

/**
 * The layout in which the unchanged bytes of `x` are a tensor of `shape`, or null if there is none. Channels-last
 * remains if a reshape only adds or removes axes of size 1, merges or splits spatial axes, or the like.
 */
export function reshapedLayout(x: Placed, shape: readonly number[]): Layout | null {
  if (x.layout === 'row') return 'row';
  if (elementCount(x.shape) === 0) return null;
  const [from, to] = groups(x.shape, shape);
  const order = groupOrder(from, x.layout);
  if (order === null) return null;
  const candidates: Layout[] = canBeChannelsLast(shape.length) ? ['channelsLast', 'row'] : ['row'];
  return candidates.find((layout) => groupOrder(to, layout)?.join() === order.join()) ?? null;
}

export const reshape = defineOp({
  name: 'reshape',
  infer(inputs, attrs) {
    const x = check.required(inputs, 0, 'x');
    const shape = checkShape('reshape', attrs.shape);
    if (elementCount(shape) !== elementCount(x.shape)) {
      throw new ConvletError(
        'shape',
        `reshape: shape ${shapeText(shape)} expects ${elementCount(shape)} elements, x has ${elementCount(x.shape)} (shape ${shapeText(x.shape)})`,
      );
    }
    return [{ dtype: x.dtype, shape }];
  },
  layouts([x], { shape }) {
    const layout = reshapedLayout(x as Placed, shape);
    if (layout !== null) return { inputs: [(x as Placed).layout], outputs: [layout], view: true };
    return { inputs: ['row'], outputs: ['row'], view: true };
  },
  forward() {},
  backward: (g) => [reshapeTo(g, gradOf(g), inputOf(g).shape)],
});
