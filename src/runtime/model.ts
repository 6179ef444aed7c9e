/// <reference lib="esnext.disposable" preserve="true" />
import type { Backend, Session } from '../backend/backend.ts';
import { type DType, describe, dtypes, type TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { compile, type Plan } from '../compile/plan.ts';
import { optimize } from '../graph/passes/index.ts';
import type { Declared, DeclaredInput, OnnxProgram } from '../io/onnx/import.ts';
import type { RunLimits, Tail } from '../io/onnx/tail.ts';
import { BorrowedStorage } from '../memory/storage.ts';
import { elementCount, sameMemory } from '../tensor/layout.ts';
import { checkShape, Tensor, toArray } from '../tensor/tensor.ts';

/** An input of a model; null where a dimension, or the whole shape, may vary. */
export type ModelInputInfo = DeclaredInput;
/** An output of a model as the file declares it; null for what it leaves open. */
export type ModelOutputInfo = Declared;

/**
 * What `run` takes for one input: a Tensor, or values in logical row-major order with their shape. `data`: the typed array
 * of the input's dtype (float32: Float32Array, int64: Int32Array, bool: Uint8Array, …), or plain numbers. `shape` may be
 * left out where the model fixes all dimensions. Nothing is kept of it after the run.
 */
export type ModelInput = Tensor | { readonly data: TypedArray | readonly number[]; readonly shape?: readonly number[] };

/** What `run` gives for one output: a copy of the values in logical row-major order, the caller's to keep. */
export interface ModelOutput {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

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
}

/** Seconds of work, not minutes: a loop of a few small nodes takes about 20 µs an iteration. */
const defaultLoopIterations = 100_000;

/** Plans kept per model: one for each combination of input shapes seen lately. */
const maxPlans = 8;

/** A loaded network. `run()` may be called any number of times; after `dispose()` the memory is gone. */
export class Model {
  /** What `run` needs: name, dtype and shape of each input, null for dimensions that may vary. */
  readonly inputs: readonly ModelInputInfo[];
  /** What `run` gives, as far as the file declares it. */
  readonly outputs: readonly ModelOutputInfo[];
  readonly backend: 'wasm' | 'js';
  /** The kernel build that runs; 'plain' on the js backend. */
  readonly variant: 'simd' | 'relaxed' | 'plain';
  /** Threads that share the work of a run. */
  readonly threads: number;
  private readonly program: OnnxProgram;
  private readonly plans = new Map<string, Prepared>();
  private engine: Backend | null;
  private session: Session | null = null;
  private readonly limits: RunLimits;

  constructor(program: OnnxProgram, engine: Backend, limits: Partial<RunLimits> = {}) {
    this.program = program;
    this.limits = { maxLoopIterations: limits.maxLoopIterations ?? defaultLoopIterations };
    this.engine = engine;
    this.backend = engine.name;
    this.variant = engine.variant;
    this.threads = engine.threads;
    this.inputs = program.inputs;
    this.outputs = program.outputs;
  }

  /**
   * Runs the network once. The first run with a new combination of input shapes compiles a plan for it; the last eight
   * plans are kept.
   *
   * @param inputs a value for every input of the model, by name
   * @returns every output by name
   * @throws ConvletError `missing-input`, `unknown-name`, `dtype` or `shape` where the inputs do not fit, `shape` or
   * `argument` where a node cannot work on these shapes, `index-range` for an index in the data that lies outside its
   * axis, `memory` where `maxMemoryBytes` does not do, `disposed` after `dispose()`. The model stays usable.
   */
  async run(inputs: { readonly [name: string]: ModelInput }): Promise<{ [name: string]: ModelOutput }> {
    const tensors = this.check(inputs);
    const { plan, tail } = this.prepare(tensors);
    for (const [name, target] of plan.inputs) target.array.set(inRowOrder(tensors.get(name)!) as Float32Array);
    plan.run();
    return this.collect(plan, tail, tensors);
  }

  /**
   * The compiled plan for these input shapes (missing ones: the model's own, with 1 for what may vary); for tools that look
   * at single steps. It is part of the model: do not dispose of it.
   */
  plan(shapes: { readonly [name: string]: readonly number[] } = {}): Plan {
    const tensors = new Map<string, Tensor>();
    for (const { name, dtype, shape } of this.inputs) {
      const dims = shapes[name] ?? defaultShape(shape);
      const array = new dtypes[dtype].array(elementCount(dims));
      tensors.set(name, new Tensor(dtype, dims, 'row', new BorrowedStorage(array)));
    }
    return this.prepare(tensors).plan;
  }

  /** Bytes held now, and the most held at any time. Throws `disposed`. */
  memory(): MemoryReport {
    const engine = this.alive();
    const activations = [...this.plans.values()].reduce((sum, { plan }) => sum + plan.heldBytes, 0);
    const { liveBytes, peakBytes } = engine.memory;
    return { activations, weights: liveBytes - activations, total: liveBytes, peak: peakBytes };
  }

  /** Frees everything; calling it twice does nothing. */
  dispose(): void {
    for (const { plan } of this.plans.values()) plan.dispose();
    this.plans.clear();
    this.session?.dispose();
    this.session = null;
    this.engine?.dispose();
    this.engine = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private alive(): Backend {
    if (this.engine === null) throw new ConvletError('disposed', 'this model was disposed');
    return this.engine;
  }

  private check(inputs: { readonly [name: string]: ModelInput }): Map<string, Tensor> {
    this.alive();
    if (typeof inputs !== 'object' || inputs === null) {
      throw new ConvletError('argument', `run: expects an object of inputs by name, got ${String(inputs)}`);
    }
    const names = this.inputs.map((input) => input.name);
    for (const name of Object.keys(inputs)) {
      if (names.includes(name)) continue;
      throw new ConvletError(
        'unknown-name',
        `run: the model has no input '${name}'; its inputs are ${names.join(', ')}`,
      );
    }
    return new Map(
      this.inputs.map((info) => {
        // Not what every object inherits: a model may well have an input 'constructor'.
        const given = Object.hasOwn(inputs, info.name) ? inputs[info.name] : undefined;
        return [info.name, oneOrZero(checkInput(info, given))];
      }),
    );
  }

  private prepare(tensors: ReadonlyMap<string, Tensor>): Prepared {
    const engine = this.alive();
    const key = [...tensors].map(([name, t]) => `${name}:${t.shape.join('x')}`).join();
    const known = this.plans.get(key);
    if (known !== undefined) {
      this.plans.delete(key); // moves to the end: the first entry is the one unused for longest
      this.plans.set(key, known);
      return known;
    }
    while (this.plans.size >= maxPlans) this.evict();
    this.session ??= engine.session();
    const shapes = new Map([...tensors].map(([name, t]) => [name, t.shape]));
    const { graph, tail } = this.program.specialize(shapes, engine.memory.limit);
    optimize(graph);
    const plan = this.compileWithin(() => compile(graph, engine, this.session!));
    const prepared = { plan, tail };
    this.plans.set(key, prepared);
    return prepared;
  }

  /** Where memory is short, plans of other shapes go first. */
  private compileWithin(make: () => Plan): Plan {
    for (;;) {
      try {
        return make();
      } catch (error) {
        if (!(error instanceof ConvletError && error.code === 'memory') || this.plans.size === 0) throw error;
        this.evict();
      }
    }
  }

  private evict(): void {
    const [oldest] = this.plans;
    oldest[1].plan.dispose();
    this.plans.delete(oldest[0]);
  }

  private collect(plan: Plan, tail: Tail | null, inputs: ReadonlyMap<string, Tensor>): { [name: string]: ModelOutput } {
    const late = tail?.run(new Map([...inputs, ...plan.outputs]), this.alive(), this.limits);
    return Object.fromEntries(
      this.outputs.map(({ name }) => {
        const tensor = late?.get(name) ?? plan.outputs.get(name);
        if (tensor === undefined) throw new Error(`output '${name}' was not computed`);
        return [name, { dtype: tensor.dtype, shape: [...tensor.shape], data: tensor.data }];
      }),
    );
  }
}

function checkInput(info: ModelInputInfo, given: ModelInput | undefined): Tensor {
  const what = `input '${info.name}'`;
  const expected = `${info.dtype} ${info.shape === null ? 'of any shape' : shapeText(info.shape)}`;
  if (given === undefined || given === null) {
    throw new ConvletError('missing-input', `run: ${what} (${expected}) is missing`);
  }
  if (given instanceof Tensor) return fits(info, given);
  const { data } = given;
  const type = dtypes[info.dtype];
  const fixed = info.shape?.every((d) => d !== null) ? (info.shape as number[]) : null;
  const dims = given.shape ?? fixed;
  if (dims === null) throw new ConvletError('shape', `run: ${what} needs a shape that fits ${expected}`);
  const shape = checkShape(`run: ${what}`, dims);
  const array = Array.isArray(data) ? toArray(`run: ${what}`, data, info.dtype) : data;
  if (!(array instanceof type.array)) {
    const got = describe(array);
    throw new ConvletError('dtype', `run: ${what} expects a ${type.array.name} (${expected}), got ${got}`);
  }
  if (array.length !== elementCount(shape)) {
    const wanted = elementCount(shape);
    throw new ConvletError(
      'shape',
      `run: ${what} has ${array.length} values, shape ${shapeText(shape)} needs ${wanted}`,
    );
  }
  return fits(info, new Tensor(info.dtype, shape, 'row', new BorrowedStorage(array)));
}

/** Truth values as 0 and 1, which kernels count on; any other number but 0 is true. */
function oneOrZero(tensor: Tensor): Tensor {
  if (tensor.dtype !== 'bool' || tensor.array.every((value) => value <= 1)) return tensor;
  const values = Uint8Array.from(tensor.data, (value) => Number(value !== 0));
  return new Tensor('bool', tensor.shape, 'row', new BorrowedStorage(values));
}

function fits(info: ModelInputInfo, tensor: Tensor): Tensor {
  if (tensor.dtype !== info.dtype) {
    throw new ConvletError('dtype', `run: input '${info.name}' expects ${info.dtype}, got ${tensor.dtype}`);
  }
  const { shape } = info;
  if (shape === null) return tensor;
  if (tensor.rank === shape.length && shape.every((d, i) => d === null || d === tensor.shape[i])) return tensor;
  const got = shapeText(tensor.shape);
  throw new ConvletError('shape', `run: input '${info.name}' expects shape ${shapeText(shape)}, got ${got}`);
}

/** The declared shape with 1 for what may vary. */
export function defaultShape(shape: readonly (number | null)[] | null): number[] {
  return shape?.map((d) => d ?? 1) ?? [];
}

/** The elements in row-major order, without a copy where they lie so. */
function inRowOrder(tensor: Tensor): TypedArray {
  return sameMemory(tensor.shape, tensor.layout, 'row') ? tensor.array : tensor.data;
}
