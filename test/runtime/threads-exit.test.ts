import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { workerSource } from '../../src/abi/generated/node-worker.ts';
import { withSharedMemory } from '../../src/abi/shared-memory.ts';
import { maximumPages, WasmBackend } from '../../src/backend/wasm/backend.ts';
import { inferencePrims } from '../../src/backend/wasm/prims.ts';

const run = promisify(execFile);

test('workers end when their team is disposed, even if the request to terminate them is lost', async () => {
  const bytes = readFileSync(new URL('../../build/kernels.simd.wasm', import.meta.url));
  const module = new WebAssembly.Module(withSharedMemory(bytes, maximumPages));
  const ended: Promise<void>[] = [];
  const backend = new WasmBackend(module, 'simd', {
    prims: inferencePrims,
    threads: 3,
    spawn(data) {
      const worker = new Worker(workerSource, { eval: true, workerData: data });
      ended.push(new Promise((resolve) => worker.once('exit', () => resolve())));
      return {
        ready: new Promise((resolve) => worker.once('message', () => resolve())),
        listen() {},
        hold() {},
        terminate() {},
      };
    },
  });
  await backend.ready();
  backend.dispose();
  expect(ended.length).toBe(2);
  await Promise.all(ended);
}, 5000);

test('a process that disposes models of two threads right after a run ends by itself', async () => {
  const script = fileURLToPath(new URL('threads-exit.ts', import.meta.url));
  const { stdout } = await run(process.execPath, ['--import', 'tsx', script, '30'], { timeout: 30_000 });
  expect(stdout.trim()).toBe('30 models');
}, 40_000);

test.skipIf(process.platform !== 'linux')(
  'disposed models leave no thread behind',
  async () => {
    const script = fileURLToPath(new URL('threads-count.ts', import.meta.url));
    const { stdout } = await run(process.execPath, ['--import', 'tsx', script, '8', '3'], { timeout: 30_000 });
    const { before, during, after } = JSON.parse(stdout);
    // Of three threads the calling one is one where it leads.
    expect(during - before).toBe(4 * 2 + 4 * 3);
    expect(after).toBe(before);
  },
  40_000,
);
