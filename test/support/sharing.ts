import type { Backend } from '../../src/backend/backend.ts';

/**
 * A backend on which all threads take part in single ops as well, which eager execution leaves to one: for suites that
 * compare values on several threads. The same backend if it has one thread.
 */
export function sharing(backend: Backend): Backend {
  if (backend.threads === 1) return backend;
  const session: Backend['session'] = (parent) => {
    const made = backend.session(parent);
    const prepare = made.prepare.bind(made);
    made.prepare = (call) =>
      prepare(call).map((step) => ({
        prim: step.prim,
        kernel: step.kernel,
        // Not before it runs: the workspace is placed when the session is sealed.
        run: () => made.runner([step], () => `'${call.prim}'`).run(),
      }));
    return made;
  };
  return Object.create(backend, { session: { value: session } });
}
