import { ConvletError } from '../common/error.ts';
import type { LazyFile } from '../common/lazy-file.ts';

/**
 * The block of bytes of a tensor. Call `buffer()` again after any call that may grow the memory:
 * growing detaches the old ArrayBuffer.
 */
export interface Storage {
  readonly byteLength: number;
  /** Byte offset inside `buffer()`; in linear memory this is the address that kernels take. */
  readonly byteOffset: number;
  /** True if the bytes are in a WebAssembly memory, where its kernels can reach them. */
  readonly linear: boolean;
  /** The bytes without a copy, if `buffer()` would have to make an aligned copy. */
  readonly bytes?: Uint8Array;
  /** Identifies the bytes, to tell constants apart, if only `copyTo` gives them: the array may not have been filled. */
  readonly place?: Uint8Array;
  /** Fills `target` with the bytes from `start` on, if that is cheaper than `buffer()`. */
  copyTo?(target: Uint8Array, start: number): void;
  buffer(): ArrayBufferLike;
  free(): void;
}

/** Allocates storages: on the JavaScript heap or in a linear memory. */
export interface Memory {
  allocate(byteLength: number): Storage;
  /** The most bytes that may be live at a time. */
  readonly limit: number;
  /** Bytes allocated and not yet freed. */
  readonly liveBytes: number;
  readonly peakBytes: number;
}

/** A part of another storage. Freeing it does nothing: the owner frees the whole storage. */
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

/** Storage over an array that belongs to others: file bytes, user input. */
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
    // The owner may have transferred the buffer to another thread, or made it smaller.
    if (this.source.byteLength < this.byteOffset + this.byteLength) {
      throw detached(this.byteOffset + this.byteLength, this.source.byteLength);
    }
    return this.source;
  }

  free(): void {}
}

/**
 * Storage over bytes of a file whose offset is not a multiple of the element's size. They are copied when elements are read. Weights
 * that a kernel packs need no such copy, which matters: page faults of new memory are most of the time of loading a model.
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

/** The limit of 32-bit addresses. It is also the default limit of a memory, since a model file can ask for any amount. */
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

  /** Counts bytes that are elsewhere on the heap (weights) until they are released. */
  claim(byteLength: number): void {
    if (this.liveBytes + byteLength > this.limit) throw outOfMemory(byteLength, this.liveBytes, this.limit);
    this.liveBytes += byteLength;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
  }

  /** Called by the storages, and for claimed bytes. */
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
