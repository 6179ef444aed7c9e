import type { Activation, BinaryKind, UnaryKind } from '../../backend/prims/elementwise.ts';
import type { DType } from '../../common/dtype.ts';
import type { NoAttrs } from '../no-attrs.ts';

export interface BinaryOpAttrs {
  readonly activation?: Activation | null;
}

export interface CastOpAttrs {
  readonly to: DType;
}

export interface UnaryGradOpAttrs {
  readonly kind: UnaryKind;
  readonly alpha: number;
  readonly beta: number;
  /** Only for clip: the gradient at the bounds themselves is 0, as in PyTorch's hardtanh and relu6 (in clamp it is not). */
  readonly exclusive?: boolean;
}

/** src/backend/js/elementwise/unary.ts says what alpha and beta are for each kind. */
export interface UnaryOpAttrs {
  readonly alpha?: number;
  readonly beta?: number;
  /** Only for clip: its gradient at the bounds themselves is 0, as in PyTorch's hardtanh and relu6 (in clamp it is not). */
  readonly exclusive?: boolean;
}

type UnaryOps = { [K in UnaryKind]: UnaryOpAttrs };
type BinaryOps = { [K in BinaryKind]: BinaryOpAttrs };

export interface ElementwiseOps extends UnaryOps, BinaryOps {
  where: NoAttrs;
  cast: CastOpAttrs;
  assign: NoAttrs;
  unaryGrad: UnaryGradOpAttrs;
}
