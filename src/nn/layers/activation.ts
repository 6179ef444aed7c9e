import type { Variable, VariableLike } from '../../autograd/index.ts';
import { checkCall, number, oneOf, whole } from '../../common/options.ts';
import { F } from '../functional.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';
import { layer, pointwise } from './layer.ts';

/** max(0, x). */
export const ReLU = pointwise('ReLU', F.relu);
/** min(max(0, x), 6). */
export const ReLU6 = pointwise('ReLU6', F.relu6);
/** x where x > 0, else negativeSlope · x (default 0.01). */
export const LeakyReLU = pointwise('LeakyReLU', F.leakyRelu, { negativeSlope: number });
/** x where x > 0, else alpha · (eˣ − 1) (Clevert et al. 2015); alpha 1 by default. */
export const ELU = pointwise('ELU', F.elu, { alpha: number });
/** x where x > 0, else alpha · (e^(x / alpha) − 1) (Barron 2017); alpha 1 by default. */
export const CELU = pointwise('CELU', F.celu, { alpha: number });
/** ELU with the two constants that keep mean 0 and variance 1 (Klambauer et al. 2017). */
export const SELU = pointwise('SELU', F.selu);
/** x · Φ(x) (Hendrycks & Gimpel 2016); `'tanh'` takes the approximation of Φ by tanh, `'none'` (default) erf. */
export const GELU = pointwise('GELU', F.gelu, { approximate: oneOf('none', 'tanh') });
/** x · sigmoid(x), also known as swish. */
export const SiLU = pointwise('SiLU', F.silu);
/** x · tanh(softplus(x)) (Misra 2019). */
export const Mish = pointwise('Mish', F.mish);
/** x · relu6(x + 3) / 6 (Howard et al. 2019). */
export const Hardswish = pointwise('Hardswish', F.hardswish);
/** relu6(x + 3) / 6. */
export const Hardsigmoid = pointwise('Hardsigmoid', F.hardsigmoid);
/** x limited to minVal … maxVal (default −1 … 1). */
export const Hardtanh = pointwise('Hardtanh', F.hardtanh, { minVal: number, maxVal: number });
/** x where |x| > lambd (default 0.5), else 0. */
export const Hardshrink = pointwise('Hardshrink', F.hardshrink, { lambd: number });
/** x moved lambd (default 0.5) towards 0, and 0 where |x| ≤ lambd. */
export const Softshrink = pointwise('Softshrink', F.softshrink, { lambd: number });
/** x − tanh(x). */
export const Tanhshrink = pointwise('Tanhshrink', F.tanhshrink);
/** 1 / (1 + e⁻ˣ). */
export const Sigmoid = pointwise('Sigmoid', F.sigmoid);
/** log(sigmoid(x)), without overflow. */
export const LogSigmoid = pointwise('LogSigmoid', F.logsigmoid);
/** The hyperbolic tangent. */
export const Tanh = pointwise('Tanh', F.tanh);
/** log(1 + e^(beta · x)) / beta; x itself where beta · x > threshold (defaults 1 and 20). */
export const Softplus = pointwise('Softplus', F.softplus, { beta: number, threshold: number });
/** x / (1 + |x|). */
export const Softsign = pointwise('Softsign', F.softsign);
/** x where x > threshold, else value. */
export const Threshold = pointwise('Threshold', F.threshold, { threshold: number, value: number }, { needed: 2 });
/**
 * The first half of axis `dim` (default −1) times the sigmoid of the second half (Dauphin et al. 2016); the axis must have an
 * even length.
 */
export const GLU = pointwise('GLU', F.glu, { dim: number });
/** e^x divided by its sum along axis `dim`. */
export const Softmax = pointwise('Softmax', F.softmax, { dim: number }, { needed: 1 });
/** Softmax of −x along axis `dim`. */
export const Softmin = pointwise('Softmin', F.softmin, { dim: number }, { needed: 1 });
/** log(softmax(x)) along axis `dim`, without overflow. */
export const LogSoftmax = pointwise('LogSoftmax', F.logSoftmax, { dim: number }, { needed: 1 });
/** Softmax over the channels of [N,C,H,W] or [C,H,W]. */
export const Softmax2d = layer('Softmax2d', { args: {} }, ([x]) => F.softmax(x, -3));

/** max(0, x) + weight · min(0, x), one weight or one per channel, learned. */
export class PReLU extends Module {
  static override readonly name: string = 'PReLU';

  /** Slope below 0: [numParameters]. */
  readonly weight: Parameter;

  constructor(numParameters = 1, init = 0.25, ...surplus: never[]) {
    super();
    checkCall('PReLU', { args: { numParameters: whole(1), init: number } }, [numParameters, init, ...surplus]);
    this.weight = new Parameter([numParameters], new Float32Array(numParameters).fill(init));
  }

  forward(x: VariableLike): Variable {
    return F.prelu(x, this.weight);
  }

  override extraRepr(): string {
    return `num_parameters=${this.weight.size}`;
  }
}
