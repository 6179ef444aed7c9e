import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { nodeFiles } from '../../src/runtime/node-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'convlet-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(process.platform === 'win32')(
  'a list names folders with a slash, also behind links; a link to nothing is a file',
  async () => {
    mkdirSync(join(folder, 'classes'));
    writeFileSync(join(folder, 'b.png'), 'b');
    for (const [name, target] of [
      ['linked', 'classes'],
      ['link.png', 'b.png'],
      ['gone', 'nowhere'],
    ])
      symlinkSync(join(folder, target), join(folder, name));
    expect(await nodeFiles.list(folder)).toEqual(['b.png', 'classes/', 'gone', 'link.png', 'linked/']);
    expect(await nodeFiles.list(join(folder, 'nowhere'))).toBeNull();
    await expect(nodeFiles.list(join(folder, 'b.png'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  },
);

test('files are read, written and removed; what is not there is null, and removing it is no error', async () => {
  const path = join(folder, 'x');
  expect(await nodeFiles.read(path)).toBeNull();
  await nodeFiles.write(path, Uint8Array.of(1, 2, 3));
  await nodeFiles.write(path, Uint8Array.of(4));
  expect([...(await nodeFiles.read(path))!]).toEqual([4]);
  await nodeFiles.remove(path);
  await nodeFiles.remove(path);
  expect(await nodeFiles.read(path)).toBeNull();
  await expect(nodeFiles.read(folder)).rejects.toMatchObject({ code: 'EISDIR' });
});

test('processes that run, and one that has ended', () => {
  expect(nodeFiles.isRunning(nodeFiles.process)).toBe(true);
  expect(nodeFiles.isRunning(2 ** 22 + 1)).toBe(false);
});
