// Vercel Edge and its kin: `?module` makes the bundler hand over a WebAssembly.Module.
// @ts-expect-error resolved by the runtime and its bundlers, not by TypeScript
import relaxed from '../kernels.relaxed.wasm?module';
// @ts-expect-error as above
import simd from '../kernels.simd.wasm?module';
import { edgePlatform } from './edge.ts';
import { createLoad } from './load.ts';

export const load = createLoad(edgePlatform({ relaxed, simd }));
export * from './public.ts';
