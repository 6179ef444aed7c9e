/// <reference lib="esnext.disposable" preserve="true" />
import type { Backend, Session } from '../backend/backend.ts';
import { type BigIntArray, type DType, dtypes, type TypedArray } from '../common/dtype.ts';
import { asConvletError, ConvletError, shapeText } from '../common/error.ts';
import { anything, checkOptions, type KnownOf } from '../common/options.ts';
import { compile, type Plan } from '../compile/plan.ts';
import { PlanCache, shapesKey } from '../compile/plan-cache.ts';
import { optimize } from '../graph/passes/index.ts';
import type { Declared, DeclaredInput, OnnxProgram } from '../io/onnx/import.ts';
import { type ModelMetadata, readMetadata } from '../io/onnx/metadata.ts';
import type { CompiledPart, RunLimits, Specialized, Tail } from '../io/onnx/tail.ts';
import { BorrowedStorage } from '../memory/storage.ts';
import { elementCount, type Layout, userLayout } from '../tensor/layout.ts';
import { Tensor } from '../tensor/tensor.ts';
import { inspect } from '../tensor/text.ts';
import {
  checkInputs,
  checkOutputArrays,
  defaultShape,
  type InputData,
  InputSlots,
  inOrder,
  type ModelInput,
  type ModelInputs,
  type OutputArrays,
  snapshots,
  widened,
  writeOutputs,
} from './values.ts';

/** An input of a model; null where a dimension, or the whole shape, may vary. */
export type ModelInputInfo = DeclaredInput;
/** An output of a model as the file declares it; null for what it leaves open. */
export type ModelOutputInfo = Declared;

/** What `run` gives for one output: a copy of the values, row-major or in the model's `layout`, the caller's to keep. */
export interface ModelOutput<Data = TypedArray> {
  /** Element type. */
  readonly dtype: DType;
  /** Dimensions in ONNX's order (N,C,H,W); [] is a scalar. */
  readonly shape: readonly number[];
  /** The typed array of the dtype; of int64 and uint64 as the model's `int64` says. */
  readonly data: Data;
}

/** How `run` gives its results. */
export interface RunOptions {
  /**
   * Arrays that the results are written into, by output name: the typed array of the output's dtype, exactly as long as the
   * output has elements. What `run` resolves to then has these arrays as `data`, and no output that is not named.
   */
  readonly into?: OutputArrays;
}

const runKnown: KnownOf<RunOptions> = { into: anything };

/** What a model holds in the backend's memory, in bytes. The model file itself lies outside of it. */
export interface MemoryReport {
  /** Bytes of activations: the arenas of all plans in the cache. */
  readonly activations: number;
  /** Packed weights, tables, descriptors and workspace. */
  readonly weights: number;
  /** Everything that is allocated in the backend's memory now. */
  readonly total: number;
  /** The most that was allocated at any time. */
  readonly peak: number;
}

interface Prepared {
  readonly plan: Plan;
  readonly tail: Tail | null;
  readonly slots: InputSlots;
}

/** Plans of branches: a few choices for each of the combinations of input shapes that have a plan. */
const maxBranches = 16;

/** Seconds of work, not minutes: a loop of a few small nodes takes about 20 µs an iteration. */
const defaultLoopIterations = 100_000;

/** Lines of inputs and of outputs that are printed. */
const mostListed = 5;

interface ModelOptions extends Partial<RunLimits> {
  readonly layout?: 'channels-first' | 'channels-last';
  readonly int64?: 'number' | 'bigint';
}

/** A loaded network. `run()` may be called any number of times; after `dispose()` the memory is gone. */
export class Model<Data extends TypedArray | BigIntArray = TypedArray> {
  static readonly name: string = 'Model';

  /** What `run` needs: name, dtype and shape of each input, null for dimensions that may vary. */
  readonly inputs: readonly ModelInputInfo[];
  /** What `run` gives, as far as the file declares it. */
  readonly outputs: readonly ModelOutputInfo[];
  /** 'wasm', or 'js': plain JavaScript. */
  readonly backend: 'wasm' | 'js';
  /** The kernel build that runs; 'plain' on the js backend. */
  readonly variant: 'simd' | 'relaxed' | 'plain';
  /** Threads that share the work of a run. */
  readonly threads: number;
  /** Who runs it: the calling thread (with its share of the threads), or workers alone. */
  readonly leader: 'main' | 'worker';
  /** Order of the elements of inputs and outputs of rank 4 and 5. */
  readonly layout: 'channels-first' | 'channels-last';
  /** How outputs of type int64 and uint64 come. */
  readonly int64: 'number' | 'bigint';
  private readonly program: OnnxProgram;
  private readonly order: Layout;
  private readonly plans = new PlanCache<Prepared>();
  private readonly branches = new PlanCache<CompiledPart & { readonly plan: Plan }>(maxBranches);
  private engine: Backend | null;
  private session: Session | null = null;
  private readonly limits: RunLimits;
  private readonly outputNames: ReadonlySet<string>;
  /** Resolves when the last of the runs that workers have been given is over; null if there is none. */
  private queue: Promise<void> | null = null;

  /** @internal */
  constructor(program: OnnxProgram, engine: Backend, options: ModelOptions = {}) {
    this.program = program;
    this.limits = { maxLoopIterations: options.maxLoopIterations ?? defaultLoopIterations };
    this.layout = options.layout ?? 'channels-first';
    this.int64 = options.int64 ?? 'number';
    this.order = this.layout === 'channels-last' ? 'channelsLast' : 'row';
    this.engine = engine;
    this.backend = engine.name;
    this.variant = engine.variant;
    this.threads = engine.threads;
    this.leader = engine.leader;
    this.inputs = program.inputs;
    this.outputs = program.outputs;
    this.outputNames = new Set(program.outputs.map((output) => output.name));
  }

  /** What the file says of itself: opset, producer, properties, names of free dimensions. Read from the file, not checked. */
  get metadata(): ModelMetadata {
    return readMetadata(this.program.model);
  }

  /** Backend, inputs and outputs. */
  toString(): string {
    const list = (what: string, all: readonly Declared[]): string[] => {
      const lines = all.map(
        ({ name, dtype, shape }) => `  ${what} ${name}: ${dtype ?? '?'} ${shape ? shapeText(shape) : '[…]'}`,
      );
      return lines.length > mostListed
        ? [...lines.slice(0, mostListed - 1), `  … ${lines.length - mostListed + 1} more`]
        : lines;
    };
    const state = this.engine === null ? ', disposed' : '';
    const head = `Model (${this.backend} ${this.variant}, ${this.threads} thread${this.threads === 1 ? '' : 's'}${state})`;
    return [head, ...list('input', this.inputs), ...list('output', this.outputs)].join('\n');
  }

  [inspect](): string {
    return this.toString();
  }

  /**
   * Runs the network once. The first run with a new combination of input shapes compiles a plan for it; the last eight
   * plans are kept.
   *
   * With leader 'main' the work is done before `run` returns. With leader 'worker' runs wait for one another in the order
   * of the calls; the inputs are read before `run` returns in any case.
   *
   * @param inputs a value for every input of the model, by name; optional ones may be left out
   * @param options `into`: arrays for the results
   * @returns every output by name
   * @throws ConvletError `missing-input`, `unknown-name`, `dtype` or `shape` where the inputs or the arrays do not fit,
   * `shape` or `argument` where a node cannot work on these shapes, `index-range` for an index in the data that lies
   * outside its axis, `memory` where `maxMemoryBytes` does not do, `disposed` after `dispose()`. The model stays usable.
   */
  async run(inputs: ModelInputs, options?: RunOptions): Promise<{ [name: string]: ModelOutput<Data> }> {
    try {
      checkOptions('run', options, runKnown);
      const into = options?.into;
      if (this.leader === 'worker') return await this.enqueue(inputs, into);
      const prepared = this.feed(inputs);
      if (into !== undefined) checkOutputArrays(this.outputNames, prepared.plan.outputs, into);
      prepared.plan.run();
      return this.collect(prepared, inputs, into);
    } catch (error) {
      throw asConvletError('run', error);
    }
  }

  /**
   * Runs the network once and writes the results into the arrays of `into`, as `run` does with that option. From the second
   * run with the same input shapes on it allocates no JavaScript object and no memory, as long as inputs are typed arrays or
   * tensors, every step of the network has a kernel, and no shape depends on the data.
   *
   * @throws ConvletError as `run`, and `argument` for a model whose leader is a worker
   */
  runSync(inputs: ModelInputs, into: OutputArrays): void {
    if (this.leader === 'worker') {
      throw new ConvletError('argument', "runSync: expects a model whose leader is 'main', got 'worker'");
    }
    try {
      const prepared = this.feed(inputs);
      const { plan, tail } = prepared;
      checkOutputArrays(this.outputNames, plan.outputs, into);
      plan.run();
      writeOutputs(plan.outputs, tail === null ? undefined : this.late(prepared, inputs), into, this.order);
    } catch (error) {
      throw asConvletError('runSync', error);
    }
  }

  /**
   * @internal The compiled plan for these input shapes (missing ones: the model's own, with 1 for what may vary); for tools that look
   * at single steps. It is part of the model: do not dispose of it.
   */
  plan(shapes: { readonly [name: string]: readonly number[] } = {}): Plan {
    const tensors = new Map<string, Tensor>();
    for (const { name, dtype, shape, optional } of this.inputs) {
      if (optional && !Object.hasOwn(shapes, name)) continue;
      const dims = shapes[name] ?? defaultShape(shape);
      const array = new dtypes[dtype].array(elementCount(dims));
      tensors.set(name, new Tensor(dtype, dims, 'row', new BorrowedStorage(array)));
    }
    // It may compile, which moves the workspace.
    if (this.queue !== null) throw new ConvletError('argument', 'plan: expects a model that is not running');
    return this.prepare(tensors).plan;
  }

  /** Bytes held now, and the most held at any time. Throws `disposed`. */
  memory(): MemoryReport {
    const engine = this.alive();
    const activations = this.plans.heldBytes + this.branches.heldBytes;
    const { liveBytes, peakBytes } = engine.memory;
    return { activations, weights: liveBytes - activations, total: liveBytes, peak: peakBytes };
  }

  /** Frees everything; a run that is under way rejects with `disposed`. Calling it twice does nothing. */
  dispose(): void {
    this.plans.dispose();
    this.branches.dispose();
    this.session?.dispose();
    this.session = null;
    this.engine?.dispose();
    this.engine = null;
    this.program.close();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private alive(): Backend {
    if (this.engine === null) throw new ConvletError('disposed', 'this model was disposed');
    return this.engine;
  }

  /** The plan for these inputs, with them in it. */
  private feed(inputs: ModelInputs): Prepared {
    this.alive().wake?.();
    const { latest } = this.plans;
    if (latest?.slots.fill(inputs)) return latest;
    return this.place(checkInputs(this.inputs, inputs, this.order));
  }

  private place(tensors: ReadonlyMap<string, Tensor>): Prepared {
    const prepared = this.prepare(tensors);
    for (const [name, target] of prepared.plan.inputs)
      target.array.set(inOrder(tensors.get(name)!, target.layout) as Float32Array);
    return prepared;
  }

  /** A run by the workers, after those that they have been given before. */
  private async enqueue(inputs: ModelInputs, into?: OutputArrays): Promise<{ [name: string]: ModelOutput<Data> }> {
    this.alive();
    const before = this.queue;
    // While others run the plan's memory is theirs, and the caller's arrays are the caller's again when this returns.
    const waiting = before && snapshots(checkInputs(this.inputs, inputs, this.order));
    let done = (): void => {};
    const queue = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.queue = queue;
    try {
      if (before !== null) await before; // else nothing before the inputs are in: `await null` would return to the caller
      this.alive();
      const prepared = waiting === null ? this.feed(inputs) : this.place(waiting);
      if (into !== undefined) checkOutputArrays(this.outputNames, prepared.plan.outputs, into);
      const kept =
        waiting ?? (prepared.tail === null ? inputs : snapshots(checkInputs(this.inputs, inputs, this.order)));
      await prepared.plan.start();
      return this.collect(prepared, kept, into);
    } finally {
      if (this.queue === queue) this.queue = null;
      done();
    }
  }

  private prepare(tensors: ReadonlyMap<string, Tensor>): Prepared {
    const engine = this.alive();
    const key = shapesKey(tensors);
    const known = this.plans.get(key);
    if (known !== undefined) return known;
    this.session ??= engine.session();
    const { session } = this;
    const shapes = new Map([...tensors].map(([name, t]) => [name, t.shape]));
    const { graph, tail } = this.program.specialize(shapes, engine.memory.limit);
    optimize(graph);
    return this.plans.add(key, () => {
      const plan = this.compileInstead(() => compile(graph, engine, session, { layout: this.order }));
      const given = this.inputs.filter((info) => tensors.has(info.name));
      return { plan, tail, slots: new InputSlots(given, plan.inputs) };
    });
  }

  /** Where memory is short, the plans of branches are given up first. */
  private compileInstead(make: () => Plan): Plan {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ConvletError && error.code === 'memory') || this.branches.plans.length === 0) throw error;
      this.branches.dispose();
      return make();
    }
  }

  /** The outputs of what comes after the plan, if there is something. */
  private late({ plan, tail }: Prepared, inputs: ModelInputs | ReadonlyMap<string, Tensor>) {
    if (tail === null) return undefined;
    const tensors = inputs instanceof Map ? inputs : checkInputs(this.inputs, inputs as ModelInputs, this.order);
    // A plan of an engine whose leader is a worker cannot be waited for here.
    const part = this.leader === 'main' ? this.compilePart.bind(this) : null;
    return tail.run(new Map([...tensors, ...plan.outputs]), {
      ...{ backend: this.alive(), limits: this.limits, part },
      spent: { iterations: 0 },
    });
  }

  /** Branches that the data decided on, with what follows them: compiled once, like the rest of the model. */
  private compilePart(key: string, make: () => Specialized): CompiledPart {
    const known = this.branches.get(key);
    if (known !== undefined) return known;
    const { graph, tail } = make();
    return this.branches.add(key, () => ({ plan: compile(optimize(graph), this.alive(), this.session!), tail }));
  }

  private collect(
    prepared: Prepared,
    inputs: ModelInputs | ReadonlyMap<string, Tensor>,
    into?: OutputArrays,
  ): { [name: string]: ModelOutput<Data> } {
    const { outputs } = prepared.plan;
    const late = this.late(prepared, inputs);
    if (into !== undefined) writeOutputs(outputs, late, into, this.order);
    const results: { [name: string]: ModelOutput<Data> } = {};
    for (const { name } of this.outputs) {
      if (into !== undefined && !Object.hasOwn(into, name)) continue;
      const tensor = late?.get(name) ?? outputs.get(name);
      if (tensor === undefined) throw new Error(`output '${name}' was not computed`);
      const value = {
        dtype: tensor.dtype,
        shape: tensor.shape.slice(),
        data: (into?.[name] ?? this.copyOf(tensor)) as Data,
      };
      if (name in results)
        Object.defineProperty(results, name, { value, enumerable: true, writable: true }); // a name may be __proto__
      else results[name] = value;
    }
    return results;
  }

  private copyOf(tensor: Tensor): TypedArray | BigIntArray {
    const values = tensor.dataIn(userLayout(this.order, tensor.rank));
    return this.int64 === 'bigint' ? widened(tensor.dtype, values) : values;
  }
}

export { defaultShape, type InputData, type ModelInput, type ModelMetadata, type OutputArrays };
