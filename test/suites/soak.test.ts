import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('npm run soak: a short one holds memory flat on every engine', () => {
  const script = fileURLToPath(new URL('soak.ts', import.meta.url));
  const args = ['--expose-gc', '--import', 'tsx', script, '500'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const lines = stdout.trim().split('\n');
  expect(lines.filter((line) => line.startsWith('FAIL'))).toEqual([]);
  expect(lines.at(-1), stderr).toMatch(/^memory stays flat/);
  expect(lines.filter((line) => / runs, held /.test(line))).toHaveLength(15);
  expect(status).toBe(0);
}, 120_000);
