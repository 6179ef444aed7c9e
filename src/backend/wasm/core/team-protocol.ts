// The protocol of a team, which all its threads follow. team.ts (the calling thread) imports it, and so does team-worker.ts, which
// scripts/worker-source.ts bundles into the scripts that workers run.

/** Words of the control block; the program is after them. */
export const word = {
  /** Each run adds one; workers sleep until it changes. */
  generation: 0,
  /** Workers that have finished the run. */
  done: 1,
  /** Arrivals at barriers, over all runs; it may wrap around. */
  arrived: 2,
  /** `arrived` when the run began. */
  base: 3,
  /** Not 0: a thread has failed. */
  abort: 4,
  /** The steps of the program to run: first … end − 1. */
  first: 5,
  end: 6,
  /** The number of workers if the last one to finish has to send a message, else 0. */
  announce: 7,
  /** Not 0: the team is disposed, workers end. */
  quit: 8,
  program: 16,
} as const;

/** Words of a step of the program. */
export const stepWord = {
  /** Index among the module's exports; −1: a step in plain JS, which the leader runs alone. */
  kernel: 0,
  units: 1,
  /** Units of a chunk. */
  chunk: 2,
  descriptor: 3,
  /** Bytes from a thread's descriptor to the next thread's. */
  descriptorStride: 4,
} as const;
export const wordsPerStep = 5;
export const maxSteps = 1 << 14;

/** After the program, a list for each thread: how many chunks of its share of each step have been taken. */
export const taken = word.program + maxSteps * wordsPerStep;

/** Words of the control block for `threads` threads. */
export const controlWords = (threads: number): number => taken + threads * maxSteps;

/**
 * An idle worker wakes after so many milliseconds. If a thread is terminated just when it goes to sleep, V8 can lose the request, and
 * the process then waits for the thread forever (seen in Node 20).
 */
export const longestSleep = 500;

/** Polls of a word before a thread goes to sleep: about 50 µs. */
export const spins = 5000;

/** The data that a worker gets at its start. */
export interface WorkerData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  readonly index: number;
  readonly threads: number;
}

export type Kernel = (descriptor: number, begin: number, end: number) => void;

/** A thread of the team. */
export interface Thread {
  readonly control: Int32Array;
  readonly index: number;
  readonly threads: number;
  /** All exports of the module, in its order. */
  readonly kernels: readonly Kernel[];
}

/** The kernels of an instance, by their numbers in a program. */
export const kernelsOf = (names: readonly string[], exports: object): Kernel[] =>
  names.map((name) => (exports as { [name: string]: Kernel })[name]);

export const exportNames = (module: WebAssembly.Module): string[] =>
  WebAssembly.Module.exports(module).map(({ name }) => name);

/**
 * Runs the steps first … end − 1, with a barrier between two steps. `alone` runs a step that has no kernel.
 * Returns early if another thread has failed.
 */
export function runSteps(thread: Thread, alone: (step: number) => void): void {
  const { control, threads } = thread;
  // Code from here on allocates nothing: a plan of a hundred steps runs thousands of times a second.
  const first = control[word.first];
  const end = control[word.end];
  const base = control[word.base];
  for (let step = first; step < end; step++) {
    if (control[word.program + step * wordsPerStep] < 0) alone(step);
    else share(thread, step);
    if (step < end - 1 && !meet(control, base + (step - first + 1) * threads)) return;
  }
}

/** Takes chunks of a step until none is left: first of the thread's own share, then of the shares of the next threads. */
function share({ control, index, threads, kernels }: Thread, step: number): void {
  const at = word.program + step * wordsPerStep;
  const kernel = kernels[control[at + stepWord.kernel]];
  const units = control[at + stepWord.units];
  const chunk = control[at + stepWord.chunk];
  const descriptor = control[at + stepWord.descriptor] + index * control[at + stepWord.descriptorStride];
  const chunks = Math.ceil(units / chunk);
  for (let turn = 0; turn < threads; turn++) {
    const owner = (index + turn) % threads;
    const first = Math.floor((owner * chunks) / threads);
    const count = Math.floor(((owner + 1) * chunks) / threads) - first;
    const counter = taken + owner * maxSteps + step;
    for (let i = Atomics.add(control, counter, 1); i < count; i = Atomics.add(control, counter, 1)) {
      const begin = (first + i) * chunk;
      kernel(descriptor, begin, Math.min(begin + chunk, units));
    }
  }
}

/** Whether the count of arrivals, which may wrap around, has reached `target`. */
const isReached = (arrived: number, target: number): boolean => ((arrived - target) | 0) >= 0;

/** The barrier: waits until `target` arrivals have been counted, this one included. False if a thread has failed. */
function meet(control: Int32Array, target: number): boolean {
  if (isReached(Atomics.add(control, word.arrived, 1) + 1, target)) Atomics.notify(control, word.arrived);
  for (let polls = 1; !isReached(Atomics.load(control, word.arrived), target); polls++) {
    if (Atomics.load(control, word.abort) !== 0) return false;
    pause(control, word.arrived, polls);
  }
  return true;
}

/** Call it between two polls of word `at`: after `spins` polls it sleeps until the word changes or a millisecond has passed. */
export function pause(control: Int32Array, at: number, polls: number): void {
  if (polls >= spins) Atomics.wait(control, at, Atomics.load(control, at), 1);
}
