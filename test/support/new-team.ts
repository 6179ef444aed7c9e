import { readFileSync } from 'node:fs';
import { withSharedMemory } from '../../src/abi/shared-memory.ts';
import { maximumPages, WasmBackend } from '../../src/backend/wasm/backend.ts';
import { allPrims } from '../../src/backend/wasm/training-prims.ts';
import { spawnWorker } from '../../src/runtime/node-platform.ts';

/** Threads over one memory, with the kernels of the last `npm run kernels`; the caller disposes of them. */
export async function newTeam(variant: 'simd' | 'relaxed', threads: number): Promise<WasmBackend> {
  const bytes = readFileSync(new URL(`../../build/kernels.${variant}-train.wasm`, import.meta.url));
  const module = new WebAssembly.Module(withSharedMemory(new Uint8Array(bytes), maximumPages));
  const team = new WasmBackend(module, variant, { prims: allPrims, threads, spawn: spawnWorker });
  await team.ready();
  return team;
}
