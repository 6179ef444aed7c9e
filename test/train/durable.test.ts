// In which order a file reaches the disk: after a crash there is the old one or the new one, never half of one. What the
// system does is noted, and may fail at any place.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nodeFiles } from '../../src/runtime/node-files.ts';
import { writeWhole } from '../../src/train/checkpoint.ts';

const spy = vi.hoisted(() => ({ actions: [] as string[], failAt: '' }));

vi.mock('node:fs/promises', async (original) => {
  const system = await original<typeof import('node:fs/promises')>();
  const note = (action: string): void => {
    spy.actions.push(action);
    if (action === spy.failAt) throw Object.assign(new Error(action), { code: 'EIO' });
  };
  const short = (path: unknown): string =>
    String(path)
      .replace(/^.*[/\\]/, '')
      .replace(/\.\d+-\d+\./, '.N.');
  const open: typeof system.open = async (path, flags) => {
    note(`open ${short(path)} ${flags}`);
    const handle = await system.open(path, flags);
    const noted = { writeFile: 'write', sync: 'sync', close: 'close' } as const;
    return new Proxy(handle, {
      get(target, key: keyof FileHandle) {
        const value = target[key] as unknown;
        if (typeof value !== 'function') return value;
        const method = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
        if (!Object.hasOwn(noted, key)) return method;
        return async (...args: unknown[]) => {
          try {
            note(`${noted[key as keyof typeof noted]} ${short(path)}`);
          } catch (error) {
            if (key !== 'close') throw error;
            await method();
            throw error;
          }
          return method(...args);
        };
      },
    });
  };
  const rename: typeof system.rename = async (from, to) => {
    note(`rename ${short(from)} ${short(to)}`);
    return system.rename(from, to);
  };
  return { ...system, open, rename };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convlet-durable-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const name = (path: string): string => path.replace(/^.*[/\\]/, '');
const write = (text: string) => writeWhole(join(folder, 'last'), new TextEncoder().encode(text), nodeFiles);

/** What happens to a file; the last four are the directory's, which Windows has no handle of. */
const expected = (): string[] => [
  'open last.N.tmp w',
  'write last.N.tmp',
  'sync last.N.tmp',
  'close last.N.tmp',
  'rename last.N.tmp last',
  ...(process.platform === 'win32' ? [] : [`open ${name(folder)} r`, `sync ${name(folder)}`, `close ${name(folder)}`]),
];

test('written, synced, closed, renamed; then the directory is synced', async () => {
  spy.actions.length = 0;
  await write('new');
  expect(spy.actions).toEqual(expected());
  expect(readFileSync(join(folder, 'last'), 'utf8')).toBe('new');
});

test('a failure at any place leaves a whole file and nothing else, and the handle closed', async () => {
  for (const failAt of expected()) {
    spy.failAt = '';
    await write('old');
    spy.actions.length = 0;
    spy.failAt = failAt;
    await expect(write('new'), failAt).rejects.toMatchObject({ code: 'environment' });
    spy.failAt = '';
    const at = expected().indexOf(failAt);
    // Nothing is renamed that was not on the disk.
    expect(
      spy.actions.some((action) => action.startsWith('rename')),
      failAt,
    ).toBe(at >= 4);
    expect(readdirSync(folder), failAt).toEqual(['last']);
    expect(readFileSync(join(folder, 'last'), 'utf8'), failAt).toBe(at > 4 ? 'new' : 'old');
    const count = (action: string): number => spy.actions.filter((text) => text.startsWith(`${action} `)).length;
    const opened = count('open') - (failAt.startsWith('open') ? 1 : 0);
    expect(count('close'), failAt).toBe(opened);
  }
});
