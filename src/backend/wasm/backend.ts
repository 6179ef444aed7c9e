import { abiHash, type KernelExports } from '../../abi/generated/abi.ts';
import { ConvletError } from '../../common/error.ts';
import { LinearMemory } from '../../memory/linear.ts';
import type { Backend, PrimCall, Session, Step } from '../backend.ts';
import { jsStep } from '../js/backend.ts';
import type { PrimName } from '../prims/index.ts';
import { Declined, type PrimTables, type WasmPrim } from './core/prim.ts';
import { type SessionBackend, WasmSession } from './core/session.ts';
import { type Leader, type SpawnWorker, Team } from './core/team.ts';

export interface WasmBackendOptions {
  /** The prims that can be run: `inferencePrims`, or with those of training `allPrims`. */
  readonly prims: PrimTables;
  readonly maxMemoryBytes?: number;
  /** Threads that share the steps of a plan; more than one needs `spawn` and a module that imports a shared memory. */
  readonly threads?: number;
  /** 'worker': all threads are workers, even a single thread; this needs `spawn` and a shared memory too. */
  readonly leader?: Leader;
  readonly spawn?: SpawnWorker;
  /** 'exact': only algorithms whose rounding errors are those of a plain sum; 'fast' (default): Winograd's as well. */
  readonly precision?: 'exact' | 'fast';
}

/** 4 GiB, the limit of 32-bit addresses. */
export const maximumPages = 65536;
/** 128 MiB: with less to grow to, only the smallest networks would run. */
const leastMaximum = 2048;

/** A module of another version would misread descriptors, without a trap. */
function checkVersion({ abi }: Partial<KernelExports>): void {
  if (abi?.() === abiHash) return;
  throw new ConvletError(
    'environment',
    'the module of kernels is not of the same version as this package of convlet: compile it from convlet/kernels/ of the ' +
      'package that is installed',
  );
}

/**
 * Engines reserve the addresses up to the maximum of a shared memory at once, and where those are few (telephones, 32 bits, many
 * models) they refuse 4 GiB: then half of it, and so on.
 */
function newMemory(shared: boolean): WebAssembly.Memory {
  for (let maximum = maximumPages; ; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: 16, maximum, shared });
    } catch (cause) {
      if (maximum > leastMaximum) continue;
      throw new ConvletError('memory', `the engine has no addresses for a WebAssembly memory of ${maximum / 16} MiB`, {
        cause,
      });
    }
  }
}

/** SIMD kernels over one linear memory; prims or dtypes without a kernel run in plain JS on the same memory. */
export class WasmBackend implements Backend, SessionBackend {
  readonly name = 'wasm';
  readonly views = true;
  readonly variant: 'simd' | 'relaxed';
  readonly memory: LinearMemory;
  readonly kernels: KernelExports;
  readonly team: Team | null;
  readonly prims: PrimTables;
  readonly precision: 'exact' | 'fast';

  constructor(module: WebAssembly.Module, variant: 'simd' | 'relaxed', options: WasmBackendOptions) {
    const { prims, maxMemoryBytes, threads = 1, leader = 'main', spawn, precision = 'fast' } = options;
    const shared = threads > 1 || leader === 'worker';
    const memory = newMemory(shared);
    this.prims = prims;
    this.variant = variant;
    this.precision = precision;
    this.kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
    checkVersion(this.kernels);
    this.kernels.placeConstants();
    this.memory = new LinearMemory(memory, 1024, maxMemoryBytes);
    this.team = shared && spawn !== undefined ? new Team(threads, module, memory, this.kernels, spawn, leader) : null;
  }

  /** Whether the module has the kernels of training. */
  get trains(): boolean {
    return this.kernels.moments !== undefined;
  }

  get threads(): number {
    return this.team?.threads ?? 1;
  }

  get leader(): Leader {
    return this.team?.leader ?? 'main';
  }

  session(parent?: Session): WasmSession {
    return new WasmSession(this, (parent as WasmSession | undefined) ?? null);
  }

  lower(call: PrimCall, session: WasmSession): Step[] {
    const row = this.prims.wasm[call.prim] as WasmPrim<PrimName> | Declined | undefined;
    const lowered = typeof row === 'function' ? row(call, session) : (row ?? new Declined('no kernel'));
    return lowered instanceof Declined ? [jsStep(call, this.prims.js, lowered.why)] : lowered;
  }

  /** Resolves when all threads have started. */
  async ready(): Promise<void> {
    await this.team?.ready;
  }

  wake(): void {
    this.team?.wake();
  }

  dispose(): void {
    this.team?.dispose();
  }
}
