import type { KernelExports, KernelName } from '../../../abi/generated/abi.ts';
import { ConvletError } from '../../../common/error.ts';
import {
  controlWords,
  exportNames,
  kernelsOf,
  maxSteps,
  pause,
  runSteps,
  stepWord,
  type Thread,
  taken,
  type WorkerData,
  word,
  wordsPerStep,
} from './team-protocol.ts';

/** A worker that runs team-worker.ts. The platform starts it. */
export interface TeamWorker {
  /** Resolves when the worker has its instance and waits for work. */
  readonly ready: Promise<void>;
  /** Calls `message` for each later message of the worker, and `exit` when it has ended, for whatever reason. */
  listen(message: () => void, exit: () => void): void;
  /** Whether the worker keeps the process alive; at first it does not. */
  hold(alive: boolean): void;
  terminate(): void;
}

/**
 * Which thread leads a run: the calling thread, which is blocked during a run and computes a share, or a worker. In both cases the
 * calling thread runs the steps in plain JS.
 */
export type Leader = 'main' | 'worker';

/** Starts a worker that runs team-worker.ts with this data. */
export type SpawnWorker = (data: WorkerData) => TeamWorker;

/** One kernel call of a program: the descriptors of the threads are `descriptorStride` bytes apart. */
export interface TeamStep {
  /** Null for a step in plain JS, which runs on one thread. */
  readonly kernel: KernelName | null;
  readonly units: number;
  readonly descriptor: number;
  readonly descriptorStride: number;
  /** The step in plain JS. */
  run(): void;
}

/**
 * Threads that run the same list of kernel steps over one shared memory. Every thread runs all steps: it takes chunks of work units
 * until none is left, then waits for the others at a barrier. Each thread has a share of a step's chunks, in the order of memory, and
 * takes chunks of other shares when its own is done. So a thread mostly reads what it has written itself. With one counter for all
 * threads, two threads took a quarter more time on MobileNet v2 and a fifth more on ResNet-18 (the cores of a virtual machine may
 * share no cache). Units are independent: results do not depend on which thread computes which unit. Workers sleep between runs.
 *
 * With leader 'main' the calling thread is one of the threads. With leader 'worker' all threads are workers, and the last one to finish
 * sends a message: as fast as Atomics.waitAsync (about 15 µs for both ways), and possible in every runtime that has worker_threads.
 */
export class Team {
  readonly threads: number;
  readonly leader: Leader;
  readonly ready: Promise<void>;
  private readonly control: Int32Array;
  private readonly workers: readonly TeamWorker[];
  /** The calling thread, if it takes part. */
  private readonly self: Thread;
  private readonly names: readonly string[];
  private loaded: TeamProgram | null = null;
  private waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | null = null;
  private ended: Error | null = null;

  constructor(
    threads: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    kernels: KernelExports,
    spawn: SpawnWorker,
    leader: Leader = 'main',
  ) {
    this.threads = threads;
    this.leader = leader;
    const control = new SharedArrayBuffer(4 * controlWords(threads));
    this.control = new Int32Array(control);
    this.names = exportNames(module);
    this.self = { control: this.control, index: 0, threads, kernels: kernelsOf(this.names, kernels) };
    const mine = leader === 'main' ? 1 : 0;
    this.workers = Array.from({ length: threads - mine }, (_, i) =>
      spawn({ module, memory, control, index: i + mine, threads }),
    );
    this.ready = Promise.all(this.workers.map((worker) => worker.ready)).then(() => {
      if (leader === 'main') return;
      for (const worker of this.workers) {
        worker.listen(
          () => this.waiting?.resolve(),
          () => this.end(new Error('a worker thread ended during a run')),
        );
      }
    });
  }

  /** Wakes the workers, which then poll for a while: waking takes about as long as copying the inputs of the next run. */
  wake(): void {
    Atomics.notify(this.control, word.generation);
  }

  /** The program of a list of steps; null if the list is too long for the control block. */
  program(steps: readonly TeamStep[]): TeamProgram | null {
    return steps.length > maxSteps ? null : new TeamProgram(this, steps, this.words(steps));
  }

  /** Runs a program to its end, or throws the error of a step; in both cases the team is then ready for the next program. */
  run(program: TeamProgram): void {
    this.load(program);
    if (this.leader === 'worker') {
      for (let i = 0; i < program.steps.length; ) i = this.alone(program, i) ?? this.part(program, i, false);
      return;
    }
    this.begin(0, program.steps.length, false);
    try {
      runSteps(this.self, program.alone);
    } catch (error) {
      Atomics.store(this.control, word.abort, 1);
      throw error;
    } finally {
      Atomics.notify(this.control, word.arrived);
      this.finish();
    }
    this.checkAbort();
  }

  /**
   * As `run`, without blocking the calling thread, for leader 'worker': workers run the steps that have kernels, the calling thread
   * runs those in plain JS. Only one may be pending. Rejects with `disposed` if the team is disposed meanwhile.
   */
  async start(program: TeamProgram): Promise<void> {
    this.load(program);
    const { steps } = program;
    this.workers[0].hold(true);
    try {
      for (let i = 0; i < steps.length; ) {
        const next = this.alone(program, i);
        if (next !== null) {
          i = next;
          continue;
        }
        if (this.ended !== null) throw this.ended;
        const done = new Promise<void>((resolve, reject) => {
          this.waiting = { resolve, reject };
        });
        i = this.part(program, i, true);
        await done;
        this.waiting = null;
        this.checkAbort();
      }
    } finally {
      this.waiting = null;
      if (this.ended === null) this.workers[0].hold(false);
    }
  }

  dispose(): void {
    this.end(new ConvletError('disposed', 'run: the model was disposed during the run'));
    // Workers end by themselves: `quit` is set before the generation changes, so that no worker goes to sleep again.
    const { control } = this;
    Atomics.store(control, word.quit, 1);
    Atomics.store(control, word.abort, 1);
    Atomics.add(control, word.generation, 1);
    Atomics.notify(control, word.generation);
    Atomics.notify(control, word.arrived);
    for (const worker of this.workers) worker.terminate();
  }

  private end(reason: Error): void {
    this.ended ??= reason;
    this.waiting?.reject(this.ended);
  }

  private load(program: TeamProgram): void {
    const { control } = this;
    if (this.loaded !== program) {
      control.set(program.words, word.program);
      this.loaded = program;
    }
    for (let thread = 0; thread < this.threads; thread++) {
      const first = taken + thread * maxSteps;
      control.fill(0, first, first + program.steps.length);
    }
  }

  /** Starts the workers on steps `first` to `end` of the loaded program. */
  private begin(first: number, end: number, announce: boolean): void {
    const { control } = this;
    control[word.first] = first;
    control[word.end] = end;
    control[word.announce] = announce ? this.workers.length : 0;
    control[word.base] = control[word.arrived];
    control[word.abort] = 0;
    control[word.done] = 0;
    Atomics.add(control, word.generation, 1);
    Atomics.notify(control, word.generation);
  }

  /** If step i has no kernel, runs it here and returns the index of the next step; else returns null. */
  private alone(program: TeamProgram, i: number): number | null {
    const step = program.steps[i];
    if (step.kernel !== null) return null;
    step.run();
    return i + 1;
  }

  /** Gives the steps with kernels from `first` on to the workers. Blocks until they are done, unless `announce` asks for a message. */
  private part(program: TeamProgram, first: number, announce: boolean): number {
    const { steps } = program;
    let end = first + 1;
    while (end < steps.length && steps[end].kernel !== null) end++;
    this.begin(first, end, announce);
    if (!announce) {
      this.finish();
      this.checkAbort();
    }
    return end;
  }

  /** Waits until all workers are done. */
  private finish(): void {
    const { control, workers } = this;
    for (let polls = 1; Atomics.load(control, word.done) < workers.length; polls++) pause(control, word.done, polls);
  }

  private checkAbort(): void {
    if (Atomics.load(this.control, word.abort) !== 0) throw new Error('a worker thread failed in a kernel');
  }

  private words(steps: readonly TeamStep[]): Int32Array {
    const words = new Int32Array(steps.length * wordsPerStep);
    steps.forEach((step, i) => {
      const at = i * wordsPerStep;
      words[at + stepWord.kernel] = step.kernel === null ? -1 : this.names.indexOf(step.kernel);
      words[at + stepWord.units] = step.units;
      words[at + stepWord.chunk] = chunkOf(step.units, this.threads);
      words[at + stepWord.descriptor] = step.descriptor;
      words[at + stepWord.descriptorStride] = step.descriptorStride;
    });
    return words;
  }
}

/** About eight chunks per thread: enough for a fast thread to help a slow one, and few enough that taking them costs little. */
const chunkOf = (units: number, threads: number): number => Math.max(1, Math.floor(units / (8 * threads)));

export class TeamProgram {
  readonly steps: readonly TeamStep[];
  readonly words: Int32Array;
  /** Runs a step that has no kernel. The function is made once, so that a run allocates nothing. */
  readonly alone: (step: number) => void;
  private readonly team: Team;

  constructor(team: Team, steps: readonly TeamStep[], words: Int32Array) {
    this.team = team;
    this.steps = steps;
    this.words = words;
    this.alone = (step) => steps[step].run();
  }

  run(): void {
    this.team.run(this);
  }

  start(): Promise<void> {
    return this.team.start(this);
  }
}
