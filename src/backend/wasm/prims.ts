import type { PrimName } from '../prims/index.ts';
import { conv } from './conv/conv.ts';
import { convTranspose } from './conv/conv-transpose.ts';
import { copy, fill } from './copy/copy.ts';
import { take } from './copy/take.ts';
import type { WasmPrim, WasmPrims } from './core/prim.ts';
import { binary } from './elementwise/binary.ts';
import { unary } from './elementwise/unary.ts';
import { where } from './elementwise/where.ts';
import { resample } from './interpolate/interpolate.ts';
import { matmul } from './matmul/matmul.ts';
import { batchNorm, lrn, normalize } from './norm/norm.ts';
import { adaptivePool, pool } from './pool/pool.ts';
import { argReduce, reduce } from './reduce/reduce.ts';
import { softmax } from './reduce/softmax.ts';

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

/** The prims whose kernels only a module of training has. */
const training = new Set<string>();

export function addTrainingWasmPrims(more: WasmPrims): void {
  Object.assign(wasmPrims, more);
  for (const prim of Object.keys(more)) training.add(prim);
}

/**
 * How a prim is bound to kernels; undefined where plain JS does it. A model may need a prim of training (batch norm in
 * training mode) that its module has no kernel for, whether another part of the program trains or not.
 */
export function bindingOf(prim: PrimName, trains: boolean): WasmPrim<PrimName> | undefined {
  return trains || !training.has(prim) ? (wasmPrims[prim] as WasmPrim<PrimName> | undefined) : undefined;
}
