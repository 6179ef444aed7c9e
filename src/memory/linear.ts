import { ConvletError } from '../common/error.ts';
import { addressableBytes, type Memory, outOfMemory, type Storage } from './storage.ts';

/** A cache line, and more than any vector: every block starts at a multiple of it. */
export const alignment = 64;
/** Kernels may read up to this many bytes past a block (vector tails), so the memory ends that much later. */
const overRead = 256;
const pageBytes = 65536;

export const alignUp = (n: number): number => Math.ceil(n / alignment) * alignment;

interface FreeBlock {
  offset: number;
  size: number;
}

/**
 * Allocator over a WebAssembly.Memory: best fit on a sorted free list; freed neighbours are joined. A model allocates a
 * few hundred blocks (arena, weights, descriptors) and an inference none, so linear scans are fast enough.
 */
export class LinearMemory implements Memory {
  readonly memory: WebAssembly.Memory;
  liveBytes = 0;
  peakBytes = 0;
  private readonly blocks: FreeBlock[] = [];
  private top: number;
  readonly limit: number;

  constructor(memory: WebAssembly.Memory, base: number, limit = addressableBytes) {
    this.memory = memory;
    this.top = alignUp(Math.max(base, alignment)); // address 0 stays unused: it means "absent" in descriptors
    this.limit = limit;
  }

  allocate(byteLength: number): Storage {
    const size = Math.max(alignUp(byteLength), alignment);
    if (this.liveBytes + size > this.limit) throw outOfMemory(size, this.liveBytes, this.limit);
    const offset = this.takeFree(size) ?? this.takeTop(size);
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    return new LinearStorage(this, offset, byteLength, size);
  }

  /** Called by the storages. */
  release(offset: number, size: number): void {
    this.liveBytes -= size;
    const at = this.firstAfter(offset);
    this.blocks.splice(at, 0, { offset, size });
    this.join(at);
    if (at > 0) this.join(at - 1);
    const last = this.blocks[this.blocks.length - 1];
    if (last !== undefined && last.offset + last.size === this.top) {
      this.top = last.offset;
      this.blocks.pop();
    }
  }

  private takeFree(size: number): number | null {
    let best = -1;
    for (let i = 0; i < this.blocks.length; i++) {
      const fits = this.blocks[i].size >= size;
      if (fits && (best < 0 || this.blocks[i].size < this.blocks[best].size)) best = i;
    }
    if (best < 0) return null;
    const block = this.blocks[best];
    const offset = block.offset;
    block.offset += size;
    block.size -= size;
    if (block.size === 0) this.blocks.splice(best, 1);
    return offset;
  }

  private takeTop(size: number): number {
    const offset = this.top;
    const needed = offset + size + overRead;
    const have = this.memory.buffer.byteLength;
    if (needed > have) this.grow(needed, have);
    this.top = offset + size;
    return offset;
  }

  /** Grows by at least a quarter: each growth costs a garbage collection, and unused pages cost nothing. */
  private grow(needed: number, have: number): void {
    const pages = Math.ceil((needed - have) / pageBytes);
    try {
      this.memory.grow(Math.max(pages, Math.floor(have / pageBytes / 4)));
    } catch {
      try {
        this.memory.grow(pages);
      } catch (cause) {
        throw new ConvletError('memory', `the WebAssembly memory cannot grow to ${needed} bytes`, { cause });
      }
    }
  }

  private firstAfter(offset: number): number {
    let lo = 0;
    let hi = this.blocks.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (this.blocks[mid].offset < offset) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }

  private join(at: number): void {
    const block = this.blocks[at];
    const next = this.blocks[at + 1];
    if (next !== undefined && block.offset + block.size === next.offset) {
      block.size += next.size;
      this.blocks.splice(at + 1, 1);
    }
  }
}

class LinearStorage implements Storage {
  readonly linear = true;
  readonly byteLength: number;
  readonly byteOffset: number;
  private readonly size: number;
  private readonly memory: LinearMemory;
  private freed = false;

  constructor(memory: LinearMemory, byteOffset: number, byteLength: number, size: number) {
    this.memory = memory;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
    this.size = size;
  }

  buffer(): ArrayBufferLike {
    if (this.freed) throw new ConvletError('disposed', 'this tensor was disposed');
    return this.memory.memory.buffer;
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.memory.release(this.byteOffset, this.size);
  }
}
