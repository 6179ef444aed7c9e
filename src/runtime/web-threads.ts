// Threads of browsers: Web Workers over one shared memory, for pages and for workers of pages.
import { workerSource, workerVersion } from '../abi/generated/web-worker.ts';
import type { TeamWorker } from '../backend/wasm/core/team.ts';
import type { WorkerData } from '../backend/wasm/core/team-protocol.ts';
import { ConvletError } from '../common/error.ts';
import { noThreads, type Threading } from './platform.ts';

/** A worker has its script and answers long before; a script that is not ours never does. */
const patience = 30_000;

const environment = (message: string, cause?: unknown): ConvletError =>
  new ConvletError('environment', `load: ${message}`, { cause });

/** What may be wrong with a worker that does not start: browsers do not say. */
function notStarted(url: string | undefined, why: string, cause?: unknown): ConvletError {
  const reason = why === '' ? '' : ` (${why})`;
  if (url === undefined)
    return environment(
      `a worker from a blob: URL did not start${reason}: the Content Security Policy of the page has to allow it by ` +
        "'worker-src blob:'; without that give workerUrl, where the file convlet/worker.js is served",
      cause,
    );
  return environment(
    `the worker of workerUrl '${url}' did not start${reason}: expected the file convlet/worker.js of this package, from the origin of ` +
      "the page, as JavaScript, with the page's header Cross-Origin-Embedder-Policy, allowed by worker-src",
    cause,
  );
}

function spawnWorker(data: WorkerData, url?: string): TeamWorker {
  // Bundlers turn small files into data: URLs.
  if (String(url).startsWith('data:'))
    throw environment(
      'workerUrl expects the address of a file, got a data: URL, whose workers share no memory with the page',
    );
  const blob = url === undefined ? URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' })) : null;
  let worker: Worker;
  try {
    worker = new Worker(blob ?? url!, { name: `convlet ${data.index}` });
  } catch (cause) {
    throw notStarted(url, (cause as Error).message, cause);
  }
  let timer: ReturnType<typeof setTimeout>;
  const ready = new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => reject(notStarted(url, 'no answer')), patience);
    worker.onmessage = ({ data: version }) =>
      version === workerVersion
        ? resolve()
        : reject(environment(`the worker of workerUrl '${url}' is of another version of convlet than the page's`));
    worker.onerror = (event) => {
      event.preventDefault();
      reject(notStarted(url, event.message ?? ''));
    };
    worker.postMessage(data);
  }).finally(() => {
    clearTimeout(timer);
    if (blob !== null) URL.revokeObjectURL(blob);
  });
  return {
    ready,
    listen(message, exit) {
      worker.onmessage = message;
      worker.onerror = exit;
    },
    hold() {},
    terminate: () => worker.terminate(),
  };
}

/** Asked when a model is loaded, not when this is imported. */
export const webThreading: Threading = {
  spawn: spawnWorker,
  available: () => navigator.hardwareConcurrency,
  lacking() {
    if (typeof Worker === 'undefined' || globalThis.crossOriginIsolated === undefined) return noThreads;
    if (globalThis.crossOriginIsolated) return null;
    return (
      'threads need a page that is cross-origin isolated, served with the headers "Cross-Origin-Opener-Policy: same-origin" and ' +
      '"Cross-Origin-Embedder-Policy: require-corp"'
    );
  },
  mayWait: () => 'WorkerGlobalScope' in globalThis,
};
