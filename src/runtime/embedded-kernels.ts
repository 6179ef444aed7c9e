import { decodeBase64, type Variant } from '../abi/modules.ts';

/** The kernels travel inside the JavaScript: nothing for a bundler to lose, one build loaded on demand. */
const texts: { readonly [V in Variant]: () => Promise<{ default: string }> } = {
  simd: () => import('../abi/generated/kernels.simd.ts'),
  relaxed: () => import('../abi/generated/kernels.relaxed.ts'),
};

const compiled = new Map<Variant, Promise<WebAssembly.Module>>();

/** The module of a variant, compiled at first use, once per process. */
export function embeddedKernels(variant: Variant): Promise<WebAssembly.Module> {
  let module = compiled.get(variant);
  if (module === undefined) {
    module = texts[variant]().then(({ default: text }) => WebAssembly.compile(decodeBase64(text)));
    compiled.set(variant, module);
  }
  return module;
}
