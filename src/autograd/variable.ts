import { allocateArray, type DType, dtypeOf, dtypes, holds, type TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { fits, flag, type Kind, type KnownOf, oneOf, refuse, shown } from '../common/options.ts';
import type { GradContext, TensorInfo } from '../ops/core/op.ts';
import { elementCount } from '../tensor/layout.ts';
import { Tensor, tensor } from '../tensor/tensor.ts';
import { inspect, valuesText } from '../tensor/text.ts';
import { type HandleOwner, Lease } from './lease.ts';
import type { OpenGraph } from './open-graphs.ts';

export type GradHook = (grad: Variable) => Variable | undefined;

/** Gradients by the inputs, from those by the outputs; written with ops. References added to `made` are released afterwards. */
export type Rule = (g: GradContext<unknown>, made: TensorInfo[]) => (TensorInfo | null)[];

/** One recorded op. */
export interface TapeNode {
  /** Grows: a node's inputs have smaller ones. */
  readonly id: number;
  readonly name: string;
  readonly attrs: unknown;
  readonly inputs: readonly (Variable | null)[];
  readonly outputs: readonly Variable[];
  /** Of the inputs' memory, when the op read it. */
  readonly versions: readonly number[];
  /** Null: the op has no gradient. */
  readonly rule: Rule | null;
  /** Its rule cannot be recorded: there is no second gradient. */
  readonly once?: boolean;
  /** Backpropagated, and not to be again. */
  released: boolean;
  /** What it belongs to until then; null in a trace. */
  graph: OpenGraph | null;
}

/** How long a variable's memory in the backend lasts: with the step that made it, or as long as the variable. */
export type Lifetime = 'step' | 'persistent';

/**
 * A tensor that the tape knows: its elements are in the JavaScript heap (data given by the user), in the backend's memory
 * (parameters, results), or both. Operations on it are the functions of `F` and the methods of the same names, which
 * methods.ts adds.
 */
export class Variable {
  static readonly name: string = 'Variable';

  /** Logical dimensions in PyTorch's order (N,C,H,W); [] for a scalar. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: DType;
  /** Whether gradients by this variable are wanted. Results have it if an operand has. */
  requiresGrad: boolean;
  /** @internal The recorded op that made this; null for leaves. */
  node: TapeNode | null = null;
  /** @internal */
  readonly lifetime: Lifetime;
  /** @internal Elements in the JavaScript heap, row-major; null if they are in the backend's memory only. */
  host: Tensor | null;
  /** @internal */
  lease: Lease | null = null;
  /** @internal */
  hooks: Set<GradHook> | null = null;
  /** @internal */
  keepsGrad = false;
  /** @internal Held by another variable as its gradient, which no scope may free. */
  held = false;
  /** @internal Times that `set` was called: an op that read the elements before has read others. */
  writes = 0;
  private gradient: Variable | null = null;
  private gone: string | null = null;

  /** @internal */
  constructor(info: TensorInfo, host: Tensor | null, requiresGrad = false, lifetime: Lifetime = 'step') {
    if (requiresGrad && dtypes[info.dtype].kind !== 'float') {
      throw new ConvletError('dtype', `only floating-point variables have gradients, got ${info.dtype}`);
    }
    this.shape = info.shape;
    this.dtype = info.dtype;
    this.host = host;
    this.requiresGrad = requiresGrad;
    this.lifetime = lifetime;
  }

  /** @internal A result: owns one reference to `handle`. */
  static of(handle: TensorInfo, owner: HandleOwner): Variable {
    const made = new Variable(handle, null);
    made.own(new Lease(handle, owner));
    return made;
  }

  /** @internal */
  own(lease: Lease): void {
    this.lease = lease;
    lease.watch(this);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  /** A matrix transposed. Throws `shape` for another rank; permute() is for those. */
  get T(): Variable {
    if (this.rank !== 2)
      throw new ConvletError('shape', `T: expects a matrix, got shape ${shapeText(this.shape)}; use permute()`);
    return this.transpose(0, 1);
  }

  /** Made by the user or detached, not by a recorded op. */
  get isLeaf(): boolean {
    return this.node === null;
  }

  /** Accumulated gradient of what was backpropagated; null before, and after `zeroGrad`. Its memory is this variable's. */
  get grad(): Variable | null {
    return this.gradient;
  }

  set grad(grad: Variable | null) {
    if (grad === this.gradient) return;
    if (grad !== null && !(grad instanceof Variable))
      throw new ConvletError('argument', `grad: expects a variable or null, got ${shown(grad)}; use variable(values)`);
    if (grad !== null && (grad.shape.length !== this.shape.length || grad.shape.some((d, i) => d !== this.shape[i]))) {
      throw new ConvletError(
        'shape',
        `grad: expects the variable's shape ${shapeText(this.shape)}, got ${shapeText(grad.shape)}`,
      );
    }
    const old = this.gradient;
    this.gradient = grad;
    // Of a variable of the step, its gradient is one too, and moves to the JavaScript heap when the step is over.
    if (grad !== null) grad.held = this.lifetime === 'persistent';
    if (old !== null) {
      old.held = false;
      // One with a history (createGraph) may be a part of what is computed now.
      if (old.node === null) old.free('a gradient that was replaced');
    }
  }

  /** A copy of the elements, row-major. */
  get data(): TypedArray {
    return this.read().data;
  }

  /** The elements as a tensor of the JavaScript heap or backend; a view, valid until the variable changes or goes. */
  read(): Tensor {
    this.expectAlive();
    if (this.lease !== null) {
      if (this.lease.handle instanceof Tensor) return this.lease.handle;
      throw new ConvletError(
        'unsupported',
        'a value inside a compiled step has no elements yet; return it from the step',
      );
    }
    return this.host!;
  }

  /** The only element. Throws `shape` if there are more. */
  item(): number {
    if (this.size === 1) return this.read().array[0];
    throw new ConvletError('shape', `item: expects one element, got shape ${shapeText(this.shape)}`);
  }

  /**
   * Writes new elements (row-major) into the variable's memory.
   *
   * @throws ConvletError `shape` where the count differs
   */
  set(values: ArrayLike<number>): this {
    this.expectAlive();
    if (values.length !== this.size) {
      throw new ConvletError(
        'shape',
        `set: shape ${shapeText(this.shape)} expects ${this.size} values, got ${values.length}`,
      );
    }
    if (this.node !== null)
      throw new ConvletError('argument', `set: the result of '${this.node.name}' cannot be written`);
    // Backend memory that was only a copy of these elements is not theirs any more.
    if (this.lifetime === 'step' && this.lease !== null) this.toHost();
    const target = this.lease === null ? this.host! : (this.lease.handle as Tensor);
    target.array.set(values);
    this.lease?.owner.written(this.lease.handle);
    this.writes++;
    return this;
  }

  /** @internal Another variable of the same memory, without history; one of a step lets go of the memory when the step ends. */
  share(lifetime: Lifetime = this.lifetime): Variable {
    this.expectAlive();
    const made = new Variable(this, this.lease === null ? this.host : null, false, lifetime);
    if (this.lease === null) return made;
    const { handle, owner } = this.lease;
    owner.retain(handle);
    made.own(new Lease(handle, owner));
    if (lifetime === 'step') owner.track([made]);
    return made;
  }

  /** Calls `hook` with each gradient by this variable; what it returns replaces the gradient. Returns how to remove it. */
  registerHook(hook: GradHook): () => void {
    this.expectGrad('registerHook');
    this.hooks ??= new Set();
    this.hooks.add(hook);
    return () => void this.hooks?.delete(hook);
  }

  /** Keeps `grad` of a result too, as leaves do. */
  retainGrad(): this {
    this.expectGrad('retainGrad');
    this.keepsGrad = true;
    return this;
  }

  /** Says whether gradients by this leaf are wanted; returns it. Throws `argument` for a result of an op, `dtype` for whole numbers. */
  requiresGrad_(value = true): this {
    if (this.node !== null)
      throw new ConvletError(
        'argument',
        `requiresGrad_: only leaves can change it; this is the result of '${this.node.name}'`,
      );
    if (value && dtypes[this.dtype].kind !== 'float')
      throw new ConvletError('dtype', `requiresGrad_: only floating-point variables have gradients, got ${this.dtype}`);
    this.requiresGrad = value;
    return this;
  }

  /** Gives the memory back at once; using the variable afterwards is a ConvletError('disposed'). */
  dispose(): void {
    this.grad = null;
    this.free('it was disposed');
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal Copies the elements to the JavaScript heap and frees the backend's memory. */
  toHost(): void {
    if (this.lease === null || !(this.lease.handle instanceof Tensor)) return;
    this.host ??= tensor(this.lease.handle.data, this.shape, this.dtype);
    this.dropLease();
  }

  /** @internal */
  dropLease(): void {
    this.lease?.release();
    this.lease = null;
  }

  /** @internal Frees the memory; a later use throws an error that says `why`. */
  free(why: string): void {
    this.dropLease();
    this.host = null;
    this.gone = why;
  }

  /** Whether its elements can be read: false after dispose(). */
  get isAlive(): boolean {
    return this.gone === null;
  }

  /** @internal */
  expectAlive(): void {
    if (this.gone !== null)
      throw new ConvletError('disposed', `this variable (shape ${shapeText(this.shape)}) is gone: ${this.gone}`);
  }

  private expectGrad(what: string): void {
    if (!this.requiresGrad) throw new ConvletError('argument', `${what}: this variable does not require gradients`);
  }

  /** Type, shape, history and the first values. */
  toString(): string {
    const made = this.node === null ? '' : `, made by ${this.node.name}`;
    const head = `${this.constructor.name}(${this.dtype}${shapeText(this.shape)}${this.requiresGrad ? ', requiresGrad' : ''}${made})`;
    if (this.gone !== null) return `${head}, gone: ${this.gone}`;
    if (this.lease !== null && !(this.lease.handle instanceof Tensor)) return `${head}, inside a compiled step`;
    return `${head}\n${valuesText(this.dtype, this.shape, this.data)}`;
  }

  /** Type, shape and elements (row-major), for JSON.stringify. */
  toJSON(): { dtype: DType; shape: readonly number[]; data: number[] } {
    return { dtype: this.dtype, shape: this.shape, data: Array.from(this.data) };
  }

  [inspect](): string {
    return this.toString();
  }
}

/** Numbers or truth values, a typed array, nested arrays of these. */
export type Values = number | boolean | TypedArray | readonly Values[];

export interface VariableOptions {
  readonly requiresGrad?: boolean;
  readonly dtype?: DType;
}

/** Of the option `dtype` everywhere. */
export const dtypeKind: Kind<DType> = /* @__PURE__ */ oneOf(...(Object.keys(dtypes) as DType[]));
const variableKnown: KnownOf<VariableOptions> = { requiresGrad: flag, dtype: dtypeKind };

/**
 * A variable from values in row-major order, which are copied.
 *
 * @param values a number, a truth value, a typed array, or (nested) arrays of numbers or truth values (bool)
 * @param shape default: that of the nesting
 * @throws ConvletError `shape` where counts differ or nested arrays are ragged, `dtype`
 */
export function variable(values: Values | Tensor, shape?: readonly number[], options: VariableOptions = {}): Variable {
  if (!fits(options, variableKnown)) refuse('variable', options, variableKnown, { values, shape });
  if (shape != null && !Array.isArray(shape))
    throw new ConvletError(
      'argument',
      `variable: shape expects an array, got ${shown(shape)}: variable(values, shape, options)`,
    );
  if (values instanceof Tensor) {
    const copy = tensor(values.data, shape ?? values.shape, values.dtype);
    return new Variable(copy, copy, options.requiresGrad ?? false);
  }
  const found: number[] = [];
  const flat = ArrayBuffer.isView(values) ? values : flatten(values, found, 0);
  const dtype = options.dtype ?? (!Array.isArray(flat) ? dtypeOf(flat) : isTruth(values) ? 'bool' : 'float32');
  const array = allocateArray(dtype, (flat as ArrayLike<number>).length);
  if (options.dtype !== undefined && dtypes[dtype].kind !== 'float') expectHeld(dtype, flat as ArrayLike<number>);
  array.set(flat as ArrayLike<number>);
  const made = tensor(array, shape ?? (Array.isArray(flat) ? found : [array.length]), dtype);
  const requiresGrad = options.requiresGrad ?? false;
  // What an optimizer updates stays where it is.
  return new Variable(made, made, requiresGrad, requiresGrad ? 'persistent' : 'step');
}

/** Whether (nested) arrays begin with a truth value: then all of them are such. */
function isTruth(values: unknown): boolean {
  let first = values;
  while (Array.isArray(first)) first = first[0];
  return typeof first === 'boolean';
}

/** Throws `argument` for the first value that an integer or bool type cannot hold. */
function expectHeld(dtype: DType, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (holds(dtype, values[i])) continue;
    const range = dtype.endsWith('64') ? ' (whole numbers of 32 bits)' : '';
    throw new ConvletError(
      'argument',
      `variable: ${dtype}${range} cannot hold ${values[i]} at position ${i}; use dtype 'float32', or round and limit the values`,
    );
  }
}

function flatten(values: Values, shape: number[], depth: number): number[] {
  if (typeof values === 'number' || typeof values === 'boolean') {
    if (depth !== shape.length)
      throw new ConvletError('shape', 'variable: nested arrays expect the same depth everywhere');
    return [Number(values)];
  }
  const list = values as ArrayLike<Values>;
  if (!Array.isArray(values) && !ArrayBuffer.isView(values))
    throw new ConvletError('argument', `variable: expects numbers, got ${String(values)}`);
  shape[depth] ??= list.length;
  if (shape[depth] !== list.length)
    throw new ConvletError(
      'shape',
      `variable: nested arrays expect ${shape[depth]} entries at depth ${depth}, got ${list.length}`,
    );
  return Array.from(list).flatMap((entry) => flatten(entry, shape, depth + 1));
}
