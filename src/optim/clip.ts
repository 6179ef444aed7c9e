import { apply1, noGrad, type Variable } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { fits, flag, type KnownOf, kind, refuse } from '../common/options.ts';

const withGrad = (params: Iterable<Variable>): [Variable, Variable][] =>
  [...params].flatMap((param): [Variable, Variable][] => (param.grad === null ? [] : [[param, param.grad]]));

/** The p-norm of all elements of all `grads` together, as a variable. */
function totalNorm(grads: readonly Variable[], p: number): Variable {
  const norms = (x: Variable): Variable => {
    if (p === Infinity) return x.abs().max();
    if (p === 1) return x.abs().sum();
    return p === 2
      ? x.norm()
      : x
          .abs()
          .pow(p)
          .sum()
          .pow(1 / p);
  };
  const each = grads.map((grad) => norms(grad).reshape(1));
  return norms(each.length === 1 ? each[0] : apply1('concat', each, { axis: 0 }));
}

/** Of clipGradNorm. */
export interface ClipNormOptions {
  /** 2 by default; 1, Infinity, or any p > 0. */
  readonly normType?: number;
  /** Throws where the norm is NaN or ∞ (not inside a compiled step, which has no numbers yet). */
  readonly errorIfNonfinite?: boolean;
}

const clipKnown: KnownOf<ClipNormOptions> = {
  normType: kind('a number > 0', (v) => typeof v === 'number' && v > 0),
  errorIfNonfinite: flag,
};

/**
 * Scales the gradients of all parameters together so that their norm is at most `maxNorm` (torch.nn.utils.clip_grad_norm_).
 * By ops, so that a compiled step may contain it (`beforeUpdate`).
 *
 * @returns the norm before, a variable of one element
 */
export function clipGradNorm(params: Iterable<Variable>, maxNorm: number, options: ClipNormOptions = {}): Variable {
  if (!fits(options, clipKnown)) refuse('clipGradNorm', options, clipKnown, { params, maxNorm });
  const { normType = 2, errorIfNonfinite = false } = options;
  if (!(maxNorm >= 0)) throw new ConvletError('argument', `clipGradNorm: maxNorm expects a number ≥ 0, got ${maxNorm}`);
  return noGrad(() => {
    const found = withGrad(params);
    if (found.length === 0)
      throw new ConvletError('argument', 'clipGradNorm: none of the parameters has a gradient; call backward() before');
    const total = totalNorm(
      found.map(([, grad]) => grad),
      normType,
    );
    if (errorIfNonfinite && !Number.isFinite(total.item()))
      throw new ConvletError('argument', `clipGradNorm: the norm of the gradients is ${total.item()}`);
    const factor = total.add(1e-6).reciprocal().mul(maxNorm).clamp(undefined, 1);
    for (const [param, grad] of found) param.grad = grad.mul(factor);
    return total;
  });
}

/** Limits each element of the gradients to −clipValue…clipValue. */
export function clipGradValue(params: Iterable<Variable>, clipValue: number): void {
  if (!(clipValue >= 0))
    throw new ConvletError('argument', `clipGradValue: clipValue expects a number ≥ 0, got ${clipValue}`);
  noGrad(() => {
    for (const [param, grad] of withGrad(params)) param.grad = grad.clamp(-clipValue, clipValue);
  });
}
