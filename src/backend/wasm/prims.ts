import type { PrimCall, Step } from '../backend.ts';
import type { PrimName } from '../prims.ts';
import type { WasmSession } from './backend.ts';
import { binary } from './binary.ts';
import { conv } from './conv.ts';
import { convTranspose } from './conv-transpose.ts';
import { copy, fill } from './copy.ts';
import { resample } from './interpolate.ts';
import { matmul } from './matmul.ts';
import { batchNorm, lrn, normalize } from './norm.ts';
import { adaptivePool, pool } from './pool.ts';
import { argReduce, reduce } from './reduce.ts';
import { softmax } from './softmax.ts';
import { take } from './take.ts';
import { unary } from './unary.ts';
import { where } from './where.ts';

/** Chooses a kernel and binds it; null where there is none for these dtypes or sizes (plain JS does it then). */
export type WasmPrim<P extends PrimName> = (call: PrimCall<P>, session: WasmSession) => Step[] | null;

export type WasmPrims = { readonly [P in PrimName]?: WasmPrim<P> };

/** The prims that have kernels. One row per family; the implementations are in the files of the same names. */
export const wasmPrims: WasmPrims = {
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

export function addWasmPrims(more: WasmPrims): void {
  Object.assign(wasmPrims, more);
}
