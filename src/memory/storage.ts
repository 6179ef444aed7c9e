import { ConvletError } from '../common/error.ts';

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
      const expected = this.byteOffset + this.byteLength;
      throw new ConvletError(
        'disposed',
        `the tensor's buffer expects ${expected} bytes, got ${this.source.byteLength}: it was detached or shrunk`,
      );
    }
    return this.source;
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
  private bytes: ArrayBuffer | null;
  private readonly memory: HostMemory;

  constructor(memory: HostMemory, byteLength: number) {
    this.memory = memory;
    this.byteLength = byteLength;
    try {
      this.bytes = new ArrayBuffer(byteLength);
    } catch (cause) {
      memory.release(byteLength);
      throw new ConvletError('memory', `cannot allocate ${byteLength} bytes`, { cause });
    }
  }

  buffer(): ArrayBuffer {
    if (this.bytes === null) throw new ConvletError('disposed', 'this tensor was disposed');
    return this.bytes;
  }

  free(): void {
    if (this.bytes === null) return;
    this.bytes = null;
    this.memory.release(this.byteLength);
  }
}

export function outOfMemory(wanted: number, live: number, limit: number): ConvletError {
  return new ConvletError('memory', `needs ${wanted} bytes more on top of ${live}, the limit is ${limit}`);
}
