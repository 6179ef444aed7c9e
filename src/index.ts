import { createLoad } from './runtime/load.ts';
import { webPlatform } from './runtime/web.ts';

/**
 * Loads a network.
 *
 * @param source a path or URL of an .onnx file, or its bytes
 * @returns the model; call `run()` on it, and `dispose()` when it is no longer needed
 * @throws ConvletError `malformed` for a broken file, `unsupported` with the complete list of what cannot be run,
 * `memory`, `environment`, `argument`
 */
export const load = createLoad(webPlatform);
export * from './runtime/public.ts';
