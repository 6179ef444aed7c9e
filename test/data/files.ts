import type { Files } from '../../src/common/files.ts';

/** Bytes of an IDX file. */
export function idx(shape: readonly number[], data: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, 0x800 + shape.length);
  shape.forEach((d, i) => view.setUint32(4 + 4 * i, d));
  out.set(data, 4 + 4 * shape.length);
  return out;
}

/** An error as the file system throws it. */
export const systemError = (code: string): Error => Object.assign(new Error(`${code}: what the system says`), { code });

/** A file system in memory that can fail, and that forgets what was not synced when it crashes. */
export class MemoryFiles implements Files {
  readonly process: number = 1000;
  readonly running: Set<number> = new Set([1000]);
  readonly content: Map<string, Uint8Array> = new Map();
  /** Called before each change; may throw. */
  before: (action: string, path: string) => void = () => {};

  async read(path: string): Promise<Uint8Array | null> {
    return this.content.get(path) ?? null;
  }

  async list(directory: string): Promise<string[] | null> {
    const start = `${directory}/`;
    const names = [...this.content.keys()]
      .filter((path) => path.startsWith(start))
      .map((path) => path.slice(start.length));
    const own = names.map((name) => (name.includes('/') ? name.slice(0, name.indexOf('/') + 1) : name));
    return names.length === 0 ? null : [...new Set(own)].sort();
  }

  async makeDirectory(directory: string): Promise<void> {
    this.before('makeDirectory', directory);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    // What a full disk leaves behind.
    this.content.set(path, bytes.slice(0, bytes.length >> 1));
    this.before('write', path);
    this.content.set(path, bytes.slice());
  }

  async rename(from: string, to: string): Promise<void> {
    this.before('rename', to);
    this.content.set(to, this.content.get(from)!);
    this.content.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.before('remove', path);
    this.content.delete(path);
  }

  isRunning(process: number): boolean {
    return this.running.has(process);
  }
}
