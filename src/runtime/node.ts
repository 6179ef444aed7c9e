import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { supportedVariants } from '../abi/modules.ts';
import { ConvletError } from '../common/error.ts';
import { embeddedKernels } from './embedded-kernels.ts';
import { createLoad } from './load.ts';
import type { Platform } from './platform.ts';
import { fetchBytes } from './web.ts';

const isRemote = (source: string): boolean => /^(https?|data|blob):/.test(source);

function pathOf(source: string | URL): string {
  const text = String(source);
  return text.startsWith('file:') ? fileURLToPath(text) : text;
}

/** Node, Deno and Bun: paths and file URLs are read from disk, others are fetched. */
export const nodePlatform: Platform = {
  async readBytes(source) {
    if (isRemote(String(source))) return fetchBytes(source);
    try {
      return await readFile(pathOf(source));
    } catch (cause) {
      throw new ConvletError('environment', `load: cannot read '${pathOf(source)}': ${(cause as Error).message}`, {
        cause,
      });
    }
  },
  readSibling(source, location) {
    return readFileSync(resolve(dirname(pathOf(source)), location));
  },
  kernels: embeddedKernels,
  variants: supportedVariants,
};

export const load = createLoad(nodePlatform);
export * from './public.ts';
