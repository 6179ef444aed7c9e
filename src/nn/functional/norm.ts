import { apply, apply1, noGrad, Variable } from '../../autograd/index.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { expectKind, fits, number, refuse } from '../../common/options.ts';
import { normalizeAxis } from '../../ops/check.ts';
import { constant } from '../../tensor/tensor.ts';
import { type BatchNormOptions, batchNormKnown } from './options.ts';

export type { BatchNormOptions } from './options.ts';

/**
 * Batch normalisation of x [N,C] or [N,C,…] (Ioffe & Szegedy 2015). The running variance takes the unbiased one of the
 * batch, as PyTorch's.
 *
 * @param runningMean [C], written in place when training; null: none are kept
 */
export function batchNorm(
  x: Variable,
  runningMean: Variable | null,
  runningVar: Variable | null,
  options: BatchNormOptions = {},
): Variable {
  if (!fits(options, batchNormKnown)) refuse('batchNorm', options, batchNormKnown, { x, runningMean, runningVar });
  const { weight = null, bias = null, training = false, momentum = 0.1, eps = 1e-5 } = options;
  if (!training) {
    if (runningMean === null || runningVar === null)
      throw new ConvletError('missing-input', 'batchNorm: needs running statistics when it is not training');
    const inputs = [x, weight, bias, runningMean, runningVar];
    return apply1('batchNorm', inputs, { epsilon: eps, activation: null });
  }
  const kept = runningMean !== null && runningVar !== null;
  const [channels] = [x.shape[1]];
  const mean = runningMean ?? filled(channels, 0);
  const variance = runningVar ?? filled(channels, 1);
  const attrs = { epsilon: eps, momentum: 1 - momentum, unbiased: kept };
  const [y, newMean, newVariance] = apply('batchNormTraining', [x, weight, bias, mean, variance], attrs);
  if (kept) {
    noGrad(() => {
      apply('assign', [runningMean, newMean]);
      apply('assign', [runningVar, newVariance]);
    });
  }
  return y;
}

function filled(length: number, value: number): Variable {
  const tensor = constant(new Float32Array(length).fill(value), [length]);
  return new Variable(tensor, tensor);
}

/**
 * (x − mean) / √(variance + eps) over the last axes, which have `normalizedShape`; then times weight, plus bias, both of that
 * shape (Ba et al. 2016).
 */
export function layerNorm(
  x: Variable,
  normalizedShape: number | readonly number[],
  weight: Variable | null = null,
  bias: Variable | null = null,
  eps = 1e-5,
): Variable {
  expectKind('layerNorm', 'eps', eps, number);
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  const axis = x.rank - shape.length;
  if (axis < 0 || shape.some((d, i) => x.shape[axis + i] !== d))
    throw new ConvletError(
      'shape',
      `layerNorm: expects a shape that ends with ${shapeText(shape)}, got ${shapeText(x.shape)}`,
    );
  return apply1('layerNorm', [x, weight, bias], { axis, epsilon: eps, statistics: false });
}

/** x / √(mean of x² + eps) over the last axes, which have `normalizedShape`; then times weight (Zhang & Sennrich 2019). */
export function rmsNorm(
  x: Variable,
  normalizedShape: number | readonly number[],
  weight: Variable | null = null,
  eps = 1e-6,
): Variable {
  expectKind('rmsNorm', 'eps', eps, number);
  const count = typeof normalizedShape === 'number' ? 1 : normalizedShape.length;
  return apply1('rmsNorm', [x, weight, null], { axis: x.rank - count, epsilon: eps });
}

/** (x − mean) / √(variance + eps) over groups of channels of [N,C,…]; then times weight [C], plus bias [C] (Wu & He 2018). */
export function groupNorm(
  x: Variable,
  numGroups: number,
  weight: Variable | null = null,
  bias: Variable | null = null,
  eps = 1e-5,
): Variable {
  expectKind('groupNorm', 'eps', eps, number);
  return apply1('groupNorm', [x, weight, bias], { groups: numGroups, epsilon: eps, activation: null });
}

/**
 * (x − mean) / √(variance + eps) of each channel of each example of [N,C,…]; then times weight [C], plus bias [C] (Ulyanov et
 * al. 2016).
 */
export function instanceNorm(
  x: Variable,
  weight: Variable | null = null,
  bias: Variable | null = null,
  eps = 1e-5,
): Variable {
  expectKind('instanceNorm', 'eps', eps, number);
  return apply1('instanceNorm', [x, weight, bias], { epsilon: eps, activation: null });
}

/** x / (k + alpha/size · Σ x²)^beta over neighbouring channels (Krizhevsky 2012). Even windows are longer in front. */
export function localResponseNorm(x: Variable, size: number, alpha = 1e-4, beta = 0.75, k = 1): Variable {
  expectKind('localResponseNorm', 'size', size, number);
  expectKind('localResponseNorm', 'alpha', alpha, number);
  expectKind('localResponseNorm', 'beta', beta, number);
  expectKind('localResponseNorm', 'k', k, number);
  const attrs = { size, alpha, beta, bias: k };
  if (size % 2 === 1) return apply1('lrn', [x], attrs);
  // The op's even windows have one more channel after the centre (ONNX), PyTorch's before it: the channels are reversed and reversed again.
  const turn = {
    starts: x.shape.map((d, i) => (i === 1 ? d - 1 : 0)),
    steps: x.shape.map((_, i) => (i === 1 ? -1 : 1)),
    sizes: x.shape,
  };
  return apply1('slice', [apply1('lrn', [apply1('slice', [x], turn)], attrs)], turn);
}

/** x divided by its p norm along `dim`, which counts as eps at least. */
export function normalize(x: Variable, p = 2, dim = 1, eps = 1e-12): Variable {
  expectKind('normalize', 'p', p, number);
  expectKind('normalize', 'eps', eps, number);
  const axis = normalizeAxis('normalize', dim, x.rank);
  const length =
    p === 2
      ? x.norm(axis, true)
      : p === 1
        ? x.abs().sum(axis, true)
        : x
            .abs()
            .pow(p)
            .sum(axis, true)
            .pow(1 / p);
  return x.div(length.clamp(eps));
}
