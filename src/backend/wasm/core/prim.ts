import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrims, PrimCall, Step } from '../../backend.ts';
import type { PrimName } from '../../prims/index.ts';
import type { WasmSession } from './session.ts';

/** A binding: chooses a kernel and binds it; null where there is none for these dtypes or sizes (plain JS does it then). */
export type WasmPrim<P extends PrimName> = (call: PrimCall<P>, session: WasmSession) => Step[] | null;

export type WasmPrims = { readonly [P in PrimName]?: WasmPrim<P> };

/** The prims that a backend is built with: their plain JS, and bindings for those that have kernels. */
export interface PrimTables {
  readonly js: Partial<JsPrims>;
  readonly wasm: WasmPrims;
}

/** Elements per work unit of elementwise kernels: 16 KB, so that a unit's operands stay in the first-level cache. */
export const elementsPerUnit = 4096;

export const isFloat32 = (tensors: readonly (Tensor | null)[]): boolean =>
  tensors.every((t) => t === null || t.dtype === 'float32');
