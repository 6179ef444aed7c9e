import type { JsPrims } from '../backend.ts';
import type { TrainingPrims } from '../prims/index.ts';
import { conv } from './conv/conv.ts';
import { convTranspose } from './conv/conv-transpose.ts';
import { copy, fill } from './copy/copy.ts';
import { take } from './copy/take.ts';
import { binary } from './elementwise/binary.ts';
import { cast } from './elementwise/cast.ts';
import { unary } from './elementwise/unary.ts';
import { where } from './elementwise/where.ts';
import { host } from './host.ts';
import { resample } from './interpolate/interpolate.ts';
import { matmul } from './matmul/matmul.ts';
import { batchNorm, batchNormTraining, lrn, normalize } from './norm/norm.ts';
import { adaptivePool, pool } from './pool/pool.ts';
import { argReduce, reduce } from './reduce/reduce.ts';
import { softmax } from './reduce/softmax.ts';

/** The prims of inference, among them batch norm's training form, which ONNX has. */
type InferencePrims = Omit<JsPrims, Exclude<keyof TrainingPrims, 'batchNormTraining'>>;

export const jsPrims: InferencePrims = {
  conv,
  convTranspose,
  pool,
  adaptivePool,
  batchNorm,
  batchNormTraining,
  normalize,
  lrn,
  resample,
  unary,
  binary,
  where,
  softmax,
  reduce,
  argReduce,
  matmul,
  copy,
  fill,
  take,
  cast,
  host,
};
