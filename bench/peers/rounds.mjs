// The parent process: starts engines in child processes, warms them up, then runs batches alternately (A B C A B C …).
import { fork, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { engines, nodeFlags } from './engines/index.mjs';

const worker = fileURLToPath(new URL('worker.mjs', import.meta.url));
const warmupMs = 1500;
const leastWarmups = 3;
const batchMs = 400;
/** Tolerance relative to the largest expected value. Wrong results are not timed. */
const tolerance = 2e-3;
const idleLimit = 0.05;

/**
 * A child process with one engine; `call` sends a command and resolves to the answer. `label`: the name in results, if not that of
 * the engine. `env`: further variables of its environment.
 */
export class Engine {
  #child;
  #waiting = null;

  constructor(name, { threads, node, major, cpu, label = name, env }) {
    this.name = label;
    this.#child = fork(worker, [name, String(threads)], {
      execPath: node,
      execArgv: nodeFlags(name, major),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', process.env.DEBUG ? 'inherit' : 'ignore', 'ipc'],
    });
    // Pins all threads of the process, and the threads that they start.
    if (cpu !== undefined) spawnSync('taskset', ['-acp', cpu, String(this.#child.pid)]);
    this.ready = new Promise((resolve) => {
      this.#waiting = resolve;
    });
    this.#child.on('message', (message) => this.#answer(message));
    this.#child.on('exit', (code, signal) => this.#answer({ failure: `the process ended (${signal ?? code})` }));
  }

  #answer(message) {
    const resolve = this.#waiting;
    this.#waiting = null;
    resolve?.(message);
  }

  /** Throws the engine's own message if it fails. */
  async call(command, given = {}) {
    await this.ready;
    if (!this.#child.connected) throw new Error('the process ended');
    const answer = await new Promise((resolve) => {
      this.#waiting = resolve;
      this.#child.send({ command, ...given });
    });
    if (answer.failure !== undefined) throw new Error(answer.failure);
    return answer;
  }

  stop() {
    if (this.#child.connected) this.#child.disconnect();
  }
}

/** Starts engines by name, without those that do not have that many threads. */
export function startEngines(names, settings) {
  const fitting = names.filter((name) => settings.threads === 1 || !engines[name].oneThread);
  return fitting.map((name) => new Engine(name, settings));
}

/**
 * Runs one model on all engines. Result by engine: { loadMs, firstMs, error, median, min, rounds: medians per round,
 * minima: the same of minima, runs, busy } or { failure }.
 */
export async function runModel(model, running, rounds, log) {
  const results = {};
  const counts = new Map();
  for (const engine of running) {
    try {
      results[engine.name] = await engine.call('load', {
        path: model.path,
        input: model.input,
        expected: model.expected,
      });
      const { error } = results[engine.name];
      if (!(error <= tolerance)) throw new Error(`wrong result: relative error ${error}`);
      counts.set(engine, await warmUp(engine));
    } catch (failure) {
      results[engine.name] = { failure: failure.message };
      log(`  ${engine.name}: ${failure.message}`);
    }
  }
  const batches = new Map([...counts.keys()].map((engine) => [engine, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [engine, count] of counts) {
      try {
        const batch = await engine.call('run', { count });
        if (batch.idle > idleLimit) {
          log(`  ${engine.name} used ${(100 * batch.idle).toFixed(0)} % of a core while others were measured`);
        }
        batches.get(engine).push(batch);
      } catch (failure) {
        counts.delete(engine);
        batches.delete(engine);
        results[engine.name] = { failure: failure.message };
      }
    }
  }
  for (const [engine, list] of batches) {
    const times = list.flatMap((batch) => batch.times);
    Object.assign(results[engine.name], {
      median: median(times),
      min: Math.min(...times),
      rounds: list.map((batch) => median(batch.times)),
      minima: list.map((batch) => Math.min(...batch.times)),
      runs: times.length,
      busy: median(list.map((batch) => batch.busy)),
    });
  }
  for (const engine of running) await engine.call('unload').catch(() => {});
  return results;
}

/** Runs for at least `warmupMs`; returns the number of runs per batch. */
async function warmUp(engine) {
  let spent = 0;
  let done = 0;
  let last = Number.POSITIVE_INFINITY;
  while (spent < warmupMs || done < leastWarmups) {
    const count = Number.isFinite(last) ? Math.max(1, Math.min(1000, Math.round(batchMs / 2 / last))) : 1;
    const { times } = await engine.call('run', { count });
    last = median(times);
    spent += times.reduce((a, b) => a + b, 0);
    done += count;
  }
  return Math.max(1, Math.min(2000, Math.round(batchMs / last)));
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How many times as fast `base` is as `other`: by the medians, and the median, least and most of the rounds' ratios. */
export function ratioOf(base, other) {
  if (base?.median === undefined || other?.median === undefined) return null;
  const perRound = base.rounds.map((ms, i) => other.rounds[i] / ms);
  return {
    ofMedians: other.median / base.median,
    median: median(perRound),
    least: Math.min(...perRound),
    most: Math.max(...perRound),
  };
}
