import { embeddedKernels } from './runtime/embedded-kernels.ts';
import { trainingTexts } from './runtime/embedded-training-kernels.ts';
import { createInit } from './runtime/init.ts';
import { webPlatform } from './runtime/web.ts';

/**
 * Makes the engine that training runs on; call it once before anything else. Called again, it replaces the engine: variables
 * move when they are used.
 *
 * @param options backend, kernel build, threads, limits; see InitOptions
 * @throws ConvletError `argument` for a wrong option, `environment` where the runtime cannot run the kernels or has no threads
 */
export const init = createInit({ ...webPlatform, kernels: embeddedKernels(undefined, trainingTexts) });
export * from './runtime/train-public.ts';
