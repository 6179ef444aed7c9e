import type { Backend } from '../backend/backend.ts';
import type { DType, TypedArray } from '../common/dtype.ts';
import { byteLength } from '../common/dtype.ts';
import { ConvletError } from '../common/error.ts';
import { BorrowedStorage, type Storage } from '../memory/storage.ts';
import { execute } from '../ops/core/execute.ts';
import type { OpDef, TensorInfo } from '../ops/core/op.ts';
import { elementCount } from '../tensor/layout.ts';
import { constant, Tensor } from '../tensor/tensor.ts';
import type { Executor } from './executor.ts';
import { Lease, type Tracked } from './lease.ts';
import { type OpenGraph, OpenGraphs, type Result } from './open-graphs.ts';
import type { TapeNode, Variable } from './variable.ts';

/** How many handles share a storage, and how often it was written in place. */
interface Block {
  references: number;
  version: number;
}

/** What is freed together: when a noGrad ends, or (the outermost) when the step is over. */
interface Scope {
  readonly tracked: Set<Tracked>;
  /** Variables of the JavaScript heap that have a copy in the backend's memory. */
  readonly copied: Set<Variable>;
  bytes: number;
}

/** Tracked results and copies of a program that never goes backward: beyond this many bytes they move to the JavaScript heap. */
const trackedBytes = 2 ** 26;
/** The same of copies of the user's data, each of which keeps its variable from the garbage collector. */
const mostCopies = 256;

const newScope = (): Scope => ({ tracked: new Set(), copied: new Set(), bytes: 0 });

/**
 * Runs ops at once on a backend, and owns what they leave in its memory:
 *
 * - results of graphs that were begun and left move to the JavaScript heap (open-graphs.ts);
 * - intermediate results of a graph that has been backpropagated go when the next recorded op starts (so that they can be
 *   read until then); the value that `backward` was called on moves to the JavaScript heap;
 * - what no graph owns moves to the JavaScript heap at that moment: it stays readable and is copied in again when used;
 * - what is made inside `noGrad` is freed when it ends; its result moves to the JavaScript heap;
 * - data given by the user stays in the JavaScript heap and has a copy in the backend as long as a step lasts;
 * - parameters, buffers, optimizer state and gradients stay.
 */
export class Engine implements Executor {
  static readonly name: string = 'Engine';

  /** @internal */
  readonly isTrace = false;
  /** @internal */
  readonly backend: Backend;
  private readonly blocks = new WeakMap<Storage, Block>();
  private readonly scopes: Scope[] = [newScope()];
  private readonly openGraphs = new OpenGraphs();
  private retired: Variable[] = [];
  private retiredRoots: Variable[] = [];
  /** Results of the same graphs, of which those that the backward pass did not go through move to the JavaScript heap. */
  private left: Result[] = [];

  /** @internal */
  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Bytes of the backend's memory that are in use. */
  get liveBytes(): number {
    return this.backend.memory.liveBytes;
  }

  /** @internal */
  apply(op: OpDef, inputs: readonly (TensorInfo | null)[], attrs: unknown): Tensor[] {
    const outputs = execute(this.backend, op, inputs as readonly (Tensor | null)[], attrs);
    outputs.forEach((output, i) => {
      this.retain(output);
      const target = op.inPlace === undefined ? undefined : (inputs[op.inPlace[i]] as Tensor);
      if (target === undefined) return;
      if (target.storage !== output.storage) throw new Error(`op ${op.name} did not write its input in place`);
      this.written(target);
    });
    return outputs;
  }

  /** @internal */
  written(handle: TensorInfo): void {
    const block = this.blocks.get((handle as Tensor).storage!);
    if (block !== undefined) block.version++;
  }

  /** @internal */
  constant(array: TypedArray, shape: readonly number[]): Tensor {
    return constant(array, shape);
  }

  /** @internal */
  retain(handle: TensorInfo): void {
    const storage = (handle as Tensor).storage!;
    const block = this.blocks.get(storage);
    if (block === undefined) this.blocks.set(storage, { references: 1, version: 0 });
    else block.references++;
  }

  /** @internal */
  release(handle: TensorInfo): void {
    const storage = (handle as Tensor).storage!;
    const block = this.blocks.get(storage);
    if (block !== undefined && --block.references === 0) storage.free();
  }

  /** @internal */
  exclusive(handle: TensorInfo): boolean {
    const { storage, constant: fixed } = handle as Tensor;
    return !fixed && !(storage instanceof BorrowedStorage) && this.blocks.get(storage!)?.references === 1;
  }

  /** @internal */
  version(handle: TensorInfo): number {
    return this.blocks.get((handle as Tensor).storage!)?.version ?? 0;
  }

  /** @internal */
  materialize(variable: Variable): Tensor {
    variable.expectAlive();
    const { lease } = variable;
    if (lease?.owner === this) return lease.handle as Tensor;
    if (lease !== null) {
      if (!(lease.handle instanceof Tensor))
        throw new ConvletError('unsupported', 'a value of a compiled step is used outside of it');
      variable.toHost();
    }
    const host = variable.host!;
    const persistent = variable.lifetime === 'persistent';
    if (host.constant || (!persistent && this.backend.name === 'js')) return host;
    const copy = this.allocate(host.dtype, host.shape);
    copy.array.set(host.array);
    variable.own(new Lease(copy, this));
    // The memory of a parameter is the only place where it is up to date.
    if (persistent) variable.host = null;
    else {
      this.scope.copied.add(variable);
      this.scope.bytes += copy.byteLength;
    }
    return copy;
  }

  /** @internal Uninitialised memory, with one reference. */
  allocate(dtype: DType, shape: readonly number[]): Tensor {
    const storage = this.backend.memory.allocate(byteLength(dtype, elementCount(shape)));
    const made = new Tensor(dtype, shape, 'row', storage);
    this.retain(made);
    return made;
  }

  /** @internal */
  beforeRecorded(): void {
    if (this.retiredRoots.length > 0) this.flush();
  }

  /** @internal */
  recorded({ inputs, outputs }: TapeNode): OpenGraph {
    const graphs: OpenGraph[] = [];
    for (const input of inputs) if (input?.node?.graph) graphs.push(input.node.graph);
    this.limit();
    return this.openGraphs.extend(graphs, outputs);
  }

  /** @internal */
  retire(variables: readonly Variable[], root: Variable): void {
    if (root.node?.graph) for (const result of this.openGraphs.close(root.node.graph)) this.left.push(result);
    for (const variable of variables) this.retired.push(variable);
    this.retiredRoots.push(root);
  }

  /** @internal */
  track(results: readonly Tracked[]): void {
    const { scope } = this;
    for (const result of results) {
      scope.tracked.add(result);
      scope.bytes += byteLength(result.dtype, result.size);
    }
    this.limit();
  }

  /** Called between ops only: the op that is about to run may need any of the copies. */
  private limit(): void {
    const { scope } = this;
    if (this.scopes.length > 1) return;
    if (scope.bytes > trackedBytes || scope.copied.size > mostCopies) this.tidy(scope);
  }

  /** @internal */
  enter(): void {
    this.scopes.push(newScope());
  }

  /** @internal */
  leave(kept: ReadonlySet<Tracked>): void {
    const scope = this.scopes.pop()!;
    for (const variable of scope.copied) variable.dropLease();
    const outermost = this.scopes.length === 1;
    for (const variable of scope.tracked) {
      if (variable.held) continue;
      if (!kept.has(variable)) variable.free('it was made inside noGrad and is not part of its result');
      else if (outermost) variable.toHost();
      else this.track([variable]);
    }
  }

  /** @internal */
  beforeEachStep(action: () => void): void {
    action();
  }

  /** @internal */
  eachStep(action: () => void): void {
    action();
  }

  /** Frees what the steps so far have kept, without waiting for the next one. */
  flush(): void {
    const { retired, retiredRoots, left } = this;
    this.retired = [];
    this.retiredRoots = [];
    this.left = [];
    for (const root of retiredRoots) root.toHost();
    for (const variable of retired) {
      if (variable.host === null && !variable.held)
        variable.free('its graph was backpropagated and a new one has begun; detach() what is to stay');
    }
    for (const result of left) if (result.isAlive && !result.held) result.toHost();
    this.tidy(this.scopes[0]);
  }

  /** Ends the backend's threads; variables can still be read. */
  dispose(): void {
    this.backend.dispose();
  }

  private tidy(scope: Scope): void {
    for (const variable of scope.copied) variable.dropLease();
    for (const variable of scope.tracked) if (!variable.held) variable.toHost();
    scope.copied.clear();
    scope.tracked.clear();
    scope.bytes = 0;
  }

  private get scope(): Scope {
    return this.scopes[this.scopes.length - 1];
  }
}

let current: Engine | null = null;
let tracing: Executor | null = null;

/** The engine that ops run on. Throws `environment` before `init`. */
export function engine(): Engine {
  if (current !== null) return current;
  throw new ConvletError('environment', 'there is no engine yet: call `await init()` (convlet/train) first');
}

/** Makes a backend the one that ops run on; variables of the one before move when they are used. */
export function useBackend(backend: Backend): Engine {
  current = new Engine(backend);
  return current;
}

/** Where ops go: to the trace that is being made, else to the engine. */
export const executor = (): Executor => tracing ?? engine();

/** The same, or null where nothing runs ops yet. */
export const currentExecutor = (): Executor | null => tracing ?? current;

/** Sends the ops of `body` to a trace. */
export function traceWith<T>(trace: Executor, body: () => T): T {
  const before = tracing;
  tracing = trace;
  try {
    return body();
  } finally {
    tracing = before;
  }
}
