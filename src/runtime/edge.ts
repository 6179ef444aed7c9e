import { supportedVariants, type Variant } from '../abi/modules.ts';
import { fetchBytes } from './fetch.ts';
import type { Platform } from './platform.ts';

/** A runtime that forbids compiling from bytes: the modules come in from a static import. */
export function edgePlatform(modules: { readonly [V in Variant]?: WebAssembly.Module }): Platform {
  return {
    readBytes: fetchBytes,
    kernels: async (variant) => modules[variant]!,
    variants: () => supportedVariants().filter((variant) => modules[variant] !== undefined),
  };
}
