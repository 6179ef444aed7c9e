import type { Variable, VariableLike } from '../../autograd/index.ts';
import { ConvletError } from '../../common/error.ts';
import { checkCall, flag, type Known, type KnownOf, whole } from '../../common/options.ts';
import type { ConvOptions, ConvTransposeOptions } from '../functional/conv.ts';
import { convKnown, convTransposeKnown, perAxisKind } from '../functional/options.ts';
import { type PerAxis, perAxis } from '../functional/per-axis.ts';
import { F } from '../functional.ts';
import * as init from '../init.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';
import { python, pythonArgs } from './layer.ts';

/** Of Conv1d, Conv2d and Conv3d. */
export interface ConvLayerOptions extends ConvOptions {
  /** Whether a bias is added; default true. */
  readonly bias?: boolean;
}

/** Of ConvTranspose1d, ConvTranspose2d and ConvTranspose3d. */
export interface ConvTransposeLayerOptions extends ConvTransposeOptions {
  /** Whether a bias is added; default true. */
  readonly bias?: boolean;
}

const { paddingMode, ...convWithoutMode } = convKnown;
const convLayerKnown: KnownOf<ConvLayerOptions> = { ...convWithoutMode, bias: flag, paddingMode };
const { dilation, ...transposeWithoutDilation } = convTransposeKnown;
const convTransposeLayerKnown: KnownOf<ConvTransposeLayerOptions> = {
  ...transposeWithoutDilation,
  bias: flag,
  dilation,
};
const convArgs: Known = { inChannels: whole(1), outChannels: whole(1), kernelSize: perAxisKind };

/** PyTorch's defaults: uniform within ±1/√fanIn, weight and bias alike. */
function initialise(weight: Parameter, bias: Parameter | null): void {
  init.kaimingUniform(weight, { a: Math.sqrt(5) });
  const bound = 1 / Math.sqrt(init.calculateFan(weight.shape).fanIn);
  if (bias !== null) init.uniform(bias, -bound, bound);
}

function checkGroups(op: string, inChannels: number, outChannels: number, groups: number): void {
  if (!(Number.isInteger(groups) && groups > 0))
    throw new ConvletError('argument', `${op}: groups expects a whole number ≥ 1, got ${groups}`);
  if (inChannels % groups !== 0 || outChannels % groups !== 0)
    throw new ConvletError(
      'argument',
      `${op}: groups expects a divisor of ${inChannels} and ${outChannels} channels, got ${groups}`,
    );
}

abstract class Convolution<O extends ConvLayerOptions | ConvTransposeLayerOptions> extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  /** As the function of F takes them. */
  readonly options: Omit<O, 'bias'>;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(rank: number, transposed: boolean, given: readonly unknown[]) {
    super();
    const { name } = this.constructor;
    checkCall(
      name,
      { args: convArgs, options: transposed ? convTransposeLayerKnown : convLayerKnown, needed: 3 },
      given,
    );
    const [inChannels, outChannels, kernelSize, { bias = true, ...options }] = given as [number, number, PerAxis, O];
    const groups = options.groups ?? 1;
    checkGroups(name, inChannels, outChannels, groups);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = perAxis(name, 'kernelSize', kernelSize, rank);
    this.options = options;
    const [first, second] = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = new Parameter([first, second, ...this.kernelSize]);
    this.bias = bias ? new Parameter([outChannels]) : null;
    initialise(this.weight, this.bias);
  }

  override extraRepr(): string {
    const { kernelSize, options } = this;
    const given = options as ConvLayerOptions & ConvTransposeLayerOptions;
    const each = (value: unknown): unknown => (typeof value === 'number' ? kernelSize.map(() => value) : value);
    const differs = (value: unknown, usual: number): boolean => python(each(value)) !== python(each(usual));
    const parts = [
      `${this.inChannels}, ${this.outChannels}`,
      pythonArgs({ kernelSize, stride: each(given.stride ?? 1) }),
    ];
    const rest: [string, unknown, boolean][] = [
      ['padding', each(given.padding), differs(given.padding ?? 0, 0)],
      ['outputPadding', each(given.outputPadding), differs(given.outputPadding ?? 0, 0)],
      ['dilation', each(given.dilation), differs(given.dilation ?? 1, 1)],
      ['groups', given.groups, (given.groups ?? 1) !== 1],
      ['bias', false, this.bias === null],
      ['paddingMode', given.paddingMode, (given.paddingMode ?? 'zeros') !== 'zeros'],
    ];
    for (const [name, value, shown] of rest) if (shown) parts.push(pythonArgs({ [name]: value }));
    return parts.join(', ');
  }
}

/** Convolution over [N,C,L]; see F.conv1d. weight [out, in/groups, K]. */
export class Conv1d extends Convolution<ConvLayerOptions> {
  static override readonly name: string = 'Conv1d';

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
    ...surplus: never[]
  ) {
    super(1, false, [inChannels, outChannels, kernelSize, options, ...surplus]);
  }

  forward(x: VariableLike): Variable {
    return F.conv1d(x, this.weight, this.bias, this.options);
  }
}

/** Convolution over [N,C,H,W]; see F.conv2d. weight [out, in/groups, kH, kW]. */
export class Conv2d extends Convolution<ConvLayerOptions> {
  static override readonly name: string = 'Conv2d';

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
    ...surplus: never[]
  ) {
    super(2, false, [inChannels, outChannels, kernelSize, options, ...surplus]);
  }

  forward(x: VariableLike): Variable {
    return F.conv2d(x, this.weight, this.bias, this.options);
  }
}

/** Convolution over [N,C,D,H,W]; see F.conv3d. */
export class Conv3d extends Convolution<ConvLayerOptions> {
  static override readonly name: string = 'Conv3d';

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
    ...surplus: never[]
  ) {
    super(3, false, [inChannels, outChannels, kernelSize, options, ...surplus]);
  }

  forward(x: VariableLike): Variable {
    return F.conv3d(x, this.weight, this.bias, this.options);
  }
}

/** Transposed convolution over [N,C,L]; weight [in, out/groups, K]. */
export class ConvTranspose1d extends Convolution<ConvTransposeLayerOptions> {
  static override readonly name: string = 'ConvTranspose1d';

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
    ...surplus: never[]
  ) {
    super(1, true, [inChannels, outChannels, kernelSize, options, ...surplus]);
  }

  forward(x: VariableLike): Variable {
    return F.convTranspose1d(x, this.weight, this.bias, this.options);
  }
}

/** Transposed convolution over [N,C,H,W]; weight [in, out/groups, kH, kW]. */
export class ConvTranspose2d extends Convolution<ConvTransposeLayerOptions> {
  static override readonly name: string = 'ConvTranspose2d';

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
    ...surplus: never[]
  ) {
    super(2, true, [inChannels, outChannels, kernelSize, options, ...surplus]);
  }

  forward(x: VariableLike): Variable {
    return F.convTranspose2d(x, this.weight, this.bias, this.options);
  }
}

/** Transposed convolution over [N,C,D,H,W]. */
export class ConvTranspose3d extends Convolution<ConvTransposeLayerOptions> {
  static override readonly name: string = 'ConvTranspose3d';

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
    ...surplus: never[]
  ) {
    super(3, true, [inChannels, outChannels, kernelSize, options, ...surplus]);
  }

  forward(x: VariableLike): Variable {
    return F.convTranspose3d(x, this.weight, this.bias, this.options);
  }
}

/** Of Linear. */
export interface LinearOptions {
  /** Whether a bias is added; default true. */
  readonly bias?: boolean;
}

const linearKnown: KnownOf<LinearOptions> = { bias: flag };
const linearSignature = { args: { inFeatures: whole(1), outFeatures: whole(1) }, options: linearKnown, needed: 2 };

/** y = x · weightᵀ + bias over the last axis; weight [out, in]. */
export class Linear extends Module {
  static override readonly name: string = 'Linear';

  /** Length of the input's last axis. */
  readonly inFeatures: number;
  /** Length of the output's last axis. */
  readonly outFeatures: number;
  /** [out, in]. */
  readonly weight: Parameter;
  /** [out], or null. */
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}, ...surplus: never[]) {
    super();
    checkCall('Linear', linearSignature, [inFeatures, outFeatures, options, ...surplus]);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter([outFeatures, inFeatures]);
    this.bias = (options.bias ?? true) ? new Parameter([outFeatures]) : null;
    initialise(this.weight, this.bias);
  }

  forward(x: VariableLike): Variable {
    return F.linear(x, this.weight, this.bias);
  }

  override extraRepr(): string {
    return pythonArgs({ inFeatures: this.inFeatures, outFeatures: this.outFeatures, bias: this.bias !== null });
  }
}
