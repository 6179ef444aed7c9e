// A script for Web Workers, from a Blob or as the package's worker.js. It does not come back from its first message.
import type { WorkerData } from './team-protocol.ts';
import { work } from './team-worker.ts';

/** Tells the texts of two versions of the package from each other: scripts/worker-source.ts writes it. */
declare const WORKER_VERSION: string;

self.onmessage = ({ data }: MessageEvent<WorkerData>) =>
  work(data, WORKER_VERSION, (message) => self.postMessage(message));
