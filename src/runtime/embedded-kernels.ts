import { type Inflate, inflateBase64, type Variant } from '../abi/modules.ts';
import { withSharedMemory } from '../abi/shared-memory.ts';
import { maximumPages } from '../backend/wasm/backend.ts';
import { ConvletError } from '../common/error.ts';
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
      module = compileText(inflate, texts[variant], shared);
      compiled.set(key, module);
      // What failed for the moment (a chunk that did not come) may be tried again.
      module.catch(() => compiled.delete(key));
    }
    return module;
  };
}

async function compileText(
  inflate: Inflate,
  text: () => Promise<{ default: string }>,
  shared: boolean,
): Promise<WebAssembly.Module> {
  const imported = await text().catch((cause: Error) => {
    const way =
      "Where import() is forbidden, as in a service worker, import 'convlet/static', or give the module as kernels";
    throw new ConvletError('environment', `load: cannot import the kernels (${cause.message}). ${way}`, { cause });
  });
  const bytes = await inflate(imported.default);
  try {
    return await WebAssembly.compile(shared ? withSharedMemory(bytes, maximumPages) : bytes);
  } catch (cause) {
    // The bytes are right: it is the runtime that does not want them.
    const message =
      `load: this runtime refuses to compile WebAssembly: ${(cause as Error).message}. A Content Security Policy has to allow it ` +
      "by 'wasm-unsafe-eval' in script-src; { backend: 'js' } does without";
    throw new ConvletError('environment', message, { cause });
  }
}
