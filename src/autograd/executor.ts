import type { TypedArray } from '../common/dtype.ts';
import type { OpDef, TensorInfo } from '../ops/core/op.ts';
import type { HandleOwner, Tracked } from './lease.ts';
import type { OpenGraph } from './open-graphs.ts';
import type { TapeNode, Variable } from './variable.ts';

/**
 * What carries out ops on behalf of the tape. A handle is a Tensor in backend memory for the engine, which runs each op at
 * once, and a graph value for a trace, which writes it down. Handles are counted: `apply` gives each output with one
 * reference, `retain` adds one, `release` drops one, and memory is freed with the last. A trace counts nothing.
 */
export interface Executor extends HandleOwner {
  /** Whether ops are written down instead of run. */
  readonly isTrace: boolean;
  apply(op: OpDef, inputs: readonly (TensorInfo | null)[], attrs: unknown): TensorInfo[];
  /** A handle with fixed elements, row-major. */
  constant(array: TypedArray, shape: readonly number[]): TensorInfo;
  /** Whether nothing else shares the handle's memory, so that it may be kept and written. */
  exclusive(handle: TensorInfo): boolean;
  /** How often the handle's memory was written in place. */
  version(handle: TensorInfo): number;
  /** The handle of a variable; its elements are copied to the executor's memory if they are elsewhere. */
  materialize(variable: Variable): TensorInfo;
  /** Called before each op that is recorded: what the last backward pass kept may be freed now. */
  beforeRecorded(): void;
  /** Called after each op that is recorded; returns the graph that it belongs to now. */
  recorded(node: TapeNode): OpenGraph | null;
  /** Intermediate results of a graph that has been backpropagated; they go when the next recorded op starts. */
  retire(variables: readonly Variable[], root: Variable): void;
  /** Whether gradients by a leaf are kept in its `grad`; absent: of all. */
  accumulates?(leaf: Variable): boolean;
  /** Begins a scope; what is tracked in it is freed when it ends, `kept` excepted. */
  enter(): void;
  leave(kept: ReadonlySet<Tracked>): void;
  /** Runs `action` now; in a trace before each run of the compiled step instead. */
  beforeEachStep(action: () => void): void;
  /** Runs `action` now; in a trace after each run of the compiled step instead (counters of steps). */
  eachStep(action: () => void): void;
}
