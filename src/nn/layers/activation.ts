import type { Variable, VariableLike } from '../../autograd/index.ts';
import { checkCall, number, oneOf, whole } from '../../common/options.ts';
import { F } from '../functional.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';
import { layer, pointwise } from './layer.ts';

export const ReLU = pointwise('ReLU', F.relu);
export const ReLU6 = pointwise('ReLU6', F.relu6);
export const LeakyReLU = pointwise('LeakyReLU', F.leakyRelu, { negativeSlope: number });
export const ELU = pointwise('ELU', F.elu, { alpha: number });
export const CELU = pointwise('CELU', F.celu, { alpha: number });
export const SELU = pointwise('SELU', F.selu);
export const GELU = pointwise('GELU', F.gelu, { approximate: oneOf('none', 'tanh') });
export const SiLU = pointwise('SiLU', F.silu);
export const Mish = pointwise('Mish', F.mish);
export const Hardswish = pointwise('Hardswish', F.hardswish);
export const Hardsigmoid = pointwise('Hardsigmoid', F.hardsigmoid);
export const Hardtanh = pointwise('Hardtanh', F.hardtanh, { minVal: number, maxVal: number });
export const Hardshrink = pointwise('Hardshrink', F.hardshrink, { lambd: number });
export const Softshrink = pointwise('Softshrink', F.softshrink, { lambd: number });
export const Tanhshrink = pointwise('Tanhshrink', F.tanhshrink);
export const Sigmoid = pointwise('Sigmoid', F.sigmoid);
export const LogSigmoid = pointwise('LogSigmoid', F.logsigmoid);
export const Tanh = pointwise('Tanh', F.tanh);
export const Softplus = pointwise('Softplus', F.softplus, { beta: number, threshold: number });
export const Softsign = pointwise('Softsign', F.softsign);
export const Threshold = pointwise('Threshold', F.threshold, { threshold: number, value: number }, { needed: 2 });
export const GLU = pointwise('GLU', F.glu, { dim: number });
export const Softmax = pointwise('Softmax', F.softmax, { dim: number }, { needed: 1 });
export const Softmin = pointwise('Softmin', F.softmin, { dim: number }, { needed: 1 });
export const LogSoftmax = pointwise('LogSoftmax', F.logSoftmax, { dim: number }, { needed: 1 });
/** Softmax over the channels of [N,C,H,W] or [C,H,W]. */
export const Softmax2d = layer('Softmax2d', { args: {} }, ([x]) => F.softmax(x, -3));

/** max(0, x) + weight · min(0, x), one weight or one per channel, learned. */
export class PReLU extends Module {
  static override readonly name: string = 'PReLU';

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
