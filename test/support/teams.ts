// Threads for tests that run single ops.
import { afterAll } from 'vitest';
import type { WasmBackend } from '../../src/backend/wasm/backend.ts';
import { newTeam } from './new-team.ts';

const teams = new Map<string, WasmBackend>();

/** Threads over one memory; one team per variant, number and test file. */
export async function teamOf(variant: 'simd' | 'relaxed', threads = 2): Promise<WasmBackend> {
  const key = `${variant} ${threads}`;
  const team = teams.get(key) ?? (await newTeam(variant, threads));
  teams.set(key, team);
  return team;
}

afterAll(() => {
  for (const team of teams.values()) team.dispose();
});
