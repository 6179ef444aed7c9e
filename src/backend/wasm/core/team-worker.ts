// The program of each worker of a team: a CommonJS script for node:worker_threads. scripts/worker-source.ts bundles it into a string,
// which Node, Deno and Bun run with `eval: true`, so that an application's bundle needs no second file. The whole script is wrapped in
// a function, because Deno and Bun already have the variables `module` and `require` in such a script.
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
  // `wake` may come before the run, or without one: poll for a while.
  for (let polls = 0; Atomics.load(control, word.generation) === seen && polls < 10 * spins; polls++);
  if (Atomics.load(control, word.generation) === seen) continue;
  seen = Atomics.load(control, word.generation);
  if (Atomics.load(control, word.quit) !== 0) break;
  try {
    // The leader runs the steps without a kernel.
    runSteps(thread, () => {});
  } catch {
    Atomics.store(control, word.abort, 2);
  }
  // Read `announce` before counting: the next run may begin as soon as the last worker has counted itself.
  const announce = control[word.announce];
  if (Atomics.add(control, word.done, 1) + 1 === announce) parentPort.postMessage('done');
  Atomics.notify(control, word.done);
}
