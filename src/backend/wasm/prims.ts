import type { PrimCall, Step } from '../backend.ts';
import type { PrimName } from '../prims.ts';
import type { WasmSession } from './backend.ts';
import { binary } from './binary.ts';
import { conv } from './conv.ts';
import { convTranspose } from './conv-transpose.ts';
import { convWeightGrad } from './conv-weight-grad.ts';
import { copy, fill } from './copy.ts';
import { resample } from './interpolate.ts';
import { crossEntropy, crossEntropyGrad } from './loss.ts';
import { matmul } from './matmul.ts';
import { batchNorm, lrn, normalize } from './norm.ts';
import { batchNormGrad, batchNormTraining, lrnGrad, normalizeGrad } from './norm-grad.ts';
import { optimizerStep } from './optimizer.ts';
import { adaptivePool, pool } from './pool.ts';
import { adaptivePoolGrad, poolGrad } from './pool-grad.ts';
import { reduce } from './reduce.ts';
import { softmax } from './softmax.ts';
import { softmaxGrad } from './softmax-grad.ts';
import { take } from './take.ts';
import { unary } from './unary.ts';
import { unaryGrad } from './unary-grad.ts';

/** Chooses a kernel and binds it; null where there is none for these dtypes or sizes (plain JS does it then). */
export type WasmPrim<P extends PrimName> = (call: PrimCall<P>, session: WasmSession) => Step[] | null;

/** The prims that have kernels. One row per family; the implementations are in the files of the same names. */
export const wasmPrims: { readonly [P in PrimName]?: WasmPrim<P> } = {
  conv,
  convTranspose,
  convWeightGrad,
  matmul,
  binary,
  copy,
  fill,
  take,
  unary,
  unaryGrad,
  batchNorm,
  batchNormTraining,
  batchNormGrad,
  lrn,
  lrnGrad,
  normalize,
  normalizeGrad,
  adaptivePool,
  pool,
  adaptivePoolGrad,
  poolGrad,
  reduce,
  softmax,
  softmaxGrad,
  crossEntropy,
  crossEntropyGrad,
  optimizerStep,
  resample,
};
