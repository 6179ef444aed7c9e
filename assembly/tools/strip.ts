// Removes kernels from a compiled module and adds the hash of its interface, with the compiler's own toolkit (Binaryen).
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

interface Binaryen {
  readonly Features: { readonly All: number };
  readonly none: number;
  readonly i32: number;
  readBinary(bytes: Uint8Array): BinaryenModule;
}

interface BinaryenModule {
  setFeatures(features: number): void;
  readonly i32: { const(value: number): number };
  addFunction(name: string, parameters: number, result: number, locals: readonly number[], body: number): void;
  addFunctionExport(name: string, exported: string): void;
  removeExport(name: string): void;
  runPasses(passes: readonly string[]): void;
  emitBinary(): Uint8Array;
  dispose(): void;
}

/**
 * The module without the exports `without` and the code that only they need, and with a function `abi` that returns `hash`; the code
 * of the other functions is unchanged.
 */
export async function finishModule(
  bytes: Uint8Array,
  without: readonly string[],
  hash: number,
): Promise<Uint8Array<ArrayBuffer>> {
  // Load the copy of Binaryen that asc itself depends on, whatever else is installed.
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('assemblyscript/package.json'));
  const { default: binaryen } = (await import(pathToFileURL(resolve('binaryen')).href)) as { default: Binaryen };
  const module = binaryen.readBinary(bytes);
  try {
    module.setFeatures(binaryen.Features.All);
    for (const name of without) module.removeExport(name);
    module.addFunction('abi', binaryen.none, binaryen.i32, [], module.i32.const(hash));
    module.addFunctionExport('abi', 'abi');
    module.runPasses(['remove-unused-module-elements']);
    return new Uint8Array(module.emitBinary());
  } finally {
    module.dispose();
  }
}
