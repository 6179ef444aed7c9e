import type { PrimName, Prims } from '../../src/backend/prims/index.ts';
import { allPrims } from '../../src/backend/wasm/training-prims.ts';
import { dtypes, type TypedArray } from '../../src/common/dtype.ts';
import { wrap } from '../../src/tensor/tensor.ts';
import { expectClose, type Operand, runPrim } from './harness.ts';

/** The results of the plain JS prim, which is the specification, for the same inputs. */
export function specification<P extends PrimName>(
  prim: P,
  inputs: readonly (Operand | null)[],
  length: number,
  attrs: Prims[P],
): TypedArray {
  const ins = inputs.map((t) => (t === null ? null : wrap(t.data, [t.data.length], t.dtype)));
  const out = wrap(new dtypes.float32.array(length), [length]);
  allPrims.js[prim](ins, [out], attrs);
  return out.array;
}

/** Runs a float32 prim with one output on its kernels and compares with the specification. Errors name the whole case. */
export function compare<P extends PrimName>(
  variant: 'simd' | 'relaxed',
  what: string,
  prim: P,
  inputs: readonly (Operand | null)[],
  length: number,
  attrs: Prims[P],
  [rel, abs]: readonly [number, number] = [1e-5, 1e-5],
): void {
  const expected = specification(prim, inputs, length, attrs);
  const got = runPrim(variant, prim, inputs, [{ length }], attrs, allPrims.wasm[prim] as never);
  if (got === null) throw new Error(`${what}: no kernel for ${JSON.stringify(attrs)}`);
  expectClose(`${what}: ${JSON.stringify(attrs)}`, got.arrays[0], expected, rel, abs);
}
