// Cloudflare Workers: compiling from bytes is forbidden, a statically imported .wasm is a WebAssembly.Module.
// @ts-expect-error resolved by the runtime and its bundlers, not by TypeScript
import relaxed from '../kernels.relaxed.wasm';
// @ts-expect-error as above
import simd from '../kernels.simd.wasm';
import { edgePlatform } from './edge.ts';
import { createLoad } from './load.ts';

export const load = createLoad(edgePlatform({ relaxed, simd }));
export * from './public.ts';
