import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Files } from '../common/files.ts';

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

/** A missing file is an answer; everything else is an error. */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await orNull(stat(path)))?.isDirectory() ?? false;
}

async function syncDirectory(directory: string): Promise<void> {
  // Windows has no handles of directories, and needs none: its renames are in the journal.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file system of Node, Deno and Bun. */
export const nodeFiles: Files = {
  process: process.pid,

  read: (path) => orNull(readFile(path)),

  async list(directory) {
    const entries = await orNull(readdir(directory, { withFileTypes: true }));
    if (entries === null) return null;
    const names = entries.map(async (entry) => {
      const folder = entry.isSymbolicLink() ? await isDirectory(join(directory, entry.name)) : entry.isDirectory();
      return folder ? `${entry.name}/` : entry.name;
    });
    return (await Promise.all(names)).sort();
  },

  async makeDirectory(directory) {
    await mkdir(directory, { recursive: true });
  },

  async write(path, bytes) {
    const handle = await open(path, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },

  async rename(from, to) {
    await rename(from, to);
    await syncDirectory(dirname(to));
  },

  remove: (path) => rm(path, { force: true }),

  isRunning(id) {
    try {
      process.kill(id, 0);
      return true;
    } catch (error) {
      return (error as { code?: unknown }).code === 'EPERM';
    }
  },
};
