import { executor, toVariable, type Variable, type VariableLike } from '../../autograd/index.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { checkCall, flag, type KnownOf, kind, number, whole } from '../../common/options.ts';
import { sizeKind } from '../functional/options.ts';
import { F } from '../functional.ts';
import { Module } from '../module.ts';
import { ModuleBuffer, Parameter } from '../parameter.ts';
import { layer, python, pythonArgs } from './layer.ts';

const filled = (shape: readonly number[], value: number): Parameter =>
  new Parameter(shape, new Float32Array(product(shape)).fill(value));

/** Of BatchNorm1d, BatchNorm2d and BatchNorm3d. */
export interface BatchNormLayerOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Share of the batch in the new running statistics; null: the average of all batches. */
  readonly momentum?: number | null;
  /** Whether weight and bias are learned; default true. */
  readonly affine?: boolean;
  /** Whether running statistics are kept for evaluation; default true. */
  readonly trackRunningStats?: boolean;
}

const batchNormKnown: KnownOf<BatchNormLayerOptions> = {
  eps: number,
  momentum: kind('a number, or null', (value) => value === null || typeof value === 'number'),
  affine: flag,
  trackRunningStats: flag,
};
const batchNormSignature = { args: { numFeatures: whole(1) }, options: batchNormKnown, needed: 1 };

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

  constructor(ranks: readonly number[], given: readonly unknown[]) {
    super();
    checkCall(this.constructor.name, batchNormSignature, given);
    const [numFeatures, options] = given as [number, BatchNormLayerOptions];
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

  forward(input: VariableLike): Variable {
    const x = toVariable(this.constructor.name, 'input', input);
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

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}, ...surplus: never[]) {
    super([2, 3], [numFeatures, options, ...surplus]);
  }
}

/** Batch normalisation of [N,C,H,W]. */
export class BatchNorm2d extends BatchNorm {
  static override readonly name: string = 'BatchNorm2d';

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}, ...surplus: never[]) {
    super([4], [numFeatures, options, ...surplus]);
  }
}

/** Batch normalisation of [N,C,D,H,W]. */
export class BatchNorm3d extends BatchNorm {
  static override readonly name: string = 'BatchNorm3d';

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}, ...surplus: never[]) {
    super([5], [numFeatures, options, ...surplus]);
  }
}

/** Of LayerNorm. */
export interface LayerNormOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Whether a weight is learned; default true. */
  readonly elementwiseAffine?: boolean;
  /** Whether a bias is learned, too; default true. */
  readonly bias?: boolean;
}

const layerNormKnown: KnownOf<LayerNormOptions> = { eps: number, elementwiseAffine: flag, bias: flag };
const layerNormSignature = { args: { normalizedShape: sizeKind }, options: layerNormKnown, needed: 1 };

/** Normalises the last axes, which have `normalizedShape`. */
export class LayerNorm extends Module {
  static override readonly name: string = 'LayerNorm';

  /** The last axes. */
  readonly normalizedShape: readonly number[];
  /** Added to the variance. */
  readonly eps: number;
  /** Of normalizedShape, or null. */
  readonly weight: Parameter | null;
  /** Of normalizedShape, or null. */
  readonly bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}, ...surplus: never[]) {
    super();
    checkCall('LayerNorm', layerNormSignature, [normalizedShape, options, ...surplus]);
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = eps;
    this.weight = elementwiseAffine ? filled(this.normalizedShape, 1) : null;
    this.bias = elementwiseAffine && bias ? filled(this.normalizedShape, 0) : null;
  }

  forward(x: VariableLike): Variable {
    return F.layerNorm(x, this.normalizedShape, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    return `${python(this.normalizedShape)}, ${pythonArgs({ eps: this.eps, elementwiseAffine: this.weight !== null })}`;
  }
}

/** Of RMSNorm. */
export interface RMSNormOptions {
  /** Added to the mean of squares. */
  readonly eps?: number;
}

const rmsNormKnown: KnownOf<RMSNormOptions> = { eps: number };
const rmsNormSignature = { args: { normalizedShape: sizeKind }, options: rmsNormKnown, needed: 1 };

/** x / √(mean of x² + eps) · weight over the last axes. */
export class RMSNorm extends Module {
  static override readonly name: string = 'RMSNorm';

  /** The last axes. */
  readonly normalizedShape: readonly number[];
  /** Added to the mean of squares. */
  readonly eps: number;
  /** Of normalizedShape, or null. */
  readonly weight: Parameter;

  constructor(normalizedShape: number | readonly number[], options: RMSNormOptions = {}, ...surplus: never[]) {
    super();
    checkCall('RMSNorm', rmsNormSignature, [normalizedShape, options, ...surplus]);
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = options.eps ?? 1e-6;
    this.weight = filled(this.normalizedShape, 1);
  }

  forward(x: VariableLike): Variable {
    return F.rmsNorm(x, this.normalizedShape, this.weight, this.eps);
  }

  override extraRepr(): string {
    return `${python(this.normalizedShape)}, ${pythonArgs({ eps: this.eps })}`;
  }
}

/** Of GroupNorm. */
export interface GroupNormOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Whether weight and bias are learned. */
  readonly affine?: boolean;
}

const affineKnown: KnownOf<GroupNormOptions> = { eps: number, affine: flag };
const groupNormSignature = { args: { numGroups: whole(1), numChannels: whole(1) }, options: affineKnown, needed: 2 };

/** Normalises groups of channels of [N,C,…] (Wu & He 2018). */
export class GroupNorm extends Module {
  static override readonly name: string = 'GroupNorm';

  /** How many groups of channels. */
  readonly numGroups: number;
  /** How many channels. */
  readonly numChannels: number;
  /** Added to the variance. */
  readonly eps: number;
  /** [C], or null. */
  readonly weight: Parameter | null;
  /** [C], or null. */
  readonly bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}, ...surplus: never[]) {
    super();
    checkCall('GroupNorm', groupNormSignature, [numGroups, numChannels, options, ...surplus]);
    const { eps = 1e-5, affine = true } = options;
    if (numChannels % numGroups !== 0)
      throw new ConvletError('argument', `GroupNorm: numGroups expects a divisor of ${numChannels}, got ${numGroups}`);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? filled([numChannels], 1) : null;
    this.bias = affine ? filled([numChannels], 0) : null;
  }

  forward(x: VariableLike): Variable {
    return F.groupNorm(x, this.numGroups, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    const { eps } = this;
    return `${this.numGroups}, ${this.numChannels}, ${pythonArgs({ eps, affine: this.weight !== null })}`;
  }
}

/** Of InstanceNorm1d, InstanceNorm2d and InstanceNorm3d. */
export type InstanceNormOptions = GroupNormOptions;

const instanceNormSignature = { args: { numFeatures: whole(1) }, options: affineKnown, needed: 1 };

abstract class InstanceNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(numFeatures: number, options: InstanceNormOptions = {}, ...surplus: never[]) {
    super();
    checkCall(this.constructor.name, instanceNormSignature, [numFeatures, options, ...surplus]);
    const { eps = 1e-5, affine = false } = options;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.weight = affine ? filled([numFeatures], 1) : null;
    this.bias = affine ? filled([numFeatures], 0) : null;
  }

  forward(x: VariableLike): Variable {
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

/** Of LocalResponseNorm. */
export interface LocalResponseNormOptions {
  /** Factor of the sum; default 1e-4. */
  readonly alpha?: number;
  /** Exponent; default 0.75. */
  readonly beta?: number;
  /** Added to the sum; default 1. */
  readonly k?: number;
}

const localResponseKnown: KnownOf<LocalResponseNormOptions> = { alpha: number, beta: number, k: number };

/** Divides by (k + alpha / size · Σ x² over `size` neighbouring channels)^beta (Krizhevsky et al. 2012). */
export const LocalResponseNorm = layer(
  'LocalResponseNorm',
  { args: { size: whole(1) }, options: localResponseKnown, needed: 1 },
  ([x], [size, { alpha, beta, k } = {}]: [size: number, options?: LocalResponseNormOptions]) =>
    F.localResponseNorm(x, size, alpha, beta, k),
  (size, { alpha = 1e-4, beta = 0.75, k = 1 } = {}) => ({ size, alpha, beta, k }),
);
