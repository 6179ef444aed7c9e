import type { AnyModule } from './module.ts';

/**
 * Lets `around` run each forward of a model and of all modules in it, until the function that is returned is called.
 *
 * @param around gets the module's path ('' for the model itself) and its forward, and returns what the caller of forward is to get
 */
export function watchForward(
  model: AnyModule,
  around: (path: string, module: AnyModule, forward: () => unknown) => unknown,
): () => void {
  const watched = [...model.namedModules()].map(([path, module]) => {
    const own = Object.getOwnPropertyDescriptor(module, 'forward');
    const { forward } = module;
    module.forward = (...inputs) => around(path, module, () => forward.apply(module, inputs));
    return { module, own };
  });
  return () => {
    for (const { module, own } of watched) {
      if (own === undefined) delete (module as Partial<AnyModule>).forward;
      else Object.defineProperty(module, 'forward', own);
    }
  };
}
