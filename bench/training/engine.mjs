// The parent process of training: starts engines in child processes, writes their weights and batch, and warms them up.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { median } from '../peers/rounds.mjs';
import { batchOf, networks } from './networks.mjs';

export const worker = fileURLToPath(new URL('worker.mjs', import.meta.url));
const warmupMs = 1500;
const batchMs = 400;

/** An engine in a child process: `call` sends a command and resolves to the answer. `cpu`: the core to which it is pinned (Linux). */
export class Engine {
  failure = null;
  #child;
  #answers = [];
  #waiting = [];

  constructor(program, args, { env, cpu } = {}) {
    this.#child = spawn(program, args, {
      stdio: ['pipe', 'pipe', process.env.DEBUG ? 'inherit' : 'ignore'],
      env: { ...process.env, ...env },
    });
    if (cpu !== undefined) spawnSync('taskset', ['-acp', cpu, String(this.#child.pid)]);
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#answer(JSON.parse(line)));
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('exit', (code, signal) => this.#end(`the process ended (${signal ?? code})`));
    this.#child.stdin.on('error', () => {});
  }

  /** The message of the process when it is ready: { version }. */
  start() {
    return this.#next();
  }

  call(command, given = {}) {
    this.#child.stdin.write(`${JSON.stringify({ command, ...given })}\n`);
    return this.#next();
  }

  stop() {
    this.#child.stdin.end();
  }

  #answer(message) {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#answers.push(message);
    else waiting(message);
  }

  #end(failure) {
    this.failure ??= failure;
    for (const waiting of this.#waiting.splice(0)) waiting({ failure });
  }

  async #next() {
    const answer =
      this.#answers.shift() ??
      (this.failure !== null ? { failure: this.failure } : await new Promise((resolve) => this.#waiting.push(resolve)));
    if (answer.failure !== undefined) throw new Error(answer.failure);
    return answer;
  }
}

/** Weights and batch of a network, as a safetensors file in `directory` that every engine reads. */
export async function writeStart(network, directory) {
  const { init, seed, saveStateDict, tensor, nn, F } = await import('../../build/runtime/node-train.js');
  const engine = await init();
  seed(1);
  const { build, input } = networks[network];
  const { data, labels } = batchOf(networks[network]);
  const state = { ...build({ nn, F }).stateDict() };
  state['batch.x'] = tensor(data, input);
  state['batch.y'] = tensor(labels, [labels.length]);
  const path = join(directory, `${network}.safetensors`);
  writeFileSync(path, saveStateDict(state));
  engine.dispose();
  return path;
}

/** Steps for at least `warmupMs`; returns the number of steps per batch. */
export async function warmUp(engine) {
  let spent = 0;
  let last = Number.POSITIVE_INFINITY;
  while (spent < warmupMs) {
    const count = Number.isFinite(last) ? Math.max(1, Math.round(batchMs / 2 / last)) : 1;
    const { times } = await engine.call('run', { count });
    last = median(times);
    spent += times.reduce((a, b) => a + b, 0);
  }
  return Math.max(1, Math.round(batchMs / last));
}
