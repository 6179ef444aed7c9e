import { inflateBase64, type Variant } from '../abi/modules.ts';
import { withSharedMemory } from '../abi/shared-memory.ts';
import { maximumPages } from '../backend/wasm/backend.ts';

/** The kernels travel inside the JavaScript: nothing for a bundler to lose, one build loaded on demand. */
const texts: { readonly [V in Variant]: () => Promise<{ default: string }> } = {
  simd: () => import('../abi/generated/kernels.simd.ts'),
  relaxed: () => import('../abi/generated/kernels.relaxed.ts'),
};

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** The module of a variant, for a plain or a shared memory; compiled at first use, once per process. */
export function embeddedKernels(variant: Variant, shared: boolean): Promise<WebAssembly.Module> {
  const key = `${variant}${shared ? ' shared' : ''}`;
  let module = compiled.get(key);
  if (module === undefined) {
    module = texts[variant]().then(async ({ default: text }) => {
      const bytes = await inflateBase64(text);
      return WebAssembly.compile(shared ? withSharedMemory(bytes, maximumPages) : bytes);
    });
    compiled.set(key, module);
  }
  return module;
}
