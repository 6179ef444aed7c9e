// A copy of the tree, in which tests run against one fault at a time.
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** Test files that run before the others. */
const nearest = 3;

export type Fate = 'killed' | 'survived' | 'timed out';

/** A copy of the tree for tests; it is removed at the end, also after a signal. */
export class MutationCopy {
  private readonly folder = mkdtempSync(join(tmpdir(), 'convlet-mutate-'));
  private readonly tree = join(this.folder, 'tree');
  private readonly seconds = new Map<string, number>();
  private running: ChildProcess | null = null;

  private readonly root: string;
  private readonly timeout: number | null;

  /** `timeout`: seconds for a run of tests; null: three times their time without a fault, plus 20. */
  constructor(root: string, timeout: number | null) {
    this.root = root;
    this.timeout = timeout;
    const skip = new Set(['node_modules', '.git']);
    cpSync(root, this.tree, { recursive: true, filter: (path) => !skip.has(relative(root, path)) });
    symlinkSync(join(root, 'node_modules'), join(this.tree, 'node_modules'));
    const shared = join(root, '../shared');
    if (existsSync(shared)) symlinkSync(shared, join(this.folder, 'shared'));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        this.remove();
        process.exit(130);
      });
    }
  }

  remove(): void {
    this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Seconds that the tests take without a fault. */
  async baseline(tests: readonly string[]): Promise<number> {
    const key = tests.join();
    const known = this.seconds.get(key);
    if (known !== undefined) return known;
    const began = performance.now();
    const status = await this.test(tests, 1800);
    if (status !== 0)
      throw new Error(`the tests fail without a fault: ${tests.join(' ')}\n${this.output.slice(-3000)}`);
    const seconds = (performance.now() - began) / 1000;
    this.seconds.set(key, seconds);
    console.log(`${tests.length} test files take ${seconds.toFixed(1)} s: ${tests.join(' ')}`);
    return seconds;
  }

  /** Runs the nearest tests first: they notice most faults, and then the others need not run. */
  async try(name: string, fault: string, source: string, tests: readonly string[]): Promise<Fate> {
    const path = join(this.tree, name);
    for (const some of [tests.slice(0, nearest), tests.slice(nearest)]) {
      if (some.length === 0) continue;
      const limit = this.timeout ?? 20 + 3 * (await this.baseline(some));
      writeFileSync(path, fault);
      const status = await this.test(some, limit);
      writeFileSync(path, source);
      if (status !== 0) return status === null ? 'timed out' : 'killed';
    }
    return 'survived';
  }

  private output = '';

  /** Exit status of the tests; null if they take longer than `limit`. Kernels are rebuilt first if their sources differ. */
  private test(tests: readonly string[], limit: number): Promise<number | null> {
    const vitest = join(this.root, 'node_modules/vitest/vitest.mjs');
    const arguments_ = [vitest, 'run', '--bail', '1', '--reporter', 'dot', ...tests];
    const child = spawn(process.execPath, arguments_, {
      cwd: this.tree,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.running = child;
    this.output = '';
    const note = (text: Buffer): void => {
      this.output = (this.output + text).slice(-20_000);
    };
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    return new Promise((resolve) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        this.kill();
      }, limit * 1000);
      child.once('close', (code) => {
        clearTimeout(timer);
        this.running = null;
        resolve(late ? null : (code ?? 1));
      });
    });
  }

  /** Kills the tests and all processes that they have started. */
  private kill(): void {
    if (this.running?.pid === undefined) return;
    try {
      process.kill(-this.running.pid, 'SIGKILL');
    } catch {
      // The process has just ended.
    }
  }
}
