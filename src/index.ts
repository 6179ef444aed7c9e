import { createLoad } from './runtime/load.ts';
import { webPlatform } from './runtime/web.ts';

/**
 * Loads a network: reads and checks the model, and gets the kernels ready. Memory for it is taken at the first `run`.
 *
 * @param source a URL of an .onnx file, which is fetched, or its bytes; in Node, Deno and Bun a path too
 * @param options backend, kernel build, limits; see LoadOptions
 * @returns the model; call `run()` on it, and `dispose()` when it is no longer needed
 * @throws ConvletError `malformed` for a broken file, `unsupported` with the complete list of nodes that cannot be run,
 * `memory` for a file larger than `maxMemoryBytes`, `argument` for a wrong option, `environment` where the source cannot
 * be read or the runtime cannot run the kernels
 */
export const load = createLoad(webPlatform);
export * from './runtime/public.ts';
