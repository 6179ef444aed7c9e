import { jsPrims } from '../js/prims.ts';
import type { PrimName, TrainingPrims } from '../prims/index.ts';
import { conv } from './conv/conv.ts';
import { convTranspose } from './conv/conv-transpose.ts';
import { copy, fill } from './copy/copy.ts';
import { take } from './copy/take.ts';
import { Declined, type PrimTables, type WasmPrimsOf } from './core/prim.ts';
import { binary } from './elementwise/binary.ts';
import { unary } from './elementwise/unary.ts';
import { where } from './elementwise/where.ts';
import { resample } from './interpolate/interpolate.ts';
import { matmul } from './matmul/matmul.ts';
import { batchNorm, lrn, normalize } from './norm/norm.ts';
import { adaptivePool, pool } from './pool/pool.ts';
import { argReduce, reduce } from './reduce/reduce.ts';
import { softmax } from './reduce/softmax.ts';

/** The binding of each prim, or the reason why it has no kernel and runs in plain JS. */
export const wasmPrims: WasmPrimsOf<Exclude<PrimName, keyof TrainingPrims>> = {
  cast: new Declined('a conversion, one pass over memory'),
  host: new Declined('an op without a hot loop'),
  conv,
  convTranspose,
  matmul,
  binary,
  copy,
  fill,
  take,
  unary,
  where,
  batchNorm,
  lrn,
  normalize,
  adaptivePool,
  pool,
  reduce,
  argReduce,
  softmax,
  resample,
};

/** All prims that the ops of ops/index.ts need: `load` builds its backends with them. */
export const inferencePrims: PrimTables = { js: jsPrims, wasm: wasmPrims };
