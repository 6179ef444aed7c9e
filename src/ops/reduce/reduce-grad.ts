// Backward rules of the reductions: gx from gy and y, in which the reduced axes have size 1, so that they broadcast with x.
import type { ReduceKind } from '../../backend/prims/reduce.ts';
import {
  apply,
  castTo,
  countAlong,
  div,
  expandTo,
  gradOf,
  inputOf,
  keepAxes,
  mul,
  reshapeTo,
  scalar,
  scale,
  sub,
} from '../core/gradient.ts';
import type { GradContext, TensorInfo } from '../core/op.ts';
import type { ReduceOpAttrs } from './attrs.ts';

type G = GradContext<ReduceOpAttrs>;
type Rule = (g: G, x: TensorInfo, y: TensorInfo, gy: TensorInfo) => TensorInfo;

/** The gradient of an extreme is divided evenly among all elements that have its value (PyTorch's amax, amin). */
const extreme: Rule = (g, x, y, gy) => {
  const hit = castTo(g, apply(g, 'equal', [x, y]), x.dtype);
  const count = apply(g, 'reduceSum', [hit], { axes: g.attrs.axes, keepDims: true });
  return mul(g, hit, div(g, gy, count));
};

/** The product of all other elements, from exclusive running products from both ends, which is right even if elements are zero. */
const product: Rule = (g, x, _, gy) => {
  const { axes } = g.attrs;
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const perm = [...kept, ...axes];
  const dims = kept.map((i) => x.shape[i]);
  const line = [...dims, countAlong(x.shape, axes)];
  const turned = apply(g, 'transpose', [x], { perm });
  const together = reshapeTo(g, turned, line);
  const side = (reverse: boolean): TensorInfo =>
    apply(g, 'cumProd', [together], { axis: kept.length, exclusive: true, reverse });
  const others = reshapeTo(g, mul(g, side(false), side(true)), turned.shape);
  const back = apply(g, 'transpose', [others], { perm: perm.map((_, i) => perm.indexOf(i)) });
  return mul(g, back, gy);
};

const rules: Readonly<Record<ReduceKind, Rule>> = {
  sum: (g, x, _, gy) => expandTo(g, gy, x.shape),
  mean: (g, x, _, gy) => expandTo(g, scale(g, gy, 1 / countAlong(x.shape, g.attrs.axes)), x.shape),
  max: extreme,
  min: extreme,
  prod: product,
  l1: (g, x, _, gy) => mul(g, apply(g, 'sign', [x]), gy),
  l2: (g, x, y, gy) => {
    const zero = scalar(g, 0, x.dtype);
    // A norm has no gradient at the origin: 0, as in PyTorch.
    const perNorm = apply(g, 'where', [apply(g, 'equal', [y, zero]), zero, div(g, gy, y)]);
    return mul(g, x, perNorm);
  },
  sumSquare: (g, x, _, gy) => mul(g, x, scale(g, gy, 2)),
  logSum: (g, x, y, gy) => expandTo(g, div(g, gy, apply(g, 'exp', [y])), x.shape),
  logSumExp: (g, x, y, gy) => mul(g, apply(g, 'exp', [sub(g, x, y)]), gy),
};

export function reduceBackward(g: G, kind: ReduceKind): TensorInfo {
  const x = inputOf(g);
  const { axes } = g.attrs;
  const y = keepAxes(g, g.outputs[0], x.shape, axes);
  const gy = keepAxes(g, gradOf(g), x.shape, axes);
  return rules[kind](g, x, y, gy);
}
