import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { backendOf, variants } from '../kernels/harness.ts';
import { describeShared } from '../shared.ts';
import { jsBackend } from '../support/js-backend.ts';
import { sharing } from '../support/sharing.ts';
import { teamOf } from '../support/teams.ts';
import { GoldenSet, readManifest } from './golden-set.ts';
import { Mismatch } from './suite.ts';

const directory = fileURLToPath(new URL('../fixtures/golden/', import.meta.url));
const set = new GoldenSet(directory);

/** Plain JS, and every kernel build on one thread and on two. */
const backends: readonly Backend[] = [
  jsBackend(),
  ...variants.map(backendOf),
  ...(await Promise.all(variants.map((variant) => teamOf(variant)))).map(sharing),
];
const label = ({ name, variant, threads }: Backend): string => `${name} ${variant}, ${threads} thread(s)`;

for (const backend of backends) {
  describe(`PyTorch's values on ${label(backend)}`, () => {
    test.each([...set.cases.keys(), ...set.schedules.keys()])('%s', (id) => {
      const before = backend.memory.liveBytes;
      const { rtol, atol } = set.cases.get(id) ?? { rtol: 1e-9, atol: 1e-12 };
      // The comparison throws on a mismatch; the difference that it returns is at most the tolerance of a large value.
      expect(set.run(id, backend)).toBeLessThan(rtol * 1000 + atol);
      expect(backend.memory.liveBytes).toBe(before);
    });
  });
}

/** About 1200 cases: one test per group, whose message names all cases that fail. */
describeShared("PyTorch's values of ../shared/golden", (shared) => {
  const full = new GoldenSet(`${shared}golden/`);
  const groups = [...new Set([...full.cases.values()].map(({ group }) => group))];
  for (const backend of backends) {
    test.each(groups)(`${label(backend)}: %s`, { timeout: 120_000 }, (group) => {
      const ids = [...full.cases.values()].filter((c) => c.group === group).map(({ id }) => id);
      expect(ids.length).toBeGreaterThan(0);
      const before = backend.memory.liveBytes;
      const failures = ids.flatMap((id) => {
        try {
          full.run(id, backend);
          return [];
        } catch (error) {
          return [`${id}: ${(error as Error).message}`];
        }
      });
      expect(failures).toEqual([]);
      expect(backend.memory.liveBytes).toBe(before);
    });
  }

  test.each([...full.schedules.keys()])('%s', (id) => {
    expect(full.run(id, backends[0])).toBeLessThan(1e-6);
  });
});

test.each(variants)('%s: on two threads the workers get something to do', async (variant) => {
  const backend = await teamOf(variant);
  const run = vi.spyOn(backend.team!, 'run');
  set.run(set.manifest.cases.find(({ op }) => op === 'conv2d')!.id, sharing(backend));
  expect(run).toHaveBeenCalled();
  run.mockRestore();
});

test('a wrong value is a mismatch', () => {
  const c = set.manifest.cases.find(({ op }) => op === 'conv2d')!;
  const wrong = new GoldenSet(directory);
  const { data } = wrong.value(c.group, c.outputs[0].key);
  data[data.length - 1] += 0.01;
  expect(() => wrong.run(c.id, jsBackend())).toThrow(Mismatch);
});

describe('a directory that is no golden set', () => {
  const empty = mkdtempSync(join(tmpdir(), 'golden-'));

  test('no manifest, not JSON, not a manifest', () => {
    expect(() => readManifest(empty)).toThrow("there is no '");
    writeFileSync(join(empty, 'manifest.json'), '{');
    expect(() => readManifest(empty)).toThrow('is not JSON');
    writeFileSync(join(empty, 'manifest.json'), '{}');
    expect(() => readManifest(empty)).toThrow("is not a golden manifest: it has no 'cases' or no 'files'");
  });

  test('the command ends with status 2 and says why', () => {
    const run = (...args: string[]): { status: number; text: string } => {
      const script = fileURLToPath(new URL('golden.ts', import.meta.url));
      try {
        const text = execFileSync(process.execPath, ['--import', 'tsx', script, ...args], {
          encoding: 'utf8',
          stdio: 'pipe',
        });
        return { status: 0, text };
      } catch (error) {
        const { status, stderr, stdout } = error as { status: number; stderr: string; stdout: string };
        return { status, text: stdout + stderr };
      }
    };
    expect(run(join(empty, 'nowhere'))).toMatchObject({
      status: 2,
      text: expect.stringContaining('there is no directory'),
    });
    rmSync(join(empty, 'manifest.json'));
    expect(run(empty)).toMatchObject({ status: 2, text: expect.stringContaining('manifest.json') });
    rmSync(empty, { recursive: true });
    const { status, text } = run(directory, '--backend', 'js', '--filter', 'conv2d');
    expect(status).toBe(0);
    expect(text.trimEnd().split('\n').pop()).toMatch(/^[1-9]\d* passed, 0 failed, 0 skipped$/);
  });
});
