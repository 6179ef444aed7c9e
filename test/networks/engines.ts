import { supportedVariants } from '../../src/abi/modules.ts';
import type { LoadOptions } from '../../src/runtime/load.ts';

/** Every backend and variant that this engine can run, with a name for test titles. */
export const engines: readonly { readonly name: string; readonly options: LoadOptions }[] = [
  { name: 'js', options: { backend: 'js' } },
  ...supportedVariants().map((variant) => ({
    name: `wasm ${variant}`,
    options: { backend: 'wasm' as const, variant },
  })),
];

export const wasmEngines = engines.filter(({ options }) => options.backend === 'wasm');

/** Throws where any value is further from its expected one than rtol · |expected| + atol. */
export function assertClose(
  what: string,
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  rtol: number,
  atol: number,
): void {
  if (got.length !== expected.length) throw new Error(`${what}: ${got.length} values instead of ${expected.length}`);
  for (let i = 0; i < got.length; i++) {
    const allowed = rtol * Math.abs(expected[i]) + atol;
    if (Object.is(got[i], expected[i]) || Math.abs(got[i] - expected[i]) <= allowed) continue;
    throw new Error(`${what}: value ${i} is ${got[i]}, expected ${expected[i]} ± ${allowed}`);
  }
}

export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}

export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
