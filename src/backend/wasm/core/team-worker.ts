// The program of each worker of a team. team-worker-node.ts and team-worker-web.ts are the scripts that call it.
// scripts/worker-source.ts bundles each into a string, so that an application's bundle needs no second file.
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

/** Waits for runs and computes its share of each, until the team is disposed of. `post` sends a message to the calling thread. */
export function work(data: WorkerData, ready: string, post: (message: string) => void): void {
  const { module, memory, index, threads } = data;
  const control = new Int32Array(data.control);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const thread: Thread = { control, index, threads, kernels: kernelsOf(exportNames(module), exports) };

  let seen = Atomics.load(control, word.generation);
  post(ready);
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
    if (Atomics.add(control, word.done, 1) + 1 === announce) post('done');
    Atomics.notify(control, word.done);
  }
}
