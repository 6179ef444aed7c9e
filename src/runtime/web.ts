import { supportedVariants } from '../abi/modules.ts';
import { embeddedKernels } from './embedded-kernels.ts';
import { fetchBytes } from './fetch.ts';
import type { Platform } from './platform.ts';
import { webThreading } from './web-threads.ts';

/** Browsers and everything without a condition of its own: sources are fetched. */
export const webPlatform: Platform = {
  readBytes: fetchBytes,
  kernels: embeddedKernels(),
  variants: supportedVariants,
  threading: webThreading,
};
