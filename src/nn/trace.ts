import type { Engine } from '../autograd/engine.ts';
import { type Executor, isRandomKey, type Variable } from '../autograd/index.ts';
import { JsBackend } from '../backend/js/backend.ts';
import { allJsPrims } from '../backend/js/training-prims.ts';
import type { TypedArray } from '../common/dtype.ts';
import { ConvletError } from '../common/error.ts';
import { GraphBuilder, NeedsData } from '../graph/builder.ts';
import { constantValue, type Graph, newValue, stateValue, type Value } from '../graph/graph.ts';
import type { OpDef, TensorInfo } from '../ops/core/op.ts';
import { constant, type Tensor } from '../tensor/tensor.ts';

/**
 * Writes the ops of a model down as a graph. Parameters, buffers and optimizer state are the engine's memory, read and
 * written where they are; with `frozen` parameters and buffers are constants, which passes may fold. Other data is constant.
 */
export class TraceExecutor implements Executor {
  static readonly name: string = 'TraceExecutor';

  readonly isTrace = true;
  /** What each run of the graph is to be preceded and followed by. */
  readonly before: (() => void)[] = [];
  readonly after: (() => void)[] = [];
  /** Parameters whose gradients are wanted, besides values that the trace makes. Gradients of others would stay as values of the graph. */
  learning: ReadonlySet<Variable> = new Set();
  /** Told of each op and its results. */
  onApply:
    | ((values: readonly Value[], op: OpDef, inputs: readonly (TensorInfo | null)[], attrs: unknown) => void)
    | null = null;
  private readonly engine: Engine;
  private readonly frozen: boolean;
  private readonly builder = new GraphBuilder(new JsBackend({ prims: allJsPrims }));
  private readonly inputs: Value[] = [];
  private readonly materialized = new Map<Variable, Value>();
  private readonly updates: Value[] = [];

  constructor(engine: Engine, frozen = false) {
    this.engine = engine;
    this.frozen = frozen;
  }

  accumulates(leaf: Variable): boolean {
    return this.learning.has(leaf) || leaf.lease?.owner === this;
  }

  /** A value that the caller fills before each run. */
  input(name: string, info: TensorInfo): Value {
    const value = newValue(name, info.dtype, info.shape);
    this.inputs.push(value);
    return value;
  }

  /** The graph of the named results and of everything that is written in place. */
  finish(outputs: { name: string; value: Value }[]): Graph {
    const written = this.updates.map((value, i) => ({ name: `update ${i}`, value }));
    return this.builder.finish(this.inputs, [...outputs, ...written]);
  }

  apply(op: OpDef, inputs: readonly (TensorInfo | null)[], attrs: unknown): Value[] {
    let outputs: Value[];
    try {
      outputs = this.builder.addOp(op, inputs as readonly (Value | null)[], attrs, op.name);
    } catch (error) {
      if (!(error instanceof NeedsData)) throw error;
      throw new ConvletError('unsupported', `compile: ${error.message}, so the step has no fixed shapes`, {
        cause: error,
      });
    }
    this.onApply?.(outputs, op, inputs, attrs);
    if (op.inPlace !== undefined) this.updates.push(...outputs);
    return outputs;
  }

  constant(array: TypedArray, shape: readonly number[]): Value {
    return constantValue('constant', constant(array, shape));
  }

  materialize(variable: Variable): Value {
    variable.expectAlive();
    if (variable.lease?.owner === this) return variable.lease.handle as Value;
    let value = this.materialized.get(variable);
    if (value === undefined) {
      value = this.adopt(variable);
      this.materialized.set(variable, value);
    }
    return value;
  }

  private adopt(variable: Variable): Value {
    if (variable.lifetime === 'persistent' && (!this.frozen || isRandomKey(variable))) {
      return stateValue('state', this.engine.materialize(variable));
    }
    const { host } = variable;
    const fixed: Tensor = host?.constant ? host : constant(variable.data, variable.shape, variable.dtype);
    return constantValue('constant', fixed);
  }

  beforeEachStep(action: () => void): void {
    this.before.push(action);
  }

  eachStep(action: () => void): void {
    this.after.push(action);
  }

  exclusive(): boolean {
    return true;
  }

  version(): number {
    return 0;
  }

  // A trace owns no memory, so there is nothing to count.
  retain(): void {}
  release(): void {}
  written(): void {}
  beforeRecorded(): void {}
  recorded(): null {
    return null;
  }
  retire(): void {}
  track(): void {}
  enter(): void {}
  leave(): void {}
}
