import type { JsPrims } from '../backend.ts';
import type { TrainingPrims } from '../prims.ts';
import { binary, where } from './binary.ts';
import { cast } from './cast.ts';
import { conv } from './conv.ts';
import { convTranspose } from './conv-transpose.ts';
import { copy, fill } from './copy.ts';
import { host } from './host.ts';
import { resample } from './interpolate.ts';
import { matmul } from './matmul.ts';
import { batchNorm, batchNormTraining, lrn, normalize } from './norm.ts';
import { adaptivePool, pool } from './pool.ts';
import { argReduce, reduce } from './reduce.ts';
import { softmax } from './softmax.ts';
import { take } from './take.ts';
import { unary } from './unary.ts';

/** The prims of inference; batch norm's training form is one, ONNX has it. */
type InferencePrims = Omit<JsPrims, Exclude<keyof TrainingPrims, 'batchNormTraining'>>;

const prims: InferencePrims & Partial<JsPrims> = {
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

/** Every prim that is loaded; the implementations are in the files of the same names. */
export const jsPrims = prims as JsPrims;

export function addJsPrims(more: Partial<JsPrims>): void {
  Object.assign(prims, more);
}
