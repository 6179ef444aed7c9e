import { supportedVariants } from '../abi/modules.ts';
import { ConvletError } from '../common/error.ts';
import { embeddedKernels } from './embedded-kernels.ts';
import type { Platform } from './platform.ts';

export async function fetchBytes(source: string | URL): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(source);
  } catch (cause) {
    throw new ConvletError('environment', `load: cannot fetch '${String(source)}'`, { cause });
  }
  if (!response.ok) throw new ConvletError('environment', `load: '${String(source)}' answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Browsers and everything without a condition of its own: sources are fetched. */
export const webPlatform: Platform = {
  readBytes: fetchBytes,
  kernels: embeddedKernels,
  variants: supportedVariants,
};
