import type { Variable } from '../autograd/index.ts';
import type { DType } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { checkOptions, fits, flag, type KnownOf, refuse } from '../common/options.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { inspect } from '../tensor/text.ts';
import { type ForwardHook, type ForwardPreHook, type HookHandle, Hooks } from './hooks.ts';
import { ModuleBuffer, Parameter } from './parameter.ts';

/** Tensors by PyTorch's names: what checkpoints hold. */
export type StateDict = Record<string, Tensor>;

/** What `loadStateDict` takes: tensors, or what a safetensors file is read into. */
export type StateSource = { readonly [name: string]: StateEntry } | ReadonlyMap<string, StateEntry>;
interface StateEntry {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  readonly data: ArrayLike<number>;
}

/** Names of fields as PyTorch has them in a state dict: runningMean is running_mean. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export interface LoadStateOptions {
  /** Default true: missing and unexpected names are errors. */
  readonly strict?: boolean;
}

export interface CountOptions {
  /** Only what learns. */
  readonly trainable?: boolean;
}

const loadStateKnown: KnownOf<LoadStateOptions> = { strict: flag };
const countKnown: KnownOf<CountOptions> = { trainable: flag };

/** A module whose `forward` may return anything. */
export type AnyModule = Module<unknown>;

/**
 * A part of a network. Subclasses have fields that are modules and parameters, and a `forward`; their names are those of
 * the state dict.
 *
 * ```ts
 * class Net extends nn.Module {
 *   conv = new nn.Conv2d(1, 8, 3, { padding: 1 });
 *   fc = new nn.Linear(8 * 28 * 28, 10);
 *   forward(x: Variable) {
 *     return this.fc.forward(F.relu(this.conv.forward(x)).flatten(1));
 *   }
 * }
 * ```
 */
export abstract class Module<R = Variable> {
  /** Names of classes are written out, as minifiers shorten them: errors, summaries and checkpoints show them. */
  static readonly name: string = 'Module';

  /** Whether the module trains: dropout drops and batch norm uses the batch's statistics. */
  training = true;

  /** A subclass says which inputs it takes: usually variables, or arrays and records of them. */
  // biome-ignore lint/suspicious/noExplicitAny: a subclass knows its inputs
  abstract forward(...inputs: any[]): R;

  /**
   * Direct children by name: fields, and entries of fields that are arrays or plain objects, as in a ModuleList or ModuleDict. Private
   * fields (`#name`) cannot be found.
   */
  *namedChildren(): Generator<[string, AnyModule]> {
    yield* held(
      this,
      (value): value is AnyModule => value instanceof Module,
      (field) => field,
    );
  }

  /** Parameters and buffers of this module alone by name: those of its fields, as `namedChildren` finds modules. */
  *namedState(): Generator<[string, Parameter | ModuleBuffer]> {
    yield* held(this, isState, snakeCase);
  }

  /** The modules in its fields. */
  *children(): Generator<AnyModule> {
    for (const [, child] of this.namedChildren()) yield child;
  }

  /** This module and all below it, each once, parents first. */
  *namedModules(prefix = '', seen = new Set<AnyModule>()): Generator<[string, AnyModule]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(join(prefix, name), seen);
  }

  /** This module and all below it, each once, parents first. */
  *modules(): Generator<AnyModule> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** Parameters of this module and all below it with their names in a state dict, each once. */
  *namedParameters(): Generator<[string, Parameter]> {
    yield* once(named(this, isParameter));
  }

  /** Parameters of this module and all below it, each once. */
  *parameters(): Generator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** Buffers of this module and all below it with their names in a state dict, each once. */
  *namedBuffers(): Generator<[string, ModuleBuffer]> {
    yield* once(named(this, isBuffer));
  }

  /** Buffers of this module and all below it, each once. */
  *buffers(): Generator<ModuleBuffer> {
    for (const [, buffer] of this.namedBuffers()) yield buffer;
  }

  /** Training mode for this module and all below it: dropout drops, batch norm uses the batch. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Evaluation mode for this module and all below it. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Calls `hook(module, inputs, output)` after each forward of this module, eagerly and when a step is traced; what it returns, if
   * anything, replaces the output.
   *
   * @returns how to take it away: `remove()`
   */
  registerForwardHook(hook: ForwardHook<this>): HookHandle {
    return this.hooks().addAfter(hook as ForwardHook);
  }

  /** Calls `hook(module, inputs)` before each forward; what it returns, if anything, replaces the inputs. */
  registerForwardPreHook(hook: ForwardPreHook<this>): HookHandle {
    return this.hooks().addBefore(hook as ForwardPreHook);
  }

  private hooks(): Hooks {
    // No field of the class: fields are what a module holds.
    let hooks = hooksOf.get(this);
    if (hooks === undefined) {
      hooks = new Hooks(this);
      hooksOf.set(this, hooks);
    }
    return hooks;
  }

  /** Calls `visit` with every module, children first. */
  apply(visit: (module: AnyModule) => void): this {
    for (const child of this.children()) child.apply(visit);
    visit(this);
    return this;
  }

  /** Says of all parameters whether they learn. */
  requiresGrad_(value = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(value);
    return this;
  }

  /** Gradients of all parameters become null. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** Copies of all parameters and buffers, under PyTorch's names. */
  stateDict(): StateDict {
    const state: StateDict = {};
    for (const [name, value] of named(this, isState)) state[name] = tensor(value.data, value.shape, value.dtype);
    return state;
  }

  /**
   * Writes parameters and buffers from a state dict.
   *
   * @param options strict (default true): missing and unexpected names are errors; shapes always must fit
   * @returns the names that were missing and unexpected
   * @throws ConvletError `shape` with the complete list of what does not fit; nothing has been written then
   */
  loadStateDict(source: StateSource, options: LoadStateOptions = {}): { missing: string[]; unexpected: string[] } {
    if (!fits(options, loadStateKnown)) refuse('loadStateDict', options, loadStateKnown, { source });
    const given = source instanceof Map ? source : new Map(Object.entries(source as { [name: string]: StateEntry }));
    const own = new Map(named(this, isState));
    // PyTorch before 0.4.1 did not save the counters; a file without them is complete.
    const optional = (name: string): boolean => name.endsWith('num_batches_tracked');
    const missing = [...own.keys()].filter((name) => !given.has(name) && !optional(name));
    const unexpected = [...given.keys()].filter((name) => !own.has(name));
    const misshaped = [...own].flatMap(([name, { shape }]) => {
      const entry = given.get(name);
      if (entry === undefined || shapeText(entry.shape) === shapeText(shape)) return [];
      return [`${name} (expected ${shapeText(shape)}, got ${shapeText(entry.shape)})`];
    });
    const strict = options.strict ?? true;
    const lists: [string, string[]][] = [
      ['missing', strict ? missing : []],
      ['unexpected', strict ? unexpected : []],
      ['of another shape', misshaped],
    ];
    const wrong = lists.filter(([, names]) => names.length > 0).map(([what, names]) => `${what}: ${names.join(', ')}`);
    if (wrong.length > 0)
      throw new ConvletError(
        'shape',
        `loadStateDict: the state does not fit ${this.constructor.name}; ${wrong.join('; ')}`,
      );
    for (const [name, value] of own) {
      const entry = given.get(name);
      if (entry !== undefined) value.set(entry.data);
    }
    return { missing, unexpected };
  }

  /** Number of elements of all parameters; only of those that learn with `trainable`. */
  parameterCount(options: CountOptions = {}): number {
    checkOptions('parameterCount', options, countKnown);
    let count = 0;
    for (const parameter of this.parameters())
      if (!options.trainable || parameter.requiresGrad) count += parameter.size;
    return count;
  }

  /** Gives the backend's memory of parameters and buffers back. */
  dispose(): void {
    for (const [, value] of named(this, isState)) value.dispose();
  }

  /** The text in the parentheses of the summary. */
  extraRepr(): string {
    return '';
  }

  /** The summary in at most a dozen lines. */
  [inspect](): string {
    const lines = this.toString().split('\n');
    if (lines.length <= mostLines) return lines.join('\n');
    const left = lines.length - mostLines + 1;
    return [...lines.slice(0, mostLines - 2), `  … ${left} more lines: String(model)`, lines.at(-1)].join('\n');
  }

  /** PyTorch's summary, and the number of parameters. */
  toString(): string {
    const count = this.parameterCount();
    const frozen = count - this.parameterCount({ trainable: true });
    const rest = frozen > 0 ? ` (${frozen.toLocaleString('en')} frozen)` : '';
    return `${repr(this)}\n${count.toLocaleString('en')} parameters${rest}`;
  }
}

const hooksOf = new WeakMap<AnyModule, Hooks>();

const mostLines = 12;

function repr(module: AnyModule): string {
  const lines = [...module.namedChildren()].map(([name, child]) => {
    return `  (${name}): ${repr(child).replaceAll('\n', '\n  ')}`;
  });
  const { name } = module.constructor;
  return lines.length === 0 ? `${name}(${module.extraRepr()})` : `${name}(\n${lines.join('\n')}\n)`;
}

/** What `is` picks of a module's fields, and of the arrays and plain objects in them; `nameOf` a field. */
function* held<T>(
  module: AnyModule,
  is: (value: unknown) => value is T,
  nameOf: (field: string) => string,
): Generator<[string, T]> {
  for (const [field, value] of Object.entries(module)) {
    if (typeof value === 'object' && value !== null) yield* entriesOf(nameOf(field), value, is, new Set());
  }
}

function* entriesOf<T>(
  name: string,
  value: object,
  is: (value: unknown) => value is T,
  seen: Set<object>,
): Generator<[string, T]> {
  if (is(value)) {
    yield [name, value];
    return;
  }
  // Long lists of numbers hold nothing; an object may hold itself.
  if (!(Array.isArray(value) ? typeof value[0] === 'object' : isPlain(value)) || seen.has(value)) return;
  seen.add(value);
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry === 'object' && entry !== null) yield* entriesOf(`${name}.${key}`, entry, is, seen);
  }
}

const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype;

/** Fields of a module and those below that `is` picks, in the order of the state dict. */
function* named<T extends Variable>(root: AnyModule, is: (value: unknown) => value is T): Generator<[string, T]> {
  for (const [prefix, module] of root.namedModules()) {
    for (const [name, value] of module.namedState()) if (is(value)) yield [join(prefix, name), value];
  }
}

const join = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);
const isParameter = (value: unknown): value is Parameter => value instanceof Parameter;
const isBuffer = (value: unknown): value is ModuleBuffer => value instanceof ModuleBuffer;
const isState = (value: unknown): value is Parameter | ModuleBuffer => isParameter(value) || isBuffer(value);

/** Shared parameters count once. */
function* once<T>(entries: Iterable<[string, T]>): Generator<[string, T]> {
  const seen = new Set<T>();
  for (const entry of entries) {
    if (seen.has(entry[1])) continue;
    seen.add(entry[1]);
    yield entry;
  }
}
