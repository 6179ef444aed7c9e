import { ConvletError } from './error.ts';

/**
 * The file operations that data sets, checkpoints and reports need. The core has no file system: the entry for Node gives it one
 * (`useFiles`), and an application can do so for another runtime. Paths are those of the runtime; '/' joins their parts.
 *
 * Errors of the file system may be thrown unchanged: `fileError` explains them.
 */
export interface Files {
  /** All bytes of a file; null if there is none. */
  read(path: string): Promise<Uint8Array | null>;
  /** Names in a directory, sorted; folders end with '/'. Null if there is no such directory. */
  list(directory: string): Promise<string[] | null>;
  /** Creates the directory and its parents; does nothing if it exists. */
  makeDirectory(directory: string): Promise<void>;
  /** Creates or replaces a file; resolves when its bytes are on the disk. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Replaces `to` atomically; resolves when the directory is on the disk. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; does nothing if there is no such file. */
  remove(path: string): Promise<void>;
  /** Whether a process of this number runs on this machine: its temporary files must not be removed. */
  isRunning(process: number): boolean;
  /** The number of this process. */
  readonly process: number;
}

let current: Files | null = null;

/** Gives the file system to data sets, checkpoints and reports. */
export function useFiles(files: Files): void {
  current = files;
}

/** The file system. Throws `environment` if there is none. */
export function files(what: string): Files {
  if (current !== null) return current;
  throw new ConvletError('environment', `${what}: this runtime has no file system; give one to useFiles()`);
}

/** What the codes of the common failures mean to a user. */
const reasons: { readonly [code: string]: string } = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of disk space is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'it is a directory',
  EFBIG: 'the file is too large for the file system',
  EIO: 'the disk reports an error',
};

/** A failure of the file system as a ConvletError('environment'); other errors are returned unchanged. */
export function fileError(what: string, path: string, cause: unknown): unknown {
  const code = (cause as { code?: unknown } | null)?.code;
  if (typeof code !== 'string' || cause instanceof ConvletError) return cause;
  return new ConvletError('environment', `${what} '${path}': ${reasons[code] ?? (cause as Error).message} (${code})`, {
    cause,
  });
}

export const joinPath = (directory: string, name: string): string =>
  directory === '' || directory.endsWith('/') ? directory + name : `${directory}/${name}`;
