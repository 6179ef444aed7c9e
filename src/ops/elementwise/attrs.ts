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
  /** clip only: no gradient at the bounds themselves (PyTorch's hardtanh and relu6; clamp has one). */
  readonly exclusive?: boolean;
}

/** alpha and beta mean what src/backend/js/elementwise/unary.ts says for the kind. */
export interface UnaryOpAttrs {
  readonly alpha?: number;
  readonly beta?: number;
  /** clip only, for the gradient: none at the bounds themselves (PyTorch's hardtanh and relu6; clamp has one). */
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
