import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrims, PrimCall, Step } from '../../backend.ts';
import type { Activation } from '../../prims/elementwise.ts';
import type { PrimName } from '../../prims/index.ts';
import type { WasmSession } from './session.ts';

/** Why no kernel takes a call, in a few words; the call then runs in plain JS. */
export class Declined {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** A binding: chooses a kernel and binds it, or says why there is none for these element types or sizes. */
export type WasmPrim<P extends PrimName> = (call: PrimCall<P>, session: WasmSession) => Step[] | Declined;

/** For each prim its binding, or why it has no kernel: a table that lacks one of its prims does not compile. */
export type WasmPrimsOf<P extends PrimName> = { readonly [N in P]: WasmPrim<N> | Declined };
export type WasmPrims = Partial<WasmPrimsOf<PrimName>>;

/** The prims of a backend: their implementations in plain JS, and bindings for those that have kernels. */
export interface PrimTables {
  readonly js: Partial<JsPrims>;
  readonly wasm: WasmPrims;
}

/** Elements per work unit of elementwise kernels: 16 KB, so that a unit's operands stay in the first-level cache. */
export const elementsPerUnit = 4096;

/** Kernels compute in float32: the element type that they do not take, or null if all tensors are float32. */
export function otherThanFloat32(...lists: readonly (readonly (Tensor | null | undefined)[])[]): Declined | null {
  for (const list of lists) {
    const other = list.find((tensor) => tensor != null && tensor.dtype !== 'float32');
    if (other != null) return new Declined(other.dtype);
  }
  return null;
}

/** A copy or broadcast that needs more loops than the kernel has. */
export const tooManyLoops = 'too many axes';
/** Operands whose memory orders do not give common rows. */
export const otherOrder = 'order of memory';

/** A prim that works on memory without elements has nothing for a kernel to loop over. */
export const nothingToSum = (): Declined => new Declined('nothing to sum');

export const unknownActivation = (activation: Activation | null): Declined =>
  new Declined(`activation '${activation?.kind}'`);

export const isFloat32 = (tensors: readonly (Tensor | null)[]): boolean =>
  tensors.every((t) => t === null || t.dtype === 'float32');
