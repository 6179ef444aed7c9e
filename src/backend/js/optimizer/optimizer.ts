import type { TypedArray } from '../../../common/dtype.ts';
import type { JsPrim } from '../../backend.ts';
import type { OptimizerKind } from '../../prims/optimizer.ts';

/** Updates a parameter p from its gradient g, up to three states (as many as the kind has) and the numbers of the step. */
type Update = (
  p: TypedArray,
  g: TypedArray,
  states: readonly (TypedArray | undefined)[],
  hyper: readonly number[],
  length: number,
) => void;

/**
 * The formulas of torch.optim (and of Lion: Chen et al. 2023, LAMB: You et al. 2020). Entries of `hyper` are in the order of
 * `optimizerHyper` in prims/optimizer.ts.
 */
const updates: Readonly<Record<OptimizerKind, Update>> = {
  sgd(p, g, [buffer], [lr, momentum, dampening, weightDecay, nesterov, maximize, first], length) {
    const sign = maximize === 1 ? -1 : 1;
    const taken = first === 1 ? 1 : 1 - dampening;
    const kept = first === 1 ? 0 : momentum;
    for (let i = 0; i < length; i++) {
      let step = sign * g[i] + weightDecay * p[i];
      if (buffer !== undefined) {
        const next = kept * buffer[i] + taken * step;
        buffer[i] = next;
        step = nesterov === 1 ? step + momentum * next : next;
      }
      p[i] -= lr * step;
    }
  },

  adam(p, g, [m, v, most], hyper, length) {
    const [stepSize, beta1, rest1, beta2, rest2, epsilon, weightDecay, decay, correction, maximize] = hyper;
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const weight = p[i] * decay;
      const grad = sign * g[i] + weightDecay * weight;
      const first = beta1 * m![i] + rest1 * grad;
      const second = beta2 * v![i] + rest2 * grad * grad;
      m![i] = first;
      v![i] = second;
      const largest = most === undefined ? second : Math.max(most[i], second);
      if (most !== undefined) most[i] = largest;
      p[i] = weight - (stepSize * first) / (Math.sqrt(largest) * correction + epsilon);
    }
  },

  rmsprop(p, g, [square, buffer, mean], hyper, length) {
    const [lr, alpha, rest, epsilon, weightDecay, momentum, maximize] = hyper;
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const grad = sign * g[i] + weightDecay * p[i];
      const second = alpha * square![i] + rest * grad * grad;
      square![i] = second;
      let variance = second;
      if (mean !== undefined) {
        const first = alpha * mean[i] + rest * grad;
        mean[i] = first;
        // Rounding can make the variance of a constant gradient negative.
        variance = Math.max(second - first * first, 0);
      }
      let step = grad / (Math.sqrt(variance) + epsilon);
      if (buffer !== undefined) {
        step += momentum * buffer[i];
        buffer[i] = step;
      }
      p[i] -= lr * step;
    }
  },

  adagrad(p, g, [sum], [lr, epsilon, weightDecay, maximize], length) {
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const grad = sign * g[i] + weightDecay * p[i];
      const total = sum![i] + grad * grad;
      sum![i] = total;
      p[i] -= (lr * grad) / (Math.sqrt(total) + epsilon);
    }
  },

  adadelta(p, g, [square, moved], [lr, rho, rest, epsilon, weightDecay, maximize], length) {
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const grad = sign * g[i] + weightDecay * p[i];
      const second = rho * square![i] + rest * grad * grad;
      square![i] = second;
      const delta = (Math.sqrt(moved![i] + epsilon) / Math.sqrt(second + epsilon)) * grad;
      moved![i] = rho * moved![i] + rest * delta * delta;
      p[i] -= lr * delta;
    }
  },

  adamax(p, g, [m, norm], [stepSize, beta1, rest1, beta2, epsilon, weightDecay, maximize], length) {
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const grad = sign * g[i] + weightDecay * p[i];
      const first = beta1 * m![i] + rest1 * grad;
      const largest = Math.max(beta2 * norm![i], Math.abs(grad) + epsilon);
      m![i] = first;
      norm![i] = largest;
      p[i] -= (stepSize * first) / largest;
    }
  },

  nadam(p, g, [m, v], hyper, length) {
    const [ofGrad, ofMean, beta1, rest1, beta2, rest2, epsilon, weightDecay, correction, maximize] = hyper;
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const grad = sign * g[i] + weightDecay * p[i];
      const first = beta1 * m![i] + rest1 * grad;
      const second = beta2 * v![i] + rest2 * grad * grad;
      m![i] = first;
      v![i] = second;
      p[i] -= (ofGrad * grad + ofMean * first) / (Math.sqrt(second) * correction + epsilon);
    }
  },

  radam(p, g, [m, v], [stepSize, adaptive, beta1, rest1, beta2, rest2, epsilon, weightDecay, maximize], length) {
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const grad = sign * g[i] + weightDecay * p[i];
      const first = beta1 * m![i] + rest1 * grad;
      const second = beta2 * v![i] + rest2 * grad * grad;
      m![i] = first;
      v![i] = second;
      p[i] -= (stepSize * first) / (adaptive === 1 ? Math.sqrt(second) + epsilon : 1);
    }
  },

  rprop(p, g, [previous, size], [etaMinus, etaPlus, least, most, maximize], length) {
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const grad = sign * g[i];
      const agreement = grad * previous![i];
      const factor = agreement > 0 ? etaPlus : agreement < 0 ? etaMinus : 1;
      const step = Math.min(Math.max(size![i] * factor, least), most);
      // If a gradient has changed its sign, this step does not use it.
      const used = agreement < 0 ? 0 : grad;
      size![i] = step;
      previous![i] = used;
      p[i] -= Math.sign(used) * step;
    }
  },

  lion(p, g, [m], [lr, beta1, rest1, beta2, rest2, decay, maximize], length) {
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const grad = sign * g[i];
      p[i] = p[i] * decay - lr * Math.sign(beta1 * m![i] + rest1 * grad);
      m![i] = beta2 * m![i] + rest2 * grad;
    }
  },

  /** Updates the moments, and stores in the third state the step before it is scaled by the trust ratio. */
  lamb(p, g, [m, v, step], hyper, length) {
    const [, beta1, rest1, beta2, rest2, epsilon, weightDecay, scale1, correction, maximize] = hyper;
    const sign = maximize === 1 ? -1 : 1;
    for (let i = 0; i < length; i++) {
      const grad = sign * g[i];
      const first = beta1 * m![i] + rest1 * grad;
      const second = beta2 * v![i] + rest2 * grad * grad;
      m![i] = first;
      v![i] = second;
      step![i] = (first * scale1) / (Math.sqrt(second) * correction + epsilon) + weightDecay * p[i];
    }
  },

  /** g is the step, a the norm of the parameter, b that of the step. */
  lambApply(p, g, [weightNorm, stepNorm], [lr], length) {
    const [w, s] = [weightNorm![0], stepNorm![0]];
    const rate = w > 0 && s > 0 ? (lr * w) / s : lr;
    for (let i = 0; i < length; i++) p[i] -= rate * g[i];
  },
};

export const optimizerStep: JsPrim<'optimizerStep'> = (inputs, _, { kind, length }) => {
  const [p, g, a, b, c, hyper] = inputs.map((t) => t?.array);
  updates[kind](p!, g!, [a, b, c], Array.from(hyper!), length);
};
