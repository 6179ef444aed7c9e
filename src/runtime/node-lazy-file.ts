import type { Stats } from 'node:fs';
import { ConvletError } from '../common/error.ts';
import type { LazyFile } from '../common/lazy-file.ts';
import { builtin } from './node-builtin.ts';

/** Smaller files are read at once: no file stays open for them. */
const leastBytes = 1 << 20;
const pageBytes = 4096;
/** Most that is read ahead of the structure of a file, where it is read on and on; behind a jump it starts with a page. */
const mostAhead = 8 * pageBytes;

/** Files that nobody closed. */
const forgotten = new FinalizationRegistry<number>((descriptor) => builtin('node:fs').closeSync(descriptor));

/*
 * What it saves, mobilenet_v2 (14 MB) on a machine where touching a new page costs 15 µs: 3,400 pages, of `load` 121 → 55 ms.
 * Not tried: reading ahead in a thread of libuv into the WebAssembly memory that packing is going to write, so that its pages
 * are there by then. It would take the time of a second core, and a read under way would forbid the memory to grow.
 */

/** A file that stays open until it is closed or collected. That it stays the same in the meantime is checked. */
class NodeLazyFile implements LazyFile {
  readonly bytes: Uint8Array;
  private readonly path: string;
  private readonly opened: Stats;
  /** Which pages of `bytes` are there. */
  private readonly present: Uint8Array;
  private descriptor: number | null;
  /** The stretch that was needed last: most of what is asked for lies in it. */
  private from = 0;
  private to = 0;
  private ahead = mostAhead;

  constructor(path: string, descriptor: number, opened: Stats, bytes: Uint8Array) {
    this.path = path;
    this.descriptor = descriptor;
    this.opened = opened;
    this.bytes = bytes;
    this.present = new Uint8Array(Math.ceil(opened.size / pageBytes));
    forgotten.register(this, descriptor, this);
  }

  need(start: number, end: number): number {
    if (start >= this.from && end <= this.to) return this.to;
    if (start >= end) return start;
    const { present, bytes } = this;
    let page = Math.floor(start / pageBytes);
    const last = Math.floor((end - 1) / pageBytes);
    const first = page;
    while (page <= last) {
      if (present[page] === 1) page++;
      else {
        let stop = page + 1;
        while (stop <= last && present[stop] === 0) stop++;
        this.ahead = page * pageBytes === this.to ? Math.min(this.ahead * 2, mostAhead) : pageBytes;
        if (stop > last) stop = Math.min(page + Math.max(stop - page, this.ahead / pageBytes), present.length);
        this.read(page * pageBytes, bytes.subarray(page * pageBytes, stop * pageBytes));
        present.fill(1, page, stop);
        page = stop;
      }
    }
    this.from = first * pageBytes;
    this.to = Math.min(page * pageBytes, bytes.byteLength);
    return this.to;
  }

  copy(start: number, target: Uint8Array): void {
    const end = start + target.byteLength;
    const pages = this.present.subarray(Math.floor(start / pageBytes), Math.ceil(end / pageBytes));
    if (pages.includes(0)) this.read(start, target);
    else target.set(this.bytes.subarray(start, end));
  }

  close(): void {
    if (this.descriptor === null) return;
    forgotten.unregister(this);
    builtin('node:fs').closeSync(this.descriptor);
    this.descriptor = null;
  }

  private read(position: number, target: Uint8Array): void {
    const fail = (problem: string, cause?: unknown) =>
      new ConvletError('environment', `load: cannot read '${this.path}': ${problem}`, { cause });
    if (this.descriptor === null) throw fail('it was closed');
    const { fstatSync, readSync } = builtin('node:fs');
    let now: Stats;
    try {
      for (let at = 0; at < target.byteLength; ) {
        const count = readSync(this.descriptor, target, at, target.byteLength - at, position + at);
        if (count === 0) break;
        at += count;
      }
      now = fstatSync(this.descriptor);
    } catch (cause) {
      throw fail((cause as Error).message, cause);
    }
    if (now.size !== this.opened.size || now.mtimeMs !== this.opened.mtimeMs)
      throw fail('it has changed since it was opened; load the model again');
  }
}

/** Opens a file; null for one that is to be read at once: a small one, or a pipe. Throws what node:fs throws. */
export function openLazyFile(path: string): LazyFile | null {
  const { closeSync, fstatSync, openSync } = builtin('node:fs');
  const descriptor = openSync(path, 'r');
  try {
    const stats = fstatSync(descriptor);
    if (stats.isFile() && stats.size >= leastBytes) {
      return new NodeLazyFile(path, descriptor, stats, new Uint8Array(stats.size));
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  return null;
}
