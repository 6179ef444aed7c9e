// The example's Worker, and beside it at GET /probe what this runtime forbids.
import worker from '../../../examples/workerd/worker.ts';

/** The smallest module: magic and version. */
const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

const attempts: Record<string, () => unknown> = {
  compile: () => WebAssembly.compile(empty),
  module: () => new WebAssembly.Module(empty),
  instantiate: () => WebAssembly.instantiate(empty),
  buffer: () => (globalThis as { Buffer?: unknown }).Buffer ?? Promise.reject(new Error('no Buffer')),
};

export default {
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== '/probe') return worker.fetch(request);
    const results: Record<string, string> = {};
    for (const [name, attempt] of Object.entries(attempts)) {
      try {
        await attempt();
        results[name] = 'allowed';
      } catch (error) {
        results[name] = String(error);
      }
    }
    return Response.json(results);
  },
};
