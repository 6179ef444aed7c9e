// A CommonJS script for node:worker_threads, which Node, Deno and Bun run with `eval: true`. scripts/worker-source.ts wraps all of it
// in a function, because Deno and Bun already have the variables `module` and `require` in such a script.
import type { WorkerData } from './team-protocol.ts';
import { work } from './team-worker.ts';

declare const require: (name: 'node:worker_threads') => {
  readonly workerData: WorkerData;
  readonly parentPort: { postMessage(message: string): void };
};

const { workerData, parentPort } = require('node:worker_threads');
work(workerData, 'ready', (message) => parentPort.postMessage(message));
