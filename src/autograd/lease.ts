import type { DType } from '../common/dtype.ts';
import type { TensorInfo } from '../ops/core/op.ts';

/** What the owner of a variable's memory does with it. */
export interface Tracked {
  readonly dtype: DType;
  readonly size: number;
  /** Another variable has it as its gradient; nothing frees it then. */
  readonly held: boolean;
  /** Moves the elements to the JavaScript heap. */
  toHost(): void;
  /** Releases the memory; a later use of the variable throws an error that says `why`. */
  free(why: string): void;
}

/** Who counts the references to handles: an engine or a trace (executor.ts). */
export interface HandleOwner {
  retain(handle: TensorInfo): void;
  release(handle: TensorInfo): void;
  /** Counts a write that no op made. */
  written(handle: TensorInfo): void;
  /** Takes care of results that no graph owns. */
  track(results: readonly Tracked[]): void;
}

/**
 * The last resort: memory of variables that cannot be reached any more. The tape frees what a training loop makes before that.
 * Some edge runtimes have no finalizers; there only the tape, scopes and `dispose` free memory.
 */
const abandoned =
  typeof FinalizationRegistry === 'undefined' ? null : new FinalizationRegistry<Lease>((lease) => lease.release());

/** One reference to a handle, released once: by its variable, or by the garbage collector when the variable is gone. */
export class Lease {
  static readonly name: string = 'Lease';

  readonly handle: TensorInfo;
  readonly owner: HandleOwner;
  released = false;

  constructor(handle: TensorInfo, owner: HandleOwner) {
    this.handle = handle;
    this.owner = owner;
  }

  /** Gives the reference back when `holder` is collected, unless it was released before. */
  watch(holder: object): void {
    abandoned?.register(holder, this, this);
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    // A registration keeps the lease until finalizers get a turn, which a synchronous loop never gives them.
    abandoned?.unregister(this);
    this.owner.release(this.handle);
  }
}
