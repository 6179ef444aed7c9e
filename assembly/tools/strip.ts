// Takes kernels out of a compiled module, with the compiler's own toolkit.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

interface Binaryen {
  readonly Features: { readonly All: number };
  readBinary(bytes: Uint8Array): BinaryenModule;
}

interface BinaryenModule {
  setFeatures(features: number): void;
  removeExport(name: string): void;
  runPasses(passes: readonly string[]): void;
  emitBinary(): Uint8Array;
  dispose(): void;
}

/** The module without these exports and what only they need; the code of the others stays as it is. */
export async function withoutExports(bytes: Uint8Array, names: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  // The copy that asc itself depends on, whatever else is installed.
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('assemblyscript/package.json'));
  const { default: binaryen } = (await import(pathToFileURL(resolve('binaryen')).href)) as { default: Binaryen };
  const module = binaryen.readBinary(bytes);
  try {
    module.setFeatures(binaryen.Features.All);
    for (const name of names) module.removeExport(name);
    module.runPasses(['remove-unused-module-elements']);
    return new Uint8Array(module.emitBinary());
  } finally {
    module.dispose();
  }
}
