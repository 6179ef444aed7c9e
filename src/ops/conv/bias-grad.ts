import type { GradContext, TensorInfo } from '../core/op.ts';

/** A bias is added to every cell of its channel. */
export function biasGrad(g: GradContext<unknown>, gy: TensorInfo): TensorInfo {
  const axes = gy.shape.map((_, i) => i).filter((i) => i !== 1);
  return g.op('reduceSum', [gy], { axes, keepDims: false })[0];
}
