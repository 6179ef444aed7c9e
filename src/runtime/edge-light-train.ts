// As edge-light.ts, for convlet/train.
// @ts-expect-error resolved by the runtime and its bundlers, not by TypeScript
import simd from '../kernels.simd-train.wasm?module';
import { edgePlatform } from './edge.ts';
import { createInit } from './init.ts';

/**
 * Makes the engine that training runs on; call it once before anything else. Called again, it replaces the engine: variables
 * move when they are used.
 *
 * @param options backend, kernel build, threads, limits; see InitOptions
 * @throws ConvletError `argument` for a wrong option, `environment` where the runtime cannot run the kernels or has no threads
 */
export const init = createInit(edgePlatform({ simd }));
export * from './train-public.ts';
