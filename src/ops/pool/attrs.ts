import type { SpatialAttrs } from '../conv/attrs.ts';
import type { NoAttrs } from '../no-attrs.ts';

export interface WindowPoolAttrs extends SpatialAttrs {
  readonly kernel: readonly number[];
  /** Count windows with ceil; see windowOutput. */
  readonly ceilMode: boolean;
}

export interface IndexAttrs {
  /** What an index counts: cells of one (n, c) plane (PyTorch), or of the whole [N,C,…] tensor (ONNX). */
  readonly indexBase: 'plane' | 'tensor';
}

export interface MaxPoolAttrs extends WindowPoolAttrs, IndexAttrs {
  /** Whether there is a second output (int64): the index of each maximum. */
  readonly indices: boolean;
  /** Indices count the first spatial axis fastest (ONNX storage_order 1). */
  readonly columnMajor: boolean;
}

export interface AveragePoolAttrs extends WindowPoolAttrs {
  /** Padding counts as cells of value 0; otherwise only cells of the input count. */
  readonly countIncludePad: boolean;
  /** Divide by this instead of the count; 0: no. */
  readonly divisorOverride: number;
}

export interface LpPoolAttrs extends WindowPoolAttrs {
  readonly p: number;
}

export interface AdaptivePoolOpAttrs {
  readonly outputSize: readonly number[];
  readonly indices: boolean;
}

export interface MaxUnpoolAttrs extends IndexAttrs {
  /** Spatial size of the output. */
  readonly outputSize: readonly number[];
  /** Spatial size to which the indices refer, if the output is larger (ONNX output_shape). */
  readonly indexSize?: readonly number[];
}

export interface PoolGradOpAttrs extends SpatialAttrs {
  readonly kernel: readonly number[];
  readonly ceilMode: boolean;
}

export interface AveragePoolGradAttrs extends PoolGradOpAttrs {
  /** Shape of x, which is not an input. */
  readonly inputShape: readonly number[];
  readonly countIncludePad: boolean;
  readonly divisorOverride: number;
}

export interface LpPoolGradAttrs extends PoolGradOpAttrs {
  readonly p: number;
}

export interface AdaptiveAveragePoolGradAttrs {
  readonly inputShape: readonly number[];
}

export interface PoolOps {
  maxPool: MaxPoolAttrs;
  averagePool: AveragePoolAttrs;
  lpPool: LpPoolAttrs;
  globalAveragePool: NoAttrs;
  globalMaxPool: NoAttrs;
  globalLpPool: { readonly p: number };
  adaptiveAveragePool: AdaptivePoolOpAttrs;
  adaptiveMaxPool: AdaptivePoolOpAttrs;
  maxUnpool: MaxUnpoolAttrs;
  maxPoolGrad: PoolGradOpAttrs;
  averagePoolGrad: AveragePoolGradAttrs;
  lpPoolGrad: LpPoolGradAttrs;
  adaptiveAveragePoolGrad: AdaptiveAveragePoolGradAttrs;
  adaptiveMaxPoolGrad: NoAttrs;
}
