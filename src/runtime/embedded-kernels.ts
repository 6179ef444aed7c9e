import { type Inflate, inflateBase64, type Variant } from '../abi/modules.ts';
import { withSharedMemory } from '../abi/shared-memory.ts';
import { maximumPages } from '../backend/wasm/backend.ts';
import type { Platform } from './platform.ts';

/** The kernels travel inside the JavaScript: nothing for a bundler to lose, one build loaded on demand. */
export type EmbeddedTexts = { readonly [V in Variant]: () => Promise<{ default: string }> };

const inferenceTexts: EmbeddedTexts = {
  simd: () => import('../abi/generated/kernels.simd.ts'),
  relaxed: () => import('../abi/generated/kernels.relaxed.ts'),
};

/** Modules of a variant, for a plain or a shared memory; compiled at first use, once per process. */
export function embeddedKernels(
  inflate: Inflate = inflateBase64,
  texts: EmbeddedTexts = inferenceTexts,
): Platform['kernels'] {
  const compiled = new Map<string, Promise<WebAssembly.Module>>();
  return (variant, shared) => {
    const key = `${variant}${shared ? ' shared' : ''}`;
    let module = compiled.get(key);
    if (module === undefined) {
      module = texts[variant]().then(async ({ default: text }) => {
        const bytes = await inflate(text);
        return WebAssembly.compile(shared ? withSharedMemory(bytes, maximumPages) : bytes);
      });
      compiled.set(key, module);
    }
    return module;
  };
}
