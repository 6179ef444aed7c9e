// What each worker of a team runs: a CommonJS script for node:worker_threads. scripts/worker-source.ts bundles it into a text,
// which Node, Deno and Bun run with `eval: true`: no file beside the bundle that could get lost. All of it ends up inside a
// function, because Deno and Bun have `module` and `require` as variables of the script already.
import {
  exportNames,
  kernelsOf,
  longestSleep,
  runSteps,
  spins,
  type Thread,
  type WorkerData,
  word,
} from './team-protocol.ts';

declare const require: (name: 'node:worker_threads') => {
  readonly workerData: WorkerData;
  readonly parentPort: { postMessage(message: string): void };
};

const { workerData, parentPort } = require('node:worker_threads');
const { module, memory, index, threads } = workerData;
const control = new Int32Array(workerData.control);
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const thread: Thread = { control, index, threads, kernels: kernelsOf(exportNames(module), exports) };

let seen = Atomics.load(control, word.generation);
parentPort.postMessage('ready');
while (Atomics.load(control, word.quit) === 0) {
  if (Atomics.wait(control, word.generation, seen, longestSleep) === 'timed-out') continue;
  // Woken for a run that is not there yet, or for none.
  for (let polls = 0; Atomics.load(control, word.generation) === seen && polls < 10 * spins; polls++);
  if (Atomics.load(control, word.generation) === seen) continue;
  seen = Atomics.load(control, word.generation);
  if (Atomics.load(control, word.quit) !== 0) break;
  try {
    // Steps without a kernel are the leader's.
    runSteps(thread, () => {});
  } catch {
    Atomics.store(control, word.abort, 2);
  }
  // Read first: the next run may begin as soon as the last one has counted itself.
  const announce = control[word.announce];
  if (Atomics.add(control, word.done, 1) + 1 === announce) parentPort.postMessage('done');
  Atomics.notify(control, word.done);
}
