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

  get length(): number {
    return this.entries.size;
  }

  at(index: number): Module | undefined {
    return [...this.entries.values()].at(index);
  }

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

const noForward = (name: string): never => {
  throw new ConvletError('unsupported', `${name} has no forward: call its modules`);
};

/** A list of modules; names 0, 1, … */
export class ModuleList<M extends AnyModule = Module> extends Module<never> {
  static override readonly name: string = 'ModuleList';

  private readonly list: M[];

  constructor(modules: Iterable<M> = []) {
    super();
    if (typeof (modules as Partial<Iterable<M>> | null)?.[Symbol.iterator] !== 'function')
      throw new ConvletError('argument', 'ModuleList: expects its modules as one array: new ModuleList([a, b])');
    this.list = [...modules];
    for (const module of this.list) checkModule('ModuleList', module);
  }

  get length(): number {
    return this.list.length;
  }

  at(index: number): M | undefined {
    return this.list.at(index);
  }

  append(module: M): this {
    checkModule('ModuleList', module);
    this.list.push(module);
    return this;
  }

  forward(): never {
    return noForward('ModuleList');
  }

  override *namedChildren(): Generator<[string, AnyModule]> {
    for (const [i, module] of this.list.entries()) yield [String(i), module];
  }

  [Symbol.iterator](): Iterator<M> {
    return this.list.values();
  }
}

/** Modules by name. */
export class ModuleDict<M extends AnyModule = Module> extends Module<never> {
  static override readonly name: string = 'ModuleDict';

  private readonly entries: Map<string, M>;

  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    this.entries = new Map(Object.entries(modules));
    for (const module of this.entries.values()) checkModule('ModuleDict', module);
  }

  get(name: string): M {
    const module = this.entries.get(name);
    if (module !== undefined) return module;
    throw new ConvletError('unknown-name', `ModuleDict: has ${[...this.entries.keys()].join(', ')}, not '${name}'`);
  }

  set(name: string, module: M): this {
    checkModule('ModuleDict', module);
    this.entries.set(name, module);
    return this;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  forward(): never {
    return noForward('ModuleDict');
  }

  override *namedChildren(): Generator<[string, AnyModule]> {
    yield* this.entries;
  }

  [Symbol.iterator](): Iterator<[string, M]> {
    return this.entries.entries();
  }
}

function checkParameter(name: string, parameter: unknown): void {
  if (!(parameter instanceof Parameter))
    throw new ConvletError(
      'argument',
      `${name}: expects parameters, as new nn.Parameter([3]), got ${shown(parameter)}`,
    );
}

/** A list of parameters; names 0, 1, … */
export class ParameterList extends Module<never> {
  static override readonly name: string = 'ParameterList';

  length = 0;
  readonly [index: number]: Parameter;

  constructor(parameters: Iterable<Parameter> = []) {
    super();
    if (typeof (parameters as Partial<Iterable<Parameter>> | null)?.[Symbol.iterator] !== 'function')
      throw new ConvletError(
        'argument',
        'ParameterList: expects its parameters as one array: new ParameterList([a, b])',
      );
    for (const parameter of parameters) this.append(parameter);
  }

  /** The parameter at a place; negative places count from the end. */
  at(index: number): Parameter | undefined {
    return this[index < 0 ? index + this.length : index];
  }

  append(parameter: Parameter): this {
    checkParameter('ParameterList', parameter);
    Object.defineProperty(this, this.length++, { value: parameter, enumerable: true });
    return this;
  }

  forward(): never {
    return noForward('ParameterList');
  }

  *[Symbol.iterator](): Iterator<Parameter> {
    for (let i = 0; i < this.length; i++) yield this[i];
  }
}

/** Parameters by name. */
export class ParameterDict extends Module<never> {
  static override readonly name: string = 'ParameterDict';

  private readonly entries: Map<string, Parameter>;

  constructor(parameters: Readonly<Record<string, Parameter>> = {}) {
    super();
    this.entries = new Map();
    for (const [name, parameter] of Object.entries(parameters)) this.set(name, parameter);
  }

  get(name: string): Parameter {
    const parameter = this.entries.get(name);
    if (parameter !== undefined) return parameter;
    throw new ConvletError('unknown-name', `ParameterDict: has ${[...this.entries.keys()].join(', ')}, not '${name}'`);
  }

  set(name: string, parameter: Parameter): this {
    checkParameter('ParameterDict', parameter);
    this.entries.set(name, parameter);
    Object.defineProperty(this, name, { value: parameter, enumerable: true, configurable: true });
    return this;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  forward(): never {
    return noForward('ParameterDict');
  }

  [Symbol.iterator](): Iterator<[string, Parameter]> {
    return this.entries.entries();
  }
}
