import type { Variant } from '../abi/modules.ts';
import type { SpawnWorker, TeamWorker } from '../backend/wasm/core/team.ts';
import type { LazyFile } from '../common/lazy-file.ts';
import type { Transfer } from '../common/source.ts';

/** What differs between the runtimes: how a model file is read and where the kernel modules come from. */
export interface Platform {
  /** Bytes of a path or URL. Throws `environment` where they cannot be had, `aborted` and `memory` as `transfer` says. */
  readBytes(source: string | URL, transfer?: Transfer): Promise<Uint8Array>;
  /** The file of a path or URL, to be read by pieces; null where `readBytes` is to get it. Throws `environment` as well. */
  openFile?(source: string | URL): LazyFile | null;
  /** Bytes of a file that a model at `source` names relative to itself (ONNX external data); absent: not possible. */
  readSibling?(source: string | URL, location: string): Uint8Array;
  /** The compiled kernels, from wherever the runtime has them, for a plain or a shared memory. Compiled once per process. */
  kernels(variant: Variant, shared: boolean): Promise<WebAssembly.Module>;
  /** Variants that this runtime can run, best first. */
  variants(): readonly Variant[];
  /** Worker threads, where the runtime has them. */
  readonly threading?: Threading;
}

export interface Threading {
  /** `url` is the option `workerUrl`. */
  spawn(data: Parameters<SpawnWorker>[0], url?: string): TeamWorker;
  /** How many the machine runs at once. */
  available(): number;
  /** Why there are none here after all, for errors; null where there are. Absent: there are. */
  lacking?(): string | null;
  /** Whether the calling thread may sleep until others are done; that of a page may not. Absent: it may. */
  mayWait?(): boolean;
}

export type { Variant };

export const noThreads = 'this runtime has no threads';
