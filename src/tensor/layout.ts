import { product } from '../common/numbers.ts';

/**
 * The memory order of the elements of a logical shape. `row`: row-major. `channelsLast`: axis 1 (channels) is moved to the
 * end, the rest is row-major; only for ranks 3 to 5 (N,C,L · N,C,H,W · N,C,D,H,W).
 */
export type Layout = 'row' | 'channelsLast';

/** The most axes of a tensor, as in NumPy. */
export const maxRank = 64;

export const elementCount = (shape: readonly number[]): number => product(shape);

export const canBeChannelsLast = (rank: number): boolean => rank >= 3 && rank <= 5;

/** `layout` applies to the user's values of rank 4 and 5, pictures and volumes: axis 1 of rank 3 often has no channels. */
export const userLayout = (layout: Layout, rank: number): Layout => (rank === 4 || rank === 5 ? layout : 'row');

/** Logical axes in memory order: [0,1,2,3] or [0,2,3,1]. */
export function memoryOrder(rank: number, layout: Layout): number[] {
  const axes = Array.from({ length: rank }, (_, i) => i);
  return layout === 'row' ? axes : [0, ...axes.slice(2), 1];
}

/** Row-major strides in elements. */
export function rowStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** Elements to step in memory for one step along each logical axis. */
export function stridesOf(shape: readonly number[], layout: Layout): number[] {
  const order = memoryOrder(shape.length, layout);
  const physical = rowStrides(order.map((axis) => shape[axis]));
  const strides = new Array<number>(shape.length);
  order.forEach((axis, i) => {
    strides[axis] = physical[i];
  });
  return strides;
}

/** Whether the two layouts of one shape are the same bytes (axes of size 1 do not matter). */
export function sameMemory(shape: readonly number[], a: Layout, b: Layout): boolean {
  if (a === b || !canBeChannelsLast(shape.length)) return true;
  const order = memoryOrder(shape.length, 'channelsLast').filter((axis) => shape[axis] !== 1);
  return order.every((axis, i) => i === 0 || order[i - 1] < axis);
}
