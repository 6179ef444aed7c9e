// Vercel Edge and similar runtimes: with `?module` the bundler gives the module a WebAssembly.Module. Only the simd build: Next on
// Node 20 compiles every imported module, and fails at relaxed instructions. An application can give the relaxed build as `kernels`.
// @ts-expect-error resolved by the runtime and its bundlers, not by TypeScript
import simd from '../kernels.simd.wasm?module';
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
export const load = createLoad(edgePlatform({ simd }));
export * from './public.ts';
