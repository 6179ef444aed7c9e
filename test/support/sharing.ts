import type { Backend } from '../../src/backend/backend.ts';

/**
 * A backend on which all threads share single ops too (eager execution uses one thread for them), for suites that
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
        // The runner is made when it runs, since the workspace has an address only after the session is sealed.
        run: () => made.runner([step], () => `'${call.prim}'`).run(),
      }));
    return made;
  };
  return Object.create(backend, { session: { value: session } });
}
