import { useFiles } from '../common/files.ts';
import { createInit } from './init.ts';
import { nodeFiles } from './node-files.ts';
import { nodeTrainingPlatform } from './node-training.ts';

useFiles(nodeFiles);

/**
 * Makes the engine that training runs on; call it once before anything else. Called again, it replaces the engine: variables
 * move when they are used.
 *
 * @param options backend, kernel build, threads, limits; see InitOptions
 * @throws ConvletError `argument` for a wrong option, `environment` where the runtime cannot run the kernels or has no threads
 */
export const init = createInit(nodeTrainingPlatform);
// With image folders, whose decoders are packages.
export * as data from '../data/node-index.ts';
export * from './train-public.ts';
