// For runtimes that forbid import() and have no bundler: service workers, backgrounds of extensions. Both builds of the kernels are
// imported with the rest.
import relaxed from '../abi/generated/kernels.relaxed.ts';
import simd from '../abi/generated/kernels.simd.ts';
import { embeddedKernels } from './embedded-kernels.ts';
import { createLoad } from './load.ts';
import { webPlatform } from './web.ts';

const texts = { relaxed: async () => ({ default: relaxed }), simd: async () => ({ default: simd }) };

/**
 * Loads a network: reads and checks the model, and gets the kernels ready. Memory for it is taken at the first `run`.
 *
 * @param source a URL of an .onnx file, which is fetched, or its bytes
 * @param options backend, kernel build, limits; see LoadOptions
 * @returns the model; call `run()` on it, and `dispose()` when it is no longer needed
 * @throws ConvletError `malformed` for a broken file, `unsupported` with the complete list of nodes that cannot be run,
 * `memory` for a file larger than `maxMemoryBytes`, `argument` for a wrong option, `environment` where the source cannot
 * be read or the runtime cannot run the kernels
 */
export const load = createLoad({ ...webPlatform, kernels: embeddedKernels(undefined, texts) });
export * from './public.ts';
