import type { DType } from '../../common/dtype.ts';
import type { NoAttrs } from '../no-attrs.ts';

export type PadMode = 'constant' | 'reflect' | 'edge' | 'wrap';
export type ScatterReduction = 'none' | 'add' | 'mul' | 'max' | 'min';

export interface SliceGradAttrs extends Omit<SliceAttrs, 'sizes'> {
  /** Shape of the tensor that was sliced. */
  readonly shape: readonly number[];
}

export interface PadGradAttrs extends Omit<PadAttrs, 'value'> {
  /** Shape of the tensor that was padded. */
  readonly shape: readonly number[];
}

/** Axis i of the output is axis perm[i] of x. */
export interface TransposeAttrs {
  readonly perm: readonly number[];
}

export interface ConcatAttrs {
  readonly axis: number;
}

/** One entry per axis: element i of the output is element starts + i·steps of x; steps may be negative. */
export interface SliceAttrs {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly sizes: readonly number[];
}

export interface ExpandAttrs {
  readonly shape: readonly number[];
}

export interface TileAttrs {
  readonly repeats: readonly number[];
}

export interface DepthToSpaceAttrs {
  readonly blockSize: number;
  readonly mode: 'DCR' | 'CRD';
}

export interface ChannelShuffleAttrs {
  readonly groups: number;
}

export interface GatherGradAttrs {
  readonly axis: number;
  /** Shape of the tensor from which elements were gathered. */
  readonly shape: readonly number[];
}

export interface GatherNDGradAttrs {
  readonly batchDims: number;
  readonly shape: readonly number[];
}

export interface GatherAttrs {
  readonly axis: number;
}

export interface GatherNDAttrs {
  readonly batchDims: number;
}

export interface OneHotAttrs {
  readonly depth: number;
  readonly axis: number;
}

export interface TriluAttrs {
  readonly k: number;
  readonly upper: boolean;
}

export interface EyeLikeAttrs {
  readonly dtype: DType;
  readonly k: number;
}

export interface ReverseSequenceAttrs {
  readonly batchAxis: number;
  readonly timeAxis: number;
}

/** Elements added before and after each axis; negative numbers crop. `value` is for the mode 'constant'. */
export interface PadAttrs {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly mode: PadMode;
  readonly value: number;
}

/** `shape` is final: no −1, and a 0 is an empty axis. */
export interface ReshapeAttrs {
  readonly shape: readonly number[];
}

export interface ScatterElementsAttrs {
  readonly axis: number;
  readonly reduction: ScatterReduction;
}

export interface ScatterNDAttrs {
  readonly reduction: ScatterReduction;
}

export interface CompressAttrs {
  /** Null: x is flattened first. */
  readonly axis: number | null;
}

export interface UniqueAttrs {
  /** Null: x is flattened first. */
  readonly axis: number | null;
  /** Ascending; else in order of first appearance. */
  readonly sorted: boolean;
}

export interface CopyOps {
  transpose: TransposeAttrs;
  concat: ConcatAttrs;
  slice: SliceAttrs;
  expand: ExpandAttrs;
  tile: TileAttrs;
  reshape: ReshapeAttrs;
  pad: PadAttrs;
  depthToSpace: DepthToSpaceAttrs;
  spaceToDepth: DepthToSpaceAttrs;
  channelShuffle: ChannelShuffleAttrs;
  gather: GatherAttrs;
  gatherElements: GatherAttrs;
  gatherND: GatherNDAttrs;
  scatterElements: ScatterElementsAttrs;
  scatterND: ScatterNDAttrs;
  nonZero: NoAttrs;
  compress: CompressAttrs;
  unique: UniqueAttrs;
  oneHot: OneHotAttrs;
  trilu: TriluAttrs;
  eyeLike: EyeLikeAttrs;
  hardmax: { readonly axis: number };
  reverseSequence: ReverseSequenceAttrs;
  sliceGrad: SliceGradAttrs;
  padGrad: PadGradAttrs;
  gatherGrad: GatherGradAttrs;
  gatherNDGrad: GatherNDGradAttrs;
}
