import { Kind } from '../../abi/generated/abi.ts';
import type { DType } from '../../common/dtype.ts';

/** The functions for which there are kernels, also as the activation of another prim. */
export const activationKinds = Object.keys(Kind) as readonly (keyof typeof Kind)[];

/** The functions of one value. Formulas are in js/elementwise/unary.ts; alpha and beta are 0 if a function has no such parameter. */
export const unaryKinds = [
  ...activationKinds,
  'tanhShrink',
  'hardShrink',
  'softShrink',
  'shrink',
  'threshold',
  'log1p',
  'expm1',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'asinh',
  'acosh',
  'atanh',
  'not',
  'isNaN',
  'isInf',
  'bitwiseNot',
] as const;
export type UnaryKind = (typeof unaryKinds)[number];

/** y = act(x), applied by a prim to a result before it is stored. Parameters as in the unary table of js/elementwise/unary.ts. */
export interface Activation {
  readonly kind: UnaryKind;
  readonly alpha: number;
  readonly beta: number;
}

/** y[i] = f(x[i]) for `length` elements. Output dtype as the op says (bool for the tests, else that of x). */
export interface UnaryAttrs extends Activation {
  readonly length: number;
}

export const binaryKinds = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'max',
  'min',
  'mod',
  'fmod',
  'prelu',
  'atan2',
  'equal',
  'less',
  'lessOrEqual',
  'greater',
  'greaterOrEqual',
  'and',
  'or',
  'xor',
  'bitwiseAnd',
  'bitwiseOr',
  'bitwiseXor',
  'shiftLeft',
  'shiftRight',
] as const;

export type BinaryKind = (typeof binaryKinds)[number];

/**
 * y = activation(f(a, b)) over `dims` (y contiguous in that order); element strides of a and b per dimension, 0 if
 * broadcast. Output dtype as the op says (bool for comparisons, else that of a).
 */
export interface BinaryAttrs {
  readonly kind: BinaryKind;
  readonly dims: readonly number[];
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
  readonly activation: Activation | null;
}

/** y = condition ? a : b over `dims`. Inputs: condition (bool), a, b. */
export interface WhereAttrs {
  readonly dims: readonly number[];
  readonly conditionStrides: readonly number[];
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
}
export const whereInputs = { condition: 0, a: 1, b: 2 } as const;

/** y[i] = (dtype of y) x[i], ONNX Cast semantics (saturate: only for float8). float16: rounded to half precision. */
export interface CastAttrs {
  readonly length: number;
  readonly from: DType;
  readonly to: DType;
}

/**
 * gx[i] = gy[i]·f′(v[i]) where f is the unary kind. Inputs: v (the function's x or y; js/elementwise/unary-grad.ts says which of them
 * for each kind), gy. `exclusive` is only for clip: the gradient at the bounds themselves is 0.
 */
export interface UnaryGradAttrs extends UnaryAttrs {
  readonly exclusive: boolean;
}

export interface ElementwisePrims {
  unary: UnaryAttrs;
  binary: BinaryAttrs;
  where: WhereAttrs;
  cast: CastAttrs;
}

export interface ElementwiseTrainingPrims {
  unaryGrad: UnaryGradAttrs;
}
