import { embeddedKernels } from './embedded-kernels.ts';
import { trainingTexts } from './embedded-training-kernels.ts';
import { inflateBuffer, nodePlatform } from './node-platform.ts';
import type { Platform } from './platform.ts';

/** Node, Deno and Bun with the kernels of training as well. */
export const nodeTrainingPlatform: Platform = {
  ...nodePlatform,
  kernels: embeddedKernels(inflateBuffer, trainingTexts),
};
