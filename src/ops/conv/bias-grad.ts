import type { GradContext, TensorInfo } from '../core/op.ts';

/** The gradient of a bias: the sum of gy over all cells of its channel. */
export function biasGrad(g: GradContext<unknown>, gy: TensorInfo): TensorInfo {
  const axes = gy.shape.map((_, i) => i).filter((i) => i !== 1);
  return g.op('reduceSum', [gy], { axes, keepDims: false })[0];
}
