import { ConvletError, withContext } from '../../common/error.ts';
import { type GraphBuilder, NeedsData } from '../../graph/builder.ts';
import { constantValue, type Value } from '../../graph/graph.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { ImportContext, type Surroundings } from './context.ts';
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxNode } from './model.ts';
import { findHandler } from './ops/index.ts';
import { capturesOf, nodeLabel, orderNodes } from './structure.ts';
import type { OnnxTensor } from './tensor-proto.ts';

/** The meaning of a name in the file. Several names may have the same object. */
export interface Binding {
  readonly name: string;
  /** Null if it is only known at run time, since its shape depends on data. */
  readonly value: Value | null;
  /** Whether the value is the same in all runs, because it is from the file. */
  readonly fixed?: boolean;
}

/** Names visible to the nodes of one graph or function body. */
export class Scope {
  readonly parent: Scope | null;
  readonly opsets: ReadonlyMap<string, number>;
  /** In a function's body, the attributes of the call. */
  readonly callAttributes: ReadonlyMap<string, OnnxAttribute> | null;
  private readonly bindings = new Map<string, Binding>();
  private readonly initializers: ReadonlyMap<string, OnnxTensor>;
  private readonly decode: (tensor: OnnxTensor) => Tensor;

  constructor(
    parent: Scope | null,
    opsets: ReadonlyMap<string, number>,
    callAttributes: ReadonlyMap<string, OnnxAttribute> | null,
    initializers: ReadonlyMap<string, OnnxTensor>,
    decode: (tensor: OnnxTensor) => Tensor,
  ) {
    this.parent = parent;
    this.opsets = opsets;
    this.callAttributes = callAttributes;
    this.initializers = initializers;
    this.decode = decode;
  }

  define(name: string, binding: Binding): void {
    this.bindings.set(name, binding);
  }

  lookup(name: string): Binding {
    const known = this.bindings.get(name);
    if (known !== undefined) return known;
    const initializer = this.initializers.get(name);
    if (initializer !== undefined) {
      const binding = { name, value: constantValue(name, this.decode(initializer)), fixed: true };
      this.bindings.set(name, binding);
      return binding;
    }
    if (this.parent === null) throw new ConvletError('malformed', `nothing defines '${name}'`);
    return this.parent.lookup(name);
  }

  /** Names defined in this scope, not in outer ones. */
  ownNames(): Set<string> {
    return new Set([...this.bindings.keys(), ...this.initializers.keys()]);
  }

  /** All names that are visible in this scope. */
  names(): Set<string> {
    return new Set([...(this.parent?.names() ?? []), ...this.ownNames()]);
  }
}

/** A node that is deferred to run time, with the scope of its names. */
export interface DeferredNode {
  readonly node: OnnxNode;
  readonly scope: Scope;
  /** All bindings that it reads: inputs, and outer values of its subgraphs. */
  readonly reads: readonly Binding[];
  readonly outputs: readonly Binding[];
}

/** The part of the program that the walk needs. */
export interface ModelParts {
  readonly functions: ReadonlyMap<string, OnnxFunction>;
  decode(tensor: OnnxTensor): Tensor;
  /** A builder of graphs whose tensors have at most `limit` bytes; it keeps folded constants from one graph to the next. */
  builder(limit?: number): GraphBuilder;
}

export const functionKey = (domain: string, name: string, overload: string): string => `${domain}/${name}/${overload}`;

/** Values by binding. A binding may be an alias of another: the output of an `If` is an alias of its branch's output. */
export class Known {
  private readonly values: Map<Binding, Value>;
  private readonly aliases: Map<Binding, Binding>;

  /** `from`: its aliases are copied; it is not changed. */
  constructor(from?: Known) {
    this.values = new Map();
    this.aliases = new Map(from?.aliases);
  }

  /** The binding at the end of the aliases. */
  original(binding: Binding): Binding {
    let found = binding;
    for (let next = this.aliases.get(found); next !== undefined; next = this.aliases.get(found)) found = next;
    return found;
  }

  /** The value known at run time, else that of the file; null if there is neither. Throws `malformed` for an absent function input. */
  lookup(binding: Binding): Value | null {
    const found = present(this.original(binding));
    return this.values.get(found) ?? found.value;
  }

  set(binding: Binding, value: Value): void {
    this.values.set(this.original(binding), value);
  }

  /** Sets a node's output to the value of `result`, or makes it an alias if that is not known yet. */
  bind(output: Binding, result: Binding): void {
    const found = this.original(result);
    const value = found === absent ? null : this.lookup(found);
    if (value !== null) this.set(output, value);
    else if (found !== this.original(output)) this.aliases.set(output, found);
  }

  delete(binding: Binding): void {
    this.values.delete(this.original(binding));
  }

  /** The values of run time, in the order in which they became known. */
  entries(): [Binding, Value][] {
    return [...this.values];
  }
}

/** A function input that the caller does not give: a node that reads it has no such input either. */
const absent: Binding = { name: '', value: null };

/** Throws `malformed` if the binding is a function input that the caller does not give. */
export function present(binding: Binding): Binding {
  if (binding !== absent) return binding;
  throw new ConvletError('malformed', "expects an input that the function's caller leaves out");
}

/** The checked and ordered nodes of subgraphs, so that loops do not order them in each iteration. */
const ordered = new WeakMap<OnnxGraph, readonly OnnxNode[]>();

const noInitializers: ReadonlyMap<string, OnnxTensor> = new Map();

export interface WalkOptions {
  readonly parts: ModelParts;
  readonly builder: GraphBuilder;
  /** Gets the nodes that cannot be imported before run time; without it, NeedsData is thrown to the caller. */
  readonly defer?: (node: DeferredNode) => void;
  /** Values of run time, which have precedence over those of the scopes. */
  readonly known?: Known;
  readonly around?: Eagerness;
  /** Runs a subgraph by a compiled plan; null if it has to be walked. */
  readonly compiled?: (graph: OnnxGraph, inputs: readonly Value[], scope: Scope) => Value[] | null;
  /** Nodes imported so far; shared by the walks of one import. */
  readonly count?: { nodes: number };
}

/** The most nodes: functions that each call another one twice grow exponentially. No real model has nearly as many. */
const maxNodes = 100_000;

type Eagerness = Pick<Surroundings, 'eager' | 'mark' | 'release' | 'iteration'>;

const traced: Eagerness = { eager: false, mark: () => 0, release: () => 0, iteration: () => {} };

/** Walks ONNX nodes in order and calls their handlers, which add ops to a graph; inlines functions and branches of known conditions. */
export class Walk {
  private readonly options: WalkOptions;

  constructor(options: WalkOptions) {
    this.options = options;
  }

  /** Imports nodes in topological order and binds their outputs. */
  nodes(nodes: readonly OnnxNode[], scope: Scope): void {
    for (const node of nodes) {
      const outputs = this.node(node, scope);
      node.outputs.forEach((name, i) => {
        if (name !== '') scope.define(name, outputs[i]);
      });
    }
  }

  /** The outputs of a node, as many as the file names. */
  node(node: OnnxNode, scope: Scope): Binding[] {
    try {
      return this.dispatch(node, scope);
    } catch (error) {
      if (error instanceof NeedsData && this.options.defer !== undefined) {
        const outputs = node.outputs.map((name) => ({ name, value: null }));
        this.options.defer({ node, scope, reads: this.reads(node, scope), outputs });
        return outputs;
      }
      throw error instanceof NeedsData ? error : withContext(nodeLabel(node), error);
    }
  }

  /** The graph's outputs; its nodes see the names of `scope`, and `inputs` under the graph's input names. */
  subgraph(graph: OnnxGraph, inputs: readonly Binding[], scope: Scope): Binding[] {
    const where = `graph '${graph.name}'`;
    if (inputs.length > graph.inputs.length) {
      throw new ConvletError('malformed', `${where} expects ${graph.inputs.length} inputs, got ${inputs.length}`);
    }
    const inner = new Scope(scope, scope.opsets, scope.callAttributes, graph.initializers, this.options.parts.decode);
    inputs.forEach((binding, i) => {
      inner.define(graph.inputs[i].name, binding);
    });
    const names = graph.outputs.map((output) => output.name);
    let nodes = ordered.get(graph);
    if (nodes === undefined) {
      nodes = orderNodes(graph.nodes, inner.ownNames(), names, where, scope.names());
      ordered.set(graph, nodes);
    }
    this.nodes(nodes, inner);
    return names.map((name) => present(inner.lookup(name)));
  }

  private dispatch(node: OnnxNode, scope: Scope): Binding[] {
    const { parts, count } = this.options;
    if (count !== undefined && ++count.nodes > maxNodes) {
      throw new ConvletError('unsupported', `the model has more than ${maxNodes} nodes with its functions inlined`);
    }
    const attributes = resolveAttributes(node, scope);
    const definition = parts.functions.get(functionKey(node.domain, node.opType, node.overload));
    if (definition !== undefined) return this.call(definition, node, attributes, scope);
    if (node.domain === '' && node.opType === 'If') return this.branch(node, attributes, scope);
    for (const binding of this.reads(node, scope)) this.valueOf(binding);
    const opset = scope.opsets.get(node.domain) ?? 0;
    const handler = findHandler(node.domain, node.opType, opset);
    if (handler === null) throw new ConvletError('unsupported', `not supported in opset ${opset}`);
    const inputs = node.inputs.map((name) => {
      const binding = name === '' ? absent : scope.lookup(name);
      return binding === absent ? null : this.valueOf(binding);
    });
    const context = new ImportContext({ ...node, attributes }, opset, inputs, this.options.builder, {
      ...(this.options.around ?? traced),
      decode: parts.decode,
      subgraph: (graph, values) => this.strictly().values(graph, values, scope),
    });
    const result = handler.build(context);
    const values = Array.isArray(result) ? result : [result];
    return node.outputs.map((name, i) => {
      const value = values[i] ?? null;
      if (name !== '' && value === null) throw new ConvletError('unsupported', `output ${i} is not supported`);
      // A constant that was computed at build time. Results of an eager walk are constants too, but only of this run.
      const fixed = this.options.around?.eager !== true && value !== null && value.constant !== null;
      return { name, value, fixed };
    });
  }

  /** The same walk without deferring: a loop's body is imported as a whole or not at all. */
  private strictly(): Walk {
    return this.options.defer === undefined ? this : new Walk({ ...this.options, defer: undefined });
  }

  private values(graph: OnnxGraph, inputs: readonly Value[], scope: Scope): Value[] {
    const outputs = this.options.compiled?.(graph, inputs, scope) ?? null;
    if (outputs !== null) return outputs;
    const bindings = inputs.map((value) => ({ name: value.name, value }));
    return this.subgraph(graph, bindings, scope).map((binding) => this.valueOf(binding));
  }

  /** `If`: the branch that the condition chooses replaces the node. */
  private branch(node: OnnxNode, attributes: ReadonlyMap<string, OnnxAttribute>, scope: Scope): Binding[] {
    const context = new ImportContext(
      { ...node, attributes },
      scope.opsets.get('') ?? 0,
      [this.valueOf(scope.lookup(node.inputs[0] ?? ''))],
      this.options.builder,
      { ...traced, decode: this.options.parts.decode, subgraph: () => [] },
    );
    const graph = context.attr.graph(context.scalar(0) === 0 ? 'else_branch' : 'then_branch');
    const outputs = this.subgraph(graph, [], scope);
    if (outputs.length < node.outputs.length) {
      throw new ConvletError('malformed', `the branch has ${outputs.length} outputs, the node ${node.outputs.length}`);
    }
    return outputs.slice(0, node.outputs.length);
  }

  /** A model-local function: its body replaces the node. */
  private call(
    definition: OnnxFunction,
    node: OnnxNode,
    attributes: ReadonlyMap<string, OnnxAttribute>,
    scope: Scope,
  ): Binding[] {
    const { parts } = this.options;
    for (const name of definition.attributes) {
      if (!attributes.has(name)) throw new ConvletError('malformed', `attribute ${name} is missing`);
    }
    const all = new Map([...definition.attributeDefaults, ...attributes]);
    const inner = new Scope(null, definition.opsetImports, all, noInitializers, parts.decode);
    if (node.inputs.length > definition.inputs.length) {
      const { inputs } = definition;
      throw new ConvletError('malformed', `the function expects ${inputs.length} inputs, got ${node.inputs.length}`);
    }
    definition.inputs.forEach((name, i) => {
      const given = node.inputs[i] ?? '';
      inner.define(name, given === '' ? absent : scope.lookup(given));
    });
    const where = `function '${definition.name}'`;
    const body = orderNodes(definition.nodes, inner.ownNames(), definition.outputs, where);
    this.nodes(body, inner);
    return node.outputs.map((name, i) =>
      name === '' ? { name, value: null } : inner.lookup(definition.outputs[i] ?? ''),
    );
  }

  private reads(node: OnnxNode, scope: Scope): Binding[] {
    const names = [...node.inputs.filter((name) => name !== ''), ...capturesOf(node)];
    return [...new Set(names)].map((name) => scope.lookup(name)).filter((binding) => binding !== absent);
  }

  private valueOf(binding: Binding): Value {
    const value =
      this.options.known === undefined ? present(binding).value : this.options.known.lookup(present(binding));
    if (value === null) throw new NeedsData(`'${binding.name}' has no shape before run time`);
    return value;
  }
}

/** The node's attributes; references to attributes of a function's call are replaced by their values. */
function resolveAttributes(node: OnnxNode, scope: Scope): ReadonlyMap<string, OnnxAttribute> {
  if (![...node.attributes.values()].some((attribute) => attribute.type === 'REF')) return node.attributes;
  const resolved = new Map<string, OnnxAttribute>();
  for (const [name, attribute] of node.attributes) {
    const value = attribute.type === 'REF' ? scope.callAttributes?.get(attribute.refAttrName) : attribute;
    if (value !== undefined) resolved.set(name, value);
  }
  return resolved;
}
