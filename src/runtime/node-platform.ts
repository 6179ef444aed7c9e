import { workerSource } from '../abi/generated/node-worker.ts';
import { supportedVariants } from '../abi/modules.ts';
import type { TeamWorker } from '../backend/wasm/core/team.ts';
import { ConvletError } from '../common/error.ts';
import { report } from '../common/source.ts';
import { embeddedKernels } from './embedded-kernels.ts';
import { fetchBytes } from './fetch.ts';
import { builtin } from './node-builtin.ts';
import { openLazyFile } from './node-lazy-file.ts';
import type { Platform } from './platform.ts';

const isRemote = (source: string): boolean => /^(https?|data|blob):/.test(source);

function pathOf(source: string | URL): string {
  const text = String(source);
  return text.startsWith('file:') ? builtin('node:url').fileURLToPath(text) : text;
}

/** By callback: node:fs/promises would be one more module to load. */
const readWhole = (path: string): Promise<Uint8Array> =>
  new Promise((done, fail) => {
    builtin('node:fs').readFile(path, (error, bytes) => (error === null ? done(bytes) : fail(error)));
  });

const unreadable = (source: string | URL, cause: unknown): ConvletError =>
  new ConvletError('environment', `load: cannot read '${pathOf(source)}': ${(cause as Error).message}`, { cause });

/** Not by DecompressionStream, behind which Node loads all of fetch: 10 ms and more of a program's start. */
export const inflateBuffer = (text: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(builtin('node:zlib').inflateRawSync(Buffer.from(text, 'base64')));

/** Workers do not keep the process alive: a program that has nothing else to do ends. */
export function spawnWorker(data: object): TeamWorker {
  const worker = new (builtin('node:worker_threads').Worker)(workerSource, { eval: true, workerData: data });
  const ready = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', (cause) =>
      reject(new ConvletError('environment', 'load: a worker thread did not start', { cause })),
    );
  });
  return {
    ready: ready.then(() => worker.unref()),
    listen(message, exit) {
      worker.on('message', message);
      worker.on('exit', exit);
      worker.unref(); // a listener for messages makes it count again
    },
    hold: (alive) => (alive ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

/** Node, Deno and Bun: paths and file URLs are read from disk, others are fetched. */
export const nodePlatform: Platform = {
  async readBytes(source, transfer = {}) {
    if (isRemote(String(source))) return fetchBytes(source, transfer);
    const bytes = await readWhole(pathOf(source)).catch((cause) => {
      throw unreadable(source, cause);
    });
    report(transfer, bytes.byteLength, bytes.byteLength);
    return bytes;
  },
  openFile(source) {
    if (isRemote(String(source))) return null;
    try {
      return openLazyFile(pathOf(source));
    } catch (cause) {
      throw unreadable(source, cause);
    }
  },
  readSibling(source, location) {
    const { dirname, resolve } = builtin('node:path');
    return builtin('node:fs').readFileSync(resolve(dirname(pathOf(source)), location));
  },
  kernels: embeddedKernels(inflateBuffer),
  variants: supportedVariants,
  threading: { spawn: spawnWorker, available: () => builtin('node:os').availableParallelism() },
};
