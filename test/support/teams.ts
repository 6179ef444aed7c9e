// Threads for tests that run single ops.
import { readFileSync } from 'node:fs';
import { afterAll } from 'vitest';
import { withSharedMemory } from '../../src/abi/shared-memory.ts';
import { maximumPages, WasmBackend } from '../../src/backend/wasm/backend.ts';
import { spawnWorker } from '../../src/runtime/node.ts';

const teams = new Map<string, WasmBackend>();

/** Threads over one memory; one team per variant, number and test file. */
export async function teamOf(variant: 'simd' | 'relaxed', threads = 2): Promise<WasmBackend> {
  const key = `${variant} ${threads}`;
  let team = teams.get(key);
  if (team === undefined) {
    const bytes = readFileSync(new URL(`../../build/kernels.${variant}-train.wasm`, import.meta.url));
    const module = new WebAssembly.Module(withSharedMemory(new Uint8Array(bytes), maximumPages));
    team = new WasmBackend(module, variant, { threads, spawn: spawnWorker });
    teams.set(key, team);
    await team.ready();
  }
  return team;
}

afterAll(() => {
  for (const team of teams.values()) team.dispose();
});
