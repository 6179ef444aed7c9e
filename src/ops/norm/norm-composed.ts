// Gradients of the normalisations by ops that have gradients, for gradients of gradients. Formulas: src/backend/prims/norm.ts.

import { allocateArray, type DType } from '../../common/dtype.ts';
import { product } from '../../common/numbers.ts';
import { add, apply, castTo, mul, reshapeTo, scalar, scale, sub } from '../core/gradient.ts';
import type { OpApplier, TensorInfo } from '../core/op.ts';
import type { LrnOpAttrs } from './attrs.ts';

type Numbers = readonly number[];

const over = (g: OpApplier, kind: 'reduceSum' | 'reduceMean', x: TensorInfo, axes: Numbers): TensorInfo =>
  axes.length === 0 ? x : apply(g, kind, [x], { axes, keepDims: true });
const rootOf = (g: OpApplier, variance: TensorInfo, epsilon: number): TensorInfo =>
  apply(g, 'rsqrt', [scale(g, variance, 1, epsilon)], {});

/** How x is normalized: by its statistics over `axes`, or by a fixed mean and variance that broadcast. */
export interface Normalized {
  readonly axes: Numbers;
  readonly epsilon: number;
  readonly subtractMean: boolean;
  readonly fixed?: readonly [mean: TensorInfo, variance: TensorInfo];
}

/** x̂ and gx; gy is already multiplied by the weight. */
export function composedNormalize(
  g: OpApplier,
  x: TensorInfo,
  gy: TensorInfo,
  { axes, epsilon, subtractMean, fixed }: Normalized,
): [normalized: TensorInfo, gx: TensorInfo] {
  if (fixed !== undefined) {
    const inverse = rootOf(g, fixed[1], epsilon);
    return [mul(g, sub(g, x, fixed[0]), inverse), mul(g, gy, inverse)];
  }
  const centred = subtractMean ? sub(g, x, over(g, 'reduceMean', x, axes)) : x;
  const inverse = rootOf(g, over(g, 'reduceMean', mul(g, centred, centred), axes), epsilon);
  const normalized = mul(g, centred, inverse);
  const along = mul(g, normalized, over(g, 'reduceMean', mul(g, gy, normalized), axes));
  const rest = subtractMean ? sub(g, gy, over(g, 'reduceMean', gy, axes)) : gy;
  return [normalized, mul(g, inverse, sub(g, rest, along))];
}

/** gweight and gbias: sums over `axes`, in the parameter's shape. */
export const parameterGrads = (
  g: OpApplier,
  gy: TensorInfo,
  normalized: TensorInfo,
  axes: Numbers,
  shape: Numbers,
): [gweight: TensorInfo, gbias: TensorInfo] => [
  reshapeTo(g, over(g, 'reduceSum', mul(g, gy, normalized), axes), shape),
  reshapeTo(g, over(g, 'reduceSum', gy, axes), shape),
];

/** Sums over windows of `size` channels, as a product with a band matrix [C, C]; `back`: with its transpose. */
function windowSums(g: OpApplier, x: TensorInfo, size: number, back: boolean): TensorInfo {
  const [n, channels, ...spatial] = x.shape;
  const band = allocateArray('float32', channels * channels);
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  for (let c = 0; c < channels; c++) {
    for (let i = Math.max(0, c - before); i <= Math.min(channels - 1, c + after); i++)
      band[back ? i * channels + c : c * channels + i] = 1;
  }
  const matrix = castTo(g, g.constant(band, [channels, channels]), x.dtype as DType);
  const flat = reshapeTo(g, x, [n, channels, product(spatial)]);
  const attrs = { transposeA: false, transposeB: false, alpha: 1, activation: null };
  return reshapeTo(g, apply(g, 'matmul', [matrix, flat, null], attrs), x.shape);
}

/** gx of lrn. */
export function composedLrn(g: OpApplier, x: TensorInfo, gy: TensorInfo, attrs: LrnOpAttrs): TensorInfo {
  const { size, alpha, beta, bias } = attrs;
  const s = scale(g, windowSums(g, mul(g, x, x), size, false), alpha / size, bias);
  const power = (exponent: number): TensorInfo => apply(g, 'pow', [s, scalar(g, exponent, x.dtype)], {});
  const inner = windowSums(g, mul(g, mul(g, gy, x), power(-beta - 1)), size, true);
  return add(g, mul(g, gy, power(-beta)), scale(g, mul(g, x, inner), (-2 * alpha * beta) / size));
}
