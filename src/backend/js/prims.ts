import type { JsPrims } from '../backend.ts';
import { binary, where } from './binary.ts';
import { cast } from './cast.ts';
import { conv } from './conv.ts';
import { convTranspose } from './conv-transpose.ts';
import { convWeightGrad } from './conv-weight-grad.ts';
import { copy, fill } from './copy.ts';
import { host } from './host.ts';
import { resample } from './interpolate.ts';
import { crossEntropy, crossEntropyGrad } from './loss.ts';
import { matmul } from './matmul.ts';
import { batchNorm, batchNormTraining, lrn, normalize } from './norm.ts';
import { batchNormGrad, lrnGrad, normalizeGrad } from './norm-grad.ts';
import { optimizerStep } from './optimizer.ts';
import { adaptivePool, pool } from './pool.ts';
import { adaptivePoolGrad, poolGrad } from './pool-grad.ts';
import { argReduce, reduce } from './reduce.ts';
import { softmax } from './softmax.ts';
import { softmaxGrad } from './softmax-grad.ts';
import { take } from './take.ts';
import { unary } from './unary.ts';
import { unaryGrad } from './unary-grad.ts';

/** Every prim; the implementations are in the files of the same names. */
export const jsPrims: JsPrims = {
  conv,
  convTranspose,
  convWeightGrad,
  pool,
  adaptivePool,
  poolGrad,
  adaptivePoolGrad,
  batchNorm,
  batchNormTraining,
  batchNormGrad,
  normalize,
  normalizeGrad,
  lrn,
  lrnGrad,
  resample,
  unary,
  unaryGrad,
  binary,
  where,
  softmax,
  softmaxGrad,
  reduce,
  argReduce,
  matmul,
  copy,
  fill,
  take,
  cast,
  crossEntropy,
  crossEntropyGrad,
  optimizerStep,
  host,
};
