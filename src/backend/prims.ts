import type { DType } from '../common/dtype.ts';
import type { TrainingPrims } from './training-prims.ts';

/**
 * The primitive operations that a backend implements: what ops are lowered to. A prim knows nothing of logical shapes:
 * its attributes give every extent, its tensors are plain memory. Extents called D, H, W come as triples; 1-d and 2-d
 * convolutions have 1 in front. Channels are always the innermost (contiguous) dimension where a prim has channels.
 * The plain JS implementation of a prim (js/NAME.ts) is its specification.
 */
export type Triple = readonly [number, number, number];

/** y = act(x), applied by a prim to what it is about to store. Parameters as in the unary table of js/unary.ts. */
export interface Activation {
  readonly kind: UnaryKind;
  readonly alpha: number;
  readonly beta: number;
}

export interface WindowAttrs {
  readonly batch: number;
  readonly input: Triple;
  readonly output: Triple;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly dilation: Triple;
  /** Zeros in front of each axis; what lies behind follows from `output`. */
  readonly padBegin: Triple;
}

/**
 * y[n,o,outChannels] = activation(Σ x[n, o·stride + k·dilation − pad, c] · w[outChannel, c, k] + bias + residual).
 * Inputs: x [batch,D,H,W,channels], weight [outChannels, channels/groups, kD,kH,kW] row-major, bias [outChannels] or
 * null, residual (like y) or null. Output: y [batch,oD,oH,oW,outChannels]. The residual may be the same memory as y: an
 * element of it is read before the one of y is written, and never after.
 */
export interface ConvAttrs extends WindowAttrs {
  readonly channels: number;
  readonly outChannels: number;
  readonly groups: number;
  readonly activation: Activation | null;
}

/**
 * The transpose of conv: y[n, i·stride + k·dilation − pad, o] += x[n,i,c] · w[c,o,k]. Inputs: x [batch,D,H,W,channels],
 * weight [channels, outChannels/groups, kD,kH,kW] row-major, bias or null. Output: y [batch,oD,oH,oW,outChannels].
 */
export type ConvTransposeAttrs = ConvAttrs;

/**
 * Windows reduced per channel. Input x [batch,D,H,W,channels]; outputs y, and for max optionally the int64 index of the
 * maximum inside the D·H·W plane (row-major over D,H,W; `indexOrder` and offset are the op's matter). Padding never wins a max (−∞) and is zero otherwise.
 * average: divisor = `divisor` if not 0, else the count of the window's cells inside the input (`countPad` false) or
 * inside input + padding (`countPad` true; padEnd bounds it). lp: (Σ|x|^p)^(1/p).
 */
export interface PoolAttrs extends WindowAttrs {
  readonly kind: 'max' | 'average' | 'lp';
  readonly channels: number;
  readonly padEnd: Triple;
  readonly countPad: boolean;
  readonly divisor: number;
  readonly p: number;
}

/**
 * Pooling whose windows differ per output (adaptive pooling): window of output o on an axis of length i is
 * [floor(o·i/out), ceil((o+1)·i/out)). Input x, outputs y (, indices) as in pool.
 */
export interface AdaptivePoolAttrs {
  readonly kind: 'max' | 'average';
  readonly batch: number;
  readonly input: Triple;
  readonly output: Triple;
  readonly channels: number;
}

/**
 * y = activation((x − mean) / sqrt(variance + epsilon) · weight + bias) over x as [outer, channels, inner].
 * Inputs: x, weight or null, bias or null, mean, variance (all [channels]). Output: y.
 */
export interface BatchNormAttrs {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  readonly epsilon: number;
  readonly activation: Activation | null;
}

/**
 * Statistics from the data itself: x as [outer, spatial, groups, size], mean and (biased) variance over spatial × size
 * for each (outer, group); y = activation((x − mean) / sqrt(variance + epsilon) · weight[g·size + s] + bias[g·size + s]).
 * Layer norm: spatial = groups = 1. Instance norm: size = 1. Group norm: size = channels / groups. RMS norm:
 * `subtractMean` false (mean taken as 0). Inputs: x, weight or null, bias or null. Output: y.
 */
export interface NormalizeAttrs {
  readonly outer: number;
  readonly spatial: number;
  readonly groups: number;
  readonly size: number;
  readonly epsilon: number;
  readonly subtractMean: boolean;
  readonly activation: Activation | null;
}

/**
 * Local response normalisation across channels (Krizhevsky 2012): y = x / (bias + alpha/size · Σ x²)^beta, the sum over
 * channels c − floor((size−1)/2) … c + ceil((size−1)/2). x [outer, channels].
 */
export interface LrnAttrs {
  readonly outer: number;
  readonly channels: number;
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
}

/**
 * Interpolation along one axis: x as [outer, input, inner], y[o, j, i] = Σ_t weight[j·taps + t] · x[o, index[j·taps + t], i];
 * an index of −1 stands for the value `extrapolation`. Inputs: x, index (int32 [output·taps]), weight
 * (float32 [output·taps]). Every resize is a chain of these, the table decides its kind.
 */
export interface ResampleAttrs {
  readonly outer: number;
  readonly input: number;
  readonly output: number;
  readonly inner: number;
  readonly taps: number;
  readonly extrapolation: number;
}

/** y[i] = f(x[i]) for `length` elements. Output dtype as the op says (bool for the tests, else that of x). */
export interface UnaryAttrs extends Activation {
  readonly length: number;
}

/**
 * y = activation(f(a, b)) over `dims` (y contiguous in that order); element strides of a and b per dimension, 0 where
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

/** exp(x − max) / Σ, or its logarithm, along `length` of x as [outer, length, inner]. */
export interface SoftmaxAttrs {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly log: boolean;
}

/** x as [outer, length, inner] → y [outer, inner]. An empty axis gives the kind's neutral element (NaN for mean). */
export interface ReduceAttrs {
  readonly kind: ReduceKind;
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Position (int64) of the largest or smallest element along `length`; the first of equals, or the last. */
export interface ArgReduceAttrs {
  readonly kind: 'max' | 'min';
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly selectLast: boolean;
}

/**
 * For each batch b: y[b] = activation(alpha · A · B + bias + residual), A m×k at aOffsets[b], element (i,p) at
 * i·aRow + p·aColumn; B k×n at bOffsets[b], element (p,j) at p·bRow + j·bColumn; y contiguous [batch, m, n].
 * Inputs: a, b, bias [n] or null, residual (like y, other memory) or null.
 */
export interface MatmulAttrs {
  readonly aOffsets: readonly number[];
  readonly bOffsets: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aRow: number;
  readonly aColumn: number;
  readonly bRow: number;
  readonly bColumn: number;
  readonly alpha: number;
  readonly activation: Activation | null;
}

/**
 * Strided copy of any dtype: y[outputOffset + Σ i·outputStrides] = x[inputOffset + Σ i·inputStrides] for all i < dims.
 * Transpose, slice (negative strides), expand (stride 0), concat and padding (offset into the output) are this.
 */
export interface CopyAttrs {
  readonly dims: readonly number[];
  readonly inputOffset: number;
  readonly inputStrides: readonly number[];
  readonly outputOffset: number;
  readonly outputStrides: readonly number[];
}

/** Every element of the output := value. No inputs. */
export interface FillAttrs {
  readonly value: number;
  readonly length: number;
}

/**
 * y[o, j, i] = x[o, index[j], i], x as [outer, length, inner], index int32/int64 of `count` entries, all checked to be in
 * 0..length−1 where they are constants; a run-time index outside is a ConvletError('index-range'), negative ones count from the end.
 */
export interface TakeAttrs {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly count: number;
}

/** y[i] = (dtype of y) x[i], ONNX Cast semantics (saturate: only for float8). float16: rounded to half precision. */
export interface CastAttrs {
  readonly length: number;
  readonly from: DType;
  readonly to: DType;
}

/** A function in plain JS over whole tensors, for what has no hot loop (NonMaxSuppression, TopK, Scatter…). */
export interface HostAttrs {
  readonly name: string;
  /** Reads the inputs' `array`s and writes the outputs' `array`s. */
  readonly run: (
    inputs: readonly (import('../tensor/tensor.ts').Tensor | null)[],
    outputs: readonly import('../tensor/tensor.ts').Tensor[],
  ) => void;
}

/** Attributes of each prim by name. */
export interface Prims extends TrainingPrims {
  conv: ConvAttrs;
  convTranspose: ConvTransposeAttrs;
  pool: PoolAttrs;
  adaptivePool: AdaptivePoolAttrs;
  batchNorm: BatchNormAttrs;
  normalize: NormalizeAttrs;
  lrn: LrnAttrs;
  resample: ResampleAttrs;
  unary: UnaryAttrs;
  binary: BinaryAttrs;
  where: WhereAttrs;
  softmax: SoftmaxAttrs;
  reduce: ReduceAttrs;
  argReduce: ArgReduceAttrs;
  matmul: MatmulAttrs;
  copy: CopyAttrs;
  fill: FillAttrs;
  take: TakeAttrs;
  cast: CastAttrs;
  host: HostAttrs;
}

export type PrimName = keyof Prims;

/** Formulas in js/unary.ts; alpha and beta default to 0 where a function has no parameter. */
export const unaryKinds = [
  'identity',
  'relu',
  'clip',
  'leakyRelu',
  'elu',
  'selu',
  'celu',
  'thresholdedRelu',
  'hardSigmoid',
  'hardSwish',
  'sigmoid',
  'silu',
  'tanh',
  'gelu',
  'geluTanh',
  'mish',
  'softplus',
  'softsign',
  'logSigmoid',
  'tanhShrink',
  'hardShrink',
  'softShrink',
  'shrink',
  'threshold',
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'reciprocal',
  'abs',
  'neg',
  'square',
  'sign',
  'floor',
  'ceil',
  'round',
  'trunc',
  'erf',
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
  'linear',
] as const;
export type UnaryKind = (typeof unaryKinds)[number];

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

export const reduceKinds = [
  'sum',
  'mean',
  'max',
  'min',
  'prod',
  'l1',
  'l2',
  'sumSquare',
  'logSum',
  'logSumExp',
] as const;
export type ReduceKind = (typeof reduceKinds)[number];

export * from './training-prims.ts';
