import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrims, PrimCall, Step } from '../../backend.ts';
import type { Activation } from '../../prims/elementwise.ts';
import type { PrimName } from '../../prims/index.ts';
import type { WasmSession } from './session.ts';

/** Why no kernel takes a call, in a few words; plain JS does it then. */
export class Declined {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** A binding: chooses a kernel and binds it, or says why there is none for these element types or sizes. */
export type WasmPrim<P extends PrimName> = (call: PrimCall<P>, session: WasmSession) => Step[] | Declined;

export type WasmPrims = { readonly [P in PrimName]?: WasmPrim<P> };

/** The prims that a backend is built with: their plain JS, and bindings for those that have kernels. */
export interface PrimTables {
  readonly js: Partial<JsPrims>;
  readonly wasm: WasmPrims;
}

/** Elements per work unit of elementwise kernels: 16 KB, so that a unit's operands stay in the first-level cache. */
export const elementsPerUnit = 4096;

/** The element type that the kernels, which compute in float32, do not take; null if they take all tensors. */
export function otherThanFloat32(...lists: readonly (readonly (Tensor | null | undefined)[])[]): Declined | null {
  for (const list of lists) {
    const other = list.find((tensor) => tensor != null && tensor.dtype !== 'float32');
    if (other != null) return new Declined(other.dtype);
  }
  return null;
}

/** A copy or broadcast that does not become a row in at most a few loops. */
export const tooManyLoops = 'too many axes';
/** Operands in memory orders that do not become rows side by side. */
export const otherOrder = 'order of memory';

/** A prim that works on memory without elements has nothing for a kernel to loop over. */
export const nothingToSum = (): Declined => new Declined('nothing to sum');

export const unknownActivation = (activation: Activation | null): Declined =>
  new Declined(`activation '${activation?.kind}'`);

export const isFloat32 = (tensors: readonly (Tensor | null)[]): boolean =>
  tensors.every((t) => t === null || t.dtype === 'float32');
