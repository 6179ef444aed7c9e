/**
 * What each worker of a team runs, as the text of a CommonJS script for node:worker_threads (Node, Deno and Bun run it
 * with `eval: true`): no file beside the bundle that could get lost. The words of the control block are those of team.ts.
 * All of it is inside a function: Deno and Bun have `module` and `require` as variables of the script already.
 */
export const workerSource = `
(() => {
  const { workerData, parentPort } = require('node:worker_threads');
  const { module, memory, control: buffer, names, index, threads, spins, taken, maxSteps } = workerData;
  const GENERATION = 0, DONE = 1, ARRIVED = 2, BASE = 3, ABORT = 4, FIRST = 5, END = 6, ANNOUNCE = 7;
  const PROGRAM = 16, WORDS = 5;
  const control = new Int32Array(buffer);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = names.map((name) => exports[name]);

  // The own share first, then those of the threads behind.
  function share(step, kernel, descriptor, units, chunk) {
    const chunks = Math.ceil(units / chunk);
    for (let turn = 0; turn < threads; turn++) {
      const thread = (index + turn) % threads;
      const first = Math.floor((thread * chunks) / threads);
      const count = Math.floor(((thread + 1) * chunks) / threads) - first;
      const at = taken + thread * maxSteps + step;
      for (let i = Atomics.add(control, at, 1); i < count; i = Atomics.add(control, at, 1)) {
        const begin = (first + i) * chunk;
        kernel(descriptor, begin, Math.min(begin + chunk, units));
      }
    }
  }

  function runProgram() {
    const first = control[FIRST], end = control[END], base = control[BASE];
    for (let i = first; i < end; i++) {
      const at = PROGRAM + i * WORDS;
      if (control[at] >= 0) {
        const kernel = kernels[control[at]], units = control[at + 1], chunk = control[at + 2];
        share(i, kernel, control[at + 3] + index * control[at + 4], units, chunk);
      }
      if (i === end - 1) return;
      const target = base + (i - first + 1) * threads;
      if (((Atomics.add(control, ARRIVED, 1) + 1 - target) | 0) >= 0) Atomics.notify(control, ARRIVED);
      for (let polls = 0; ((Atomics.load(control, ARRIVED) - target) | 0) < 0; ) {
        if (Atomics.load(control, ABORT) !== 0) return;
        if (++polls >= spins) Atomics.wait(control, ARRIVED, Atomics.load(control, ARRIVED), 1);
      }
    }
  }

  let seen = Atomics.load(control, GENERATION);
  parentPort.postMessage('ready');
  for (;;) {
    Atomics.wait(control, GENERATION, seen);
    // Roused for a run that is not there yet, or for none.
    for (let polls = 0; Atomics.load(control, GENERATION) === seen && polls < 10 * spins; polls++);
    if (Atomics.load(control, GENERATION) === seen) continue;
    seen = Atomics.load(control, GENERATION);
    try {
      runProgram();
    } catch {
      Atomics.store(control, ABORT, 2);
    }
    // Read first: the next run may begin as soon as the last one has counted itself.
    const announce = control[ANNOUNCE];
    if (Atomics.add(control, DONE, 1) + 1 === announce) parentPort.postMessage('done');
    Atomics.notify(control, DONE);
  }
})();
`;
