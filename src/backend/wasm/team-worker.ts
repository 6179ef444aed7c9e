/**
 * What each worker of a team runs, as the text of a CommonJS script for node:worker_threads (Node, Deno and Bun run it
 * with `eval: true`): no file beside the bundle that could get lost. The words of the control block are those of team.ts.
 * All of it is inside a function: Deno and Bun have `module` and `require` as variables of the script already.
 */
export const workerSource = `
(() => {
  const { workerData, parentPort } = require('node:worker_threads');
  const { module, memory, control: buffer, names, index, threads, spins } = workerData;
  const GENERATION = 0, DONE = 1, ARRIVED = 2, BASE = 3, ABORT = 4, FIRST = 5, END = 6, ANNOUNCE = 7;
  const PROGRAM = 16, WORDS = 6;
  const control = new Int32Array(buffer);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = names.map((name) => exports[name]);

  function runProgram() {
    const first = control[FIRST], end = control[END], base = control[BASE];
    for (let i = first; i < end; i++) {
      const at = PROGRAM + i * WORDS;
      if (control[at] >= 0) {
        const kernel = kernels[control[at]], units = control[at + 1], chunk = control[at + 2];
        const descriptor = control[at + 4] + index * control[at + 5];
        for (let begin = Atomics.add(control, at + 3, chunk); begin < units; begin = Atomics.add(control, at + 3, chunk)) {
          kernel(descriptor, begin, Math.min(begin + chunk, units));
        }
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
