import { executor, type Variable } from '../../autograd/index.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import * as F from '../functional.ts';
import { Module } from '../module.ts';
import { ModuleBuffer, Parameter } from '../parameter.ts';
import { layer, python, pythonArgs } from './layer.ts';

const filled = (shape: readonly number[], value: number): Parameter =>
  new Parameter(shape, new Float32Array(product(shape)).fill(value));

export interface BatchNormLayerOptions {
  readonly eps?: number;
  /** Share of the batch in the new running statistics; null: the average of all batches. */
  readonly momentum?: number | null;
  readonly affine?: boolean;
  readonly trackRunningStats?: boolean;
}

abstract class BatchNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly runningMean: ModuleBuffer | null;
  readonly runningVar: ModuleBuffer | null;
  readonly numBatchesTracked: ModuleBuffer | null;
  private readonly ranks: readonly number[];

  constructor(ranks: readonly number[], numFeatures: number, options: BatchNormLayerOptions) {
    super();
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    this.ranks = ranks;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? filled([numFeatures], 1) : null;
    this.bias = affine ? filled([numFeatures], 0) : null;
    this.runningMean = trackRunningStats ? new ModuleBuffer([numFeatures]) : null;
    this.runningVar = trackRunningStats ? new ModuleBuffer([numFeatures], 'float32', 1) : null;
    this.numBatchesTracked = trackRunningStats ? new ModuleBuffer([], 'int64') : null;
  }

  forward(x: Variable): Variable {
    if (!this.ranks.includes(x.rank) || x.shape[1] !== this.numFeatures)
      throw new ConvletError(
        'shape',
        `${this.constructor.name}: input expects rank ${this.ranks.join(' or ')} with ${this.numFeatures} channels, got shape ${shapeText(x.shape)}`,
      );
    const { weight, bias, eps, runningMean, runningVar } = this;
    const training = this.training || runningMean === null;
    const momentum = this.training && runningMean !== null ? this.countBatch() : 0.1;
    return F.batchNorm(x, runningMean, runningVar, { weight, bias, training, momentum, eps });
  }

  private countBatch(): number {
    const count = this.numBatchesTracked!;
    if (this.momentum === null && executor().isTrace)
      throw new ConvletError('unsupported', 'BatchNorm: momentum null changes in every step and cannot be compiled');
    executor().eachStep(() => void count.set([count.item() + 1]));
    return this.momentum ?? 1 / count.item();
  }

  override extraRepr(): string {
    const { eps, momentum } = this;
    const affine = this.weight !== null;
    return `${this.numFeatures}, ${pythonArgs({ eps, momentum, affine, trackRunningStats: this.runningMean !== null })}`;
  }
}

/** Batch normalisation of [N,C] or [N,C,L]. */
export class BatchNorm1d extends BatchNorm {
  static override readonly name: string = 'BatchNorm1d';

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super([2, 3], numFeatures, options);
  }
}

/** Batch normalisation of [N,C,H,W]. */
export class BatchNorm2d extends BatchNorm {
  static override readonly name: string = 'BatchNorm2d';

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super([4], numFeatures, options);
  }
}

/** Batch normalisation of [N,C,D,H,W]. */
export class BatchNorm3d extends BatchNorm {
  static override readonly name: string = 'BatchNorm3d';

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super([5], numFeatures, options);
  }
}

/** Normalises the last axes, which have `normalizedShape`. */
export class LayerNorm extends Module {
  static override readonly name: string = 'LayerNorm';

  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(
    normalizedShape: number | readonly number[],
    options: { readonly eps?: number; readonly elementwiseAffine?: boolean; readonly bias?: boolean } = {},
  ) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = eps;
    this.weight = elementwiseAffine ? filled(this.normalizedShape, 1) : null;
    this.bias = elementwiseAffine && bias ? filled(this.normalizedShape, 0) : null;
  }

  forward(x: Variable): Variable {
    return F.layerNorm(x, this.normalizedShape, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    return `${python(this.normalizedShape)}, ${pythonArgs({ eps: this.eps, elementwiseAffine: this.weight !== null })}`;
  }
}

/** x / √(mean of x² + eps) · weight over the last axes. */
export class RMSNorm extends Module {
  static override readonly name: string = 'RMSNorm';

  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter;

  constructor(normalizedShape: number | readonly number[], options: { readonly eps?: number } = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = options.eps ?? 1e-6;
    this.weight = filled(this.normalizedShape, 1);
  }

  forward(x: Variable): Variable {
    return F.rmsNorm(x, this.normalizedShape, this.weight, this.eps);
  }

  override extraRepr(): string {
    return `${python(this.normalizedShape)}, ${pythonArgs({ eps: this.eps })}`;
  }
}

/** Normalises groups of channels of [N,C,…] (Wu & He 2018). */
export class GroupNorm extends Module {
  static override readonly name: string = 'GroupNorm';

  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(
    numGroups: number,
    numChannels: number,
    options: { readonly eps?: number; readonly affine?: boolean } = {},
  ) {
    super();
    const { eps = 1e-5, affine = true } = options;
    if (numChannels % numGroups !== 0)
      throw new ConvletError('argument', `GroupNorm: numGroups expects a divisor of ${numChannels}, got ${numGroups}`);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? filled([numChannels], 1) : null;
    this.bias = affine ? filled([numChannels], 0) : null;
  }

  forward(x: Variable): Variable {
    return F.groupNorm(x, this.numGroups, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    const { eps } = this;
    return `${this.numGroups}, ${this.numChannels}, ${pythonArgs({ eps, affine: this.weight !== null })}`;
  }
}

abstract class InstanceNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(numFeatures: number, options: { readonly eps?: number; readonly affine?: boolean } = {}) {
    super();
    const { eps = 1e-5, affine = false } = options;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.weight = affine ? filled([numFeatures], 1) : null;
    this.bias = affine ? filled([numFeatures], 0) : null;
  }

  forward(x: Variable): Variable {
    return F.instanceNorm(x, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    return `${this.numFeatures}, ${pythonArgs({ eps: this.eps, affine: this.weight !== null })}`;
  }
}

/** Normalises each channel of each example by itself: [N,C,L]. */
export class InstanceNorm1d extends InstanceNorm {
  static override readonly name: string = 'InstanceNorm1d';
}
/** As InstanceNorm1d, of [N,C,H,W]. */
export class InstanceNorm2d extends InstanceNorm {
  static override readonly name: string = 'InstanceNorm2d';
}
/** As InstanceNorm1d, of [N,C,D,H,W]. */
export class InstanceNorm3d extends InstanceNorm {
  static override readonly name: string = 'InstanceNorm3d';
}

export const LocalResponseNorm = layer(
  'LocalResponseNorm',
  ([x], [size, { alpha, beta, k } = {}]: [number, { alpha?: number; beta?: number; k?: number }?]) =>
    F.localResponseNorm(x, size, alpha, beta, k),
  (size, { alpha = 1e-4, beta = 0.75, k = 1 } = {}) => ({ size, alpha, beta, k }),
);
