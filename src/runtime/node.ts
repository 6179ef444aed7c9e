import { createLoad } from './load.ts';
import { nodePlatform } from './node-platform.ts';

/**
 * Loads a network: reads and checks the model, and gets the kernels ready. Memory for it is taken at the first `run`.
 * Of a file of 1 MB and more the weights are read by the `run` that needs them: it stays open until `dispose`, may be deleted
 * or replaced, and if it is written to in place that run is a ConvletError `environment`.
 *
 * @param source a path or URL of an .onnx file, or its bytes
 * @param options backend, kernel build, limits; see LoadOptions
 * @returns the model; call `run()` on it, and `dispose()` when it is no longer needed
 * @throws ConvletError `malformed` for a broken file, `unsupported` with the complete list of nodes that cannot be run,
 * `memory` for a file larger than `maxMemoryBytes`, `argument` for a wrong option, `environment` where the source cannot
 * be read or the runtime cannot run the kernels
 */
export const load = createLoad(nodePlatform);
export * from './public.ts';
