import { toVariable, type Variable, type VariableLike } from '../../autograd/index.ts';
import { ConvletError } from '../../common/error.ts';
import { shown } from '../../common/options.ts';
import { type AnyModule, Module } from '../module.ts';
import { Parameter } from '../parameter.ts';

function checkModule(name: string, module: unknown): void {
  if (!(module instanceof Module))
    throw new ConvletError(
      'argument',
      `${name}: expects modules, got ${String((module as object)?.constructor?.name ?? module)}`,
    );
}

/** Modules one after the other; names 0, 1, … or those of an object's entries. */
export class Sequential extends Module {
  static override readonly name: string = 'Sequential';

  private readonly entries: Map<string, Module>;

  constructor(first: Readonly<Record<string, Module>>);
  constructor(...modules: Module[]);
  constructor(...args: unknown[]) {
    super();
    const named = args.length === 1 && !(args[0] instanceof Module) ? (args[0] as Record<string, Module>) : args;
    this.entries = new Map(Object.entries(named as Record<string, Module>));
    for (const module of this.entries.values()) checkModule('Sequential', module);
  }

  /** How many modules. */
  get length(): number {
    return this.entries.size;
  }

  /** Module `index`; negative ones count from the end. */
  at(index: number): Module | undefined {
    return [...this.entries.values()].at(index);
  }

  /** Adds a module at the end. */
  append(module: Module): this {
    checkModule('Sequential', module);
    this.entries.set(String(this.entries.size), module);
    return this;
  }

  forward(...inputs: VariableLike[]): Variable {
    let values = inputs.map((input, i) => toVariable('Sequential', `input ${i}`, input));
    for (const module of this.entries.values()) values = [module.forward(...values)];
    return values[0];
  }

  override *namedChildren(): Generator<[string, AnyModule]> {
    yield* this.entries;
  }

  [Symbol.iterator](): Iterator<Module> {
    return this.entries.values();
  }
}

/** What a list or a dictionary holds. */
interface Held {
  readonly plural: 'modules' | 'parameters';
  check(name: string, entry: unknown): void;
}

const modules: Held = { plural: 'modules', check: checkModule };
const parameters: Held = {
  plural: 'parameters',
  check(name, entry) {
    if (!(entry instanceof Parameter))
      throw new ConvletError('argument', `${name}: expects parameters, as new nn.Parameter([3]), got ${shown(entry)}`);
  },
};

abstract class Container extends Module<never> {
  protected readonly held: Held;

  constructor(held: Held) {
    super();
    this.held = held;
  }

  protected check(entry: unknown): void {
    this.held.check(this.constructor.name, entry);
  }

  forward(): never {
    throw new ConvletError('unsupported', `${this.constructor.name} has no forward: call its ${this.held.plural}`);
  }
}

/** A list; names 0, 1, … */
abstract class List<T> extends Container {
  protected readonly list: T[] = [];

  constructor(held: Held, entries: Iterable<T>) {
    super(held);
    const { name } = this.constructor;
    if (typeof (entries as Partial<Iterable<T>> | null)?.[Symbol.iterator] !== 'function')
      throw new ConvletError('argument', `${name}: expects its ${held.plural} as one array: new ${name}([a, b])`);
    for (const entry of entries) this.append(entry);
  }

  get length(): number {
    return this.list.length;
  }

  /** The entry at a place; negative places count from the end. */
  at(index: number): T | undefined {
    return this.list.at(index);
  }

  append(entry: T): this {
    this.check(entry);
    this.list.push(entry);
    return this;
  }

  protected *named(): Generator<[string, T]> {
    for (const [i, entry] of this.list.entries()) yield [String(i), entry];
  }

  [Symbol.iterator](): Iterator<T> {
    return this.list.values();
  }
}

/** Entries by name. */
abstract class Dict<T> extends Container {
  protected readonly entries = new Map<string, T>();

  constructor(held: Held, entries: Readonly<Record<string, T>>) {
    super(held);
    for (const [name, entry] of Object.entries(entries)) this.set(name, entry);
  }

  get(name: string): T {
    const entry = this.entries.get(name);
    if (entry !== undefined) return entry;
    throw new ConvletError(
      'unknown-name',
      `${this.constructor.name}: has ${[...this.entries.keys()].join(', ')}, not '${name}'`,
    );
  }

  set(name: string, entry: T): this {
    this.check(entry);
    this.entries.set(name, entry);
    return this;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  [Symbol.iterator](): Iterator<[string, T]> {
    return this.entries.entries();
  }
}

/** A list of modules; names 0, 1, … */
export class ModuleList<M extends AnyModule = Module> extends List<M> {
  static override readonly name: string = 'ModuleList';

  constructor(entries: Iterable<M> = []) {
    super(modules, entries);
  }

  override *namedChildren(): Generator<[string, AnyModule]> {
    yield* this.named();
  }
}

/** Modules by name. */
export class ModuleDict<M extends AnyModule = Module> extends Dict<M> {
  static override readonly name: string = 'ModuleDict';

  constructor(entries: Readonly<Record<string, M>> = {}) {
    super(modules, entries);
  }

  override *namedChildren(): Generator<[string, AnyModule]> {
    yield* this.entries;
  }
}

/** A list of parameters; names 0, 1, … */
export class ParameterList extends List<Parameter> {
  static override readonly name: string = 'ParameterList';

  constructor(entries: Iterable<Parameter> = []) {
    super(parameters, entries);
  }

  override *namedState(): Generator<[string, Parameter]> {
    yield* this.named();
  }
}

/** Parameters by name. */
export class ParameterDict extends Dict<Parameter> {
  static override readonly name: string = 'ParameterDict';

  constructor(entries: Readonly<Record<string, Parameter>> = {}) {
    super(parameters, entries);
  }

  override *namedState(): Generator<[string, Parameter]> {
    yield* this.entries;
  }
}
