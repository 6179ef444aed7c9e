// A script for Web Workers, from a Blob or as the package's worker.js. The handler of its first message never returns.
import type { WorkerData } from './team-protocol.ts';
import { work } from './team-worker.ts';

/** Distinguishes the scripts of two versions of the package: scripts/worker-source.ts writes it. */
declare const WORKER_VERSION: string;

self.onmessage = ({ data }: MessageEvent<WorkerData>) =>
  work(data, WORKER_VERSION, (message) => self.postMessage(message));
