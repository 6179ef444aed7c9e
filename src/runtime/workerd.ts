// Cloudflare Workers: compiling from bytes is forbidden, a statically imported .wasm is a WebAssembly.Module.
// @ts-expect-error resolved by the runtime and its bundlers, not by TypeScript
import relaxed from '../kernels.relaxed.wasm';
// @ts-expect-error as above
import simd from '../kernels.simd.wasm';
import { edgePlatform } from './edge.ts';
import { createLoad } from './load.ts';

/**
 * Loads a network: reads and checks the model, and gets the kernels ready. Memory for it is taken at the first `run`.
 *
 * @param source the bytes of an .onnx file, or a URL, which is fetched
 * @param options backend, kernel build, limits; see LoadOptions
 * @returns the model; call `run()` on it, and `dispose()` when it is no longer needed
 * @throws ConvletError `malformed` for a broken file, `unsupported` with the complete list of nodes that cannot be run,
 * `memory` for a file larger than `maxMemoryBytes`, `argument` for a wrong option, `environment` where the source cannot
 * be read or the runtime cannot run the kernels
 */
export const load = createLoad(edgePlatform({ relaxed, simd }));
export * from './public.ts';
