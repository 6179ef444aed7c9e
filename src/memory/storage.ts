import { ConvletError } from '../common/error.ts';
import type { LazyFile } from '../common/lazy-file.ts';

/**
 * A block of bytes that a tensor lives in. `buffer()` must be asked again after anything that may grow the memory:
 * growing detaches the old ArrayBuffer.
 */
export interface Storage {
  readonly byteLength: number;
  /** Byte offset inside `buffer()`; in linear memory this is the address that kernels take. */
  readonly byteOffset: number;
  /** True where the bytes are in a WebAssembly memory that kernels of that memory can reach. */
  readonly linear: boolean;
  /** The bytes where they are already, if getting an aligned `buffer()` makes a copy first. */
  readonly bytes?: Uint8Array;
  /** Where the bytes are or would be, if they are to be had by `copyTo` only: what tells two constants apart. */
  readonly place?: Uint8Array;
  /** Fills `target` with the bytes from `start` on, if there is a shorter way than by `buffer()`. */
  copyTo?(target: Uint8Array, start: number): void;
  buffer(): ArrayBufferLike;
  free(): void;
}

/** Where storages come from: the JavaScript heap or a linear memory. */
export interface Memory {
  allocate(byteLength: number): Storage;
  /** The most that may be live at a time. */
  readonly limit: number;
  /** Bytes handed out and not yet freed. */
  readonly liveBytes: number;
  readonly peakBytes: number;
}

/** A window of another storage; freeing it does nothing, its owner frees the whole. */
export class StorageSlice implements Storage {
  readonly linear: boolean;
  readonly byteOffset: number;
  readonly byteLength: number;
  private readonly parent: Storage;

  constructor(parent: Storage, offset: number, byteLength: number) {
    if (offset < 0 || offset + byteLength > parent.byteLength) throw new Error('storage slice outside its parent');
    this.parent = parent;
    this.linear = parent.linear;
    this.byteOffset = parent.byteOffset + offset;
    this.byteLength = byteLength;
  }

  buffer(): ArrayBufferLike {
    return this.parent.buffer();
  }

  free(): void {}
}

/** Storage over an array that somebody else owns: file bytes, user input. */
export class BorrowedStorage implements Storage {
  readonly linear = false;
  readonly byteOffset: number;
  readonly byteLength: number;
  private readonly source: ArrayBufferLike;

  constructor(view: ArrayBufferView) {
    this.source = view.buffer;
    this.byteOffset = view.byteOffset;
    this.byteLength = view.byteLength;
  }

  buffer(): ArrayBufferLike {
    // A buffer may be transferred to another thread or made smaller behind our back.
    if (this.source.byteLength < this.byteOffset + this.byteLength) {
      throw detached(this.byteOffset + this.byteLength, this.source.byteLength);
    }
    return this.source;
  }

  free(): void {}
}

/**
 * Storage over bytes of a file that do not lie on a multiple of their element's size. They are copied when somebody wants
 * elements, which weights that a kernel packs are spared: memory touched for the first time is what loading a model costs most.
 */
export class UnalignedStorage implements Storage {
  readonly linear = false;
  readonly byteOffset = 0;
  readonly byteLength: number;
  private readonly source: Uint8Array;
  private copy: ArrayBuffer | null = null;

  constructor(bytes: Uint8Array) {
    this.source = bytes;
    this.byteLength = bytes.byteLength;
  }

  get bytes(): Uint8Array {
    if (this.source.byteLength !== this.byteLength) throw detached(this.byteLength, this.source.byteLength);
    return this.source;
  }

  buffer(): ArrayBuffer {
    this.copy ??= new Uint8Array(this.bytes).buffer;
    return this.copy;
  }

  free(): void {}
}

/** Storage over bytes of a file that have not been read; `place` is their part of `file.bytes`, `start` their position there. */
export class FileStorage implements Storage {
  readonly linear = false;
  readonly byteOffset = 0;
  readonly byteLength: number;
  readonly place: Uint8Array;
  private readonly file: LazyFile;
  private readonly start: number;
  private copy: ArrayBuffer | null = null;

  constructor(file: LazyFile, place: Uint8Array, start: number) {
    this.file = file;
    this.place = place;
    this.start = start;
    this.byteLength = place.byteLength;
  }

  copyTo(target: Uint8Array, start: number): void {
    if (this.copy === null) this.file.copy(this.start + start, target);
    else target.set(new Uint8Array(this.copy, start, target.byteLength));
  }

  buffer(): ArrayBuffer {
    if (this.copy === null) {
      const copy = new Uint8Array(this.byteLength);
      this.file.copy(this.start, copy);
      this.copy = copy.buffer;
    }
    return this.copy;
  }

  free(): void {}
}

/** What 32-bit addresses reach, and the limit of memories that are given none: a model file can ask for any amount. */
export const addressableBytes = 2 ** 32;

/** The JavaScript heap, with a limit on live bytes. */
export class HostMemory implements Memory {
  liveBytes = 0;
  peakBytes = 0;
  readonly limit: number;

  constructor(limit = addressableBytes) {
    this.limit = limit;
  }

  allocate(byteLength: number): Storage {
    this.claim(byteLength);
    return new HostStorage(this, byteLength);
  }

  /** Counts bytes that lie elsewhere on the heap (weights), until they are released. */
  claim(byteLength: number): void {
    if (this.liveBytes + byteLength > this.limit) throw outOfMemory(byteLength, this.liveBytes, this.limit);
    this.liveBytes += byteLength;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
  }

  /** Called by the storages themselves, and for what was claimed. */
  release(byteLength: number): void {
    this.liveBytes -= byteLength;
  }
}

class HostStorage implements Storage {
  readonly linear = false;
  readonly byteOffset = 0;
  readonly byteLength: number;
  private block: ArrayBuffer | null;
  private readonly memory: HostMemory;

  constructor(memory: HostMemory, byteLength: number) {
    this.memory = memory;
    this.byteLength = byteLength;
    try {
      this.block = new ArrayBuffer(byteLength);
    } catch (cause) {
      memory.release(byteLength);
      throw new ConvletError('memory', `cannot allocate ${byteLength} bytes`, { cause });
    }
  }

  buffer(): ArrayBuffer {
    if (this.block === null) throw new ConvletError('disposed', 'this tensor was disposed');
    return this.block;
  }

  free(): void {
    if (this.block === null) return;
    this.block = null;
    this.memory.release(this.byteLength);
  }
}

function detached(expected: number, got: number): ConvletError {
  const text = `the tensor's buffer expects ${expected} bytes, got ${got}: it was detached or shrunk`;
  return new ConvletError('disposed', text);
}

export function outOfMemory(wanted: number, live: number, limit: number): ConvletError {
  return new ConvletError('memory', `needs ${wanted} bytes more on top of ${live}, the limit is ${limit}`);
}
