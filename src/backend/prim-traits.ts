import type { Tensor } from '../tensor/tensor.ts';
import type { PrimCall } from './backend.ts';
import { channelsOf, pitchedStrides } from './pitch.ts';
import { convInputs } from './prims/conv.ts';
import type { PrimName, Prims } from './prims/index.ts';

/** Whether `call` can read or write `tensor` as channels of a wider one. */
type PitchRule<P extends PrimName> = (call: PrimCall<P>, tensor: Tensor) => boolean;

/** A prim that computes each image of a batch independently. */
interface BatchTrait<P extends PrimName> {
  /** The inputs that have a batch; the others are parameters. */
  readonly inputs: readonly number[];
  /** The attributes for `images` of the `batch` images. */
  take(attrs: Prims[P], images: number, batch: number): Prims[P];
}

/** Names of ops that may have an attribute `activation`. */
type ActivationHost =
  | 'conv'
  | 'convTranspose'
  | 'batchNorm'
  | 'instanceNorm'
  | 'groupNorm'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'matmul';

/** What the planner and the passes may do with a prim; every backend allows it. An empty row allows nothing. */
export interface PrimTraits<P extends PrimName> {
  /**
   * Inputs whose memory the only output may reuse if the input is not needed afterwards: element i of the output
   * depends only on element i of that input.
   */
  readonly inPlace?: readonly number[];
  /** Whether the first input, and whether the only output, may have a pitch (`Pitch`). */
  readonly pitch?: { readonly input: PitchRule<P>; readonly output: PitchRule<P> };
  /** How its batch is cut into parts. */
  readonly batch?: BatchTrait<P>;
  /** The ops that hand their attribute `activation` to this prim, which applies it to float32 values before it stores them. */
  readonly activationOf?: readonly ActivationHost[];
}

const always = (): boolean => true;
const channelsInnermost = (call: PrimCall<'batchNorm'>): boolean => call.attrs.inner === 1;
/** A residual has the addresses of the output plus a constant, so it cannot be read next to an output with a pitch. */
const withoutResidual = (call: PrimCall<'conv'>): boolean => call.inputs[convInputs.residual] == null;
/** Phases without taps are filled with zeros, in one step over the whole output, which a pitch does not allow. */
const everyPhaseHasTaps = ({ attrs: { kernel, stride, dilation } }: PrimCall<'convTranspose'>): boolean =>
  kernel.every((k, i) => k >= stride[i] && (stride[i] === 1 || dilation[i] === 1));
/** Whether strides can express a pitch does not depend on its size, so any number serves. */
const stridesTakePitch = (
  dims: readonly number[],
  strides: readonly number[],
  offset: number,
  tensor: Tensor,
): boolean => pitchedStrides(dims, strides, offset, channelsOf(tensor), channelsOf(tensor) + 1) !== null;
const copyReads = ({ attrs }: PrimCall<'copy'>, tensor: Tensor): boolean =>
  stridesTakePitch(attrs.dims, attrs.inputStrides, attrs.inputOffset, tensor);
const copyWrites = ({ attrs }: PrimCall<'copy'>, tensor: Tensor): boolean =>
  stridesTakePitch(attrs.dims, attrs.outputStrides, attrs.outputOffset, tensor);

/** One row for each prim: a new prim does not compile without its row. */
const primTraits: { readonly [P in PrimName]: PrimTraits<P> } = {
  conv: {
    inPlace: [convInputs.residual],
    pitch: { input: always, output: withoutResidual },
    batch: { inputs: [convInputs.x, convInputs.residual], take: (attrs, images) => ({ ...attrs, batch: images }) },
    activationOf: ['conv'],
  },
  convTranspose: { pitch: { input: always, output: everyPhaseHasTaps }, activationOf: ['convTranspose'] },
  convWeightGrad: {},
  pool: { batch: { inputs: [0], take: (attrs, images) => ({ ...attrs, batch: images }) } },
  adaptivePool: {},
  poolGrad: {},
  adaptivePoolGrad: {},
  batchNorm: {
    inPlace: [0],
    pitch: { input: channelsInnermost, output: channelsInnermost },
    activationOf: ['batchNorm'],
  },
  normalize: { activationOf: ['instanceNorm', 'groupNorm'] },
  lrn: {},
  batchNormTraining: {},
  batchNormGrad: {},
  normalizeGrad: {},
  lrnGrad: {},
  unary: {
    inPlace: [0],
    batch: { inputs: [0], take: (attrs, images, batch) => ({ ...attrs, length: (attrs.length / batch) * images }) },
  },
  binary: { inPlace: [0, 1], activationOf: ['add', 'sub', 'mul', 'div'] },
  where: {},
  cast: {},
  unaryGrad: {},
  reduce: {},
  argReduce: {},
  softmax: {},
  softmaxGrad: {},
  matmul: { activationOf: ['matmul'] },
  copy: { pitch: { input: copyReads, output: copyWrites } },
  fill: {},
  take: {},
  resample: {},
  crossEntropy: {},
  crossEntropyGrad: {},
  optimizerStep: {},
  host: {},
};

export const traitsOf = <P extends PrimName>(prim: P): PrimTraits<P> => primTraits[prim];

/** Whether `call` can read its first input as channels of a wider tensor. */
export const readsPitch: PitchRule<PrimName> = (call, tensor) =>
  traitsOf(call.prim).pitch?.input(call, tensor) ?? false;

/** Whether `call` can write its output as channels of a wider tensor. */
export const writesPitch: PitchRule<PrimName> = (call, tensor) =>
  call.outputs.length === 1 && (traitsOf(call.prim).pitch?.output(call, tensor) ?? false);

/** Ops that apply an `activation` to their results. */
export const activationHosts: readonly ActivationHost[] = Object.values(primTraits).flatMap(
  (traits) => traits.activationOf ?? [],
);
