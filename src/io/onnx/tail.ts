import type { Backend } from '../../backend/backend.ts';
import { ConvletError } from '../../common/error.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { constantValue, type Graph, newValue, type Value } from '../../graph/graph.ts';
import type { Storage } from '../../memory/storage.ts';
import { execute } from '../../ops/core/execute.ts';
import type { OpDef } from '../../ops/core/op.ts';
import { constant, Tensor } from '../../tensor/tensor.ts';
import type { OnnxGraph } from './model.ts';
import { freeNames } from './structure.ts';
import { type Binding, type DeferredNode, Known, type ModelParts, type Scope, Walk } from './walk.ts';

/** Runs every op when it is added, on the given backend, and tracks the memory of the results. */
class EagerBuilder extends GraphBuilder {
  private readonly owned: Storage[] = [];

  get mark(): number {
    return this.owned.length;
  }

  /** Frees the values computed since `mark` except those of `keep` and `hold`. Returns a mark after `hold`. */
  release(mark: number, keep: Iterable<Value>, hold: Iterable<Value> = []): number {
    const held = storagesOf(hold);
    const kept = storagesOf(keep);
    const recent = this.owned.splice(mark);
    this.owned.push(...recent.filter((storage) => held.has(storage)));
    const behind = this.owned.length;
    for (const storage of recent) {
      if (held.has(storage)) continue;
      if (kept.has(storage)) this.owned.push(storage);
      else storage.free();
    }
    return behind;
  }

  /** A copy in the backend's memory, which is freed like computed values. */
  adopt({ data, shape, dtype }: Tensor): Value {
    const storage = this.backend.memory.allocate(data.byteLength);
    this.owned.push(storage);
    const tensor = new Tensor(dtype, shape, 'row', storage, true);
    tensor.array.set(data as Float32Array);
    return constantValue('', tensor);
  }

  protected override worthFolding(): boolean {
    return true;
  }

  protected override compute(op: OpDef, inputs: readonly (Tensor | null)[], attrs: unknown): Tensor[] {
    const outputs = execute(this.backend, op, inputs, attrs);
    const shared = new Set(inputs.map((tensor) => tensor?.storage));
    for (const { storage } of outputs) if (storage !== null && !shared.has(storage)) this.owned.push(storage);
    return outputs;
  }
}

function storagesOf(values: Iterable<Value>): Set<Storage | null> {
  const storages = new Set<Storage | null>();
  for (const value of values) storages.add(value.constant?.storage ?? null);
  return storages;
}

/** Limits on the work of a run that does not follow from its inputs' sizes. */
export interface RunLimits {
  /** The most iterations of all loops of a run together. */
  readonly maxLoopIterations: number;
}

/** A model, or the rest of it after the tail has run up to an `If`, for one set of shapes. */
export interface Specialized {
  /** Its outputs are the model's outputs that it can compute, and the values that `tail` reads. */
  readonly graph: Graph;
  /** The part that depends on shapes that only the data decides; it computes the other outputs. */
  readonly tail: Tail | null;
}

/** A compiled graph, and the tail that runs after it. */
export interface CompiledPart {
  readonly plan: {
    readonly inputs: ReadonlyMap<string, Tensor>;
    readonly outputs: ReadonlyMap<string, Tensor>;
    run(): void;
  };
  readonly tail: Tail | null;
}

/** The backend, the limits and the cache of plans that a tail uses. */
export interface TailEngine {
  readonly backend: Backend;
  readonly limits: RunLimits;
  /** How much of its limits the run has used. */
  readonly spent: { iterations: number };
  /**
   * The compiled result of `make`, kept under `key`; null if plans cannot be run. The plan may be
   * disposed of when another part is requested.
   */
  readonly part: ((key: string, make: () => Specialized) => CompiledPart) | null;
}

let tails = 0;

/**
 * The part of a model whose shapes depend on data. It runs after the static graph, which has an output for each of `inputs`. It runs
 * node by node up to an `If`, whose condition is known then. The rest, with the chosen branch in it, is a graph again, which
 * is compiled once for each branch and set of shapes.
 */
export class Tail {
  /** Names of the graph's outputs that `run` needs. */
  readonly inputs: readonly string[];
  /** Names of the model's outputs that the tail computes. */
  readonly outputs: readonly string[];
  private readonly id = ++tails;
  /** Bodies of loops, and the types and shapes of their last run. */
  private readonly bodies = new Map<OnnxGraph, { readonly id: number; latest: string }>();
  private readonly parts: ModelParts;
  private readonly aliases: Known;
  /** The nodes that depend on data, in order. */
  readonly nodes: readonly DeferredNode[];
  private readonly needed: ReadonlyMap<string, Binding>;
  private readonly results: ReadonlyMap<string, Binding>;
  /** Bindings that no node after node i reads. */
  private readonly dying: readonly (readonly Binding[])[];

  private constructor(
    parts: ModelParts,
    aliases: Known,
    nodes: readonly DeferredNode[],
    needed: ReadonlyMap<string, Binding>,
    results: ReadonlyMap<string, Binding>,
  ) {
    this.parts = parts;
    this.aliases = aliases;
    this.nodes = nodes;
    this.needed = needed;
    this.results = results;
    this.inputs = [...needed.keys()];
    this.outputs = [...results.keys()];
    this.dying = lastUses(nodes, new Set(results.values()), aliases);
  }

  /** The tail that computes `open`; the values that it reads are added to the graph's `outputs`. Null if nothing is open. */
  static of(
    parts: ModelParts,
    known: Known,
    deferred: readonly DeferredNode[],
    open: ReadonlyMap<string, Binding>,
    outputs: { name: string; value: Value }[],
  ): Tail | null {
    if (open.size === 0) return null;
    const wanted = new Set(Array.from(open.values(), (binding) => known.original(binding)));
    const nodes: DeferredNode[] = [];
    for (let i = deferred.length - 1; i >= 0; i--) {
      const node = deferred[i];
      if (!node.outputs.some((binding) => wanted.has(binding))) continue;
      for (const binding of node.reads) wanted.add(known.original(binding));
      nodes.push(node);
    }
    const taken = new Map(outputs.map(({ name, value }) => [name, value]));
    const needed = new Map<string, Binding>();
    for (const binding of wanted) {
      const value = known.lookup(binding);
      if (value === null || value.constant !== null) continue;
      let name = binding.name;
      // Names of inlined functions and branches may collide with others.
      for (let i = 1; needed.has(name) || (taken.has(name) && taken.get(name) !== value); i++)
        name = `${binding.name}#${i}`;
      needed.set(name, binding);
      if (!taken.has(name)) outputs.push({ name, value });
    }
    return new Tail(parts, known, nodes.reverse(), needed, open);
  }

  /**
   * Computes the outputs from the values of `inputs`. The results are row-major, on the JavaScript heap, and belong to the
   * caller; everything else that was allocated on the backend is freed.
   */
  run(values: ReadonlyMap<string, Tensor>, engine: TailEngine): Map<string, Tensor> {
    const builder = new EagerBuilder(engine.backend);
    const known = new Known(this.aliases);
    const count = { nodes: 0 };
    const most = engine.limits.maxLoopIterations;
    const iteration = (): void => {
      if (++engine.spent.iterations > most) {
        throw new ConvletError('unsupported', `the run's loops take more than maxLoopIterations, ${most}, iterations`);
      }
      count.nodes = 0; // The bound on nodes is for one iteration.
    };
    const walk = new Walk({
      parts: this.parts,
      builder,
      known,
      count,
      compiled: (graph, inputs, scope) => {
        const outputs = this.runBody(graph, inputs, scope, known, engine);
        return outputs?.map((tensor) => builder.adopt(tensor)) ?? null;
      },
      around: {
        eager: true,
        mark: () => builder.mark,
        release: (mark, keep, hold) => builder.release(mark, keep, hold),
        iteration,
      },
    });
    try {
      for (const [name, binding] of this.needed) {
        const tensor = values.get(name);
        if (tensor === undefined) throw new Error(`the graph did not compute '${name}'`);
        known.set(binding, constantValue(name, tensor));
      }
      for (const [i, { node, scope, outputs }] of this.nodes.entries()) {
        const part = this.partFrom(i, known, engine);
        if (part !== null) return this.finish(part, known, engine);
        count.nodes = 0;
        walk.node(node, scope).forEach((result, k) => {
          known.bind(outputs[k], result);
        });
        for (const binding of this.dying[i]) known.delete(binding);
        builder.release(
          0,
          known.entries().map(([, value]) => value),
        );
      }
      return this.collect((_, binding) => known.lookup(binding)!.constant!);
    } finally {
      builder.release(0, []);
    }
  }

  /** Node i and all nodes after it, compiled, if node i is an `If`; null otherwise. */
  private partFrom(i: number, known: Known, engine: TailEngine): CompiledPart | null {
    const { node, scope } = this.nodes[i];
    if (engine.part === null || node.domain !== '' || node.opType !== 'If') return null;
    const condition = known.original(scope.lookup(node.inputs[0] ?? ''));
    const given = known.lookup(condition)?.constant;
    if (given?.size !== 1) return null;
    const entries = known.entries();
    const shapes = entries.map(([, { shape }]) => shape.join('x')).join();
    return engine.part(`${this.id}/${i}:${given.array[0]}:${shapes}`, () => {
      const fixed = constantValue(condition.name, constant(given.data, given.shape, given.dtype));
      return this.specialize(i, known, new Map([[condition, fixed]]), engine.backend.memory.limit);
    });
  }

  /** The graph of node i and all nodes after it: known values are its inputs, #0, #1, …, except `fixed` ones, which are constants. */
  private specialize(i: number, outer: Known, fixed: ReadonlyMap<Binding, Value>, limit: number): Specialized {
    const builder = this.parts.builder(limit);
    const known = new Known(outer);
    const inputs = outer.entries().map(([binding, { dtype, shape }], k) => {
      const value = newValue(`#${k}`, dtype, shape);
      known.set(binding, fixed.get(binding) ?? value);
      return value;
    });
    const deferred: DeferredNode[] = [];
    const walk = new Walk({
      ...{ parts: this.parts, builder, known, count: { nodes: 0 } },
      defer: (node) => deferred.push(node),
    });
    for (const { node, scope, outputs } of this.nodes.slice(i)) {
      walk.node(node, scope).forEach((result, k) => {
        known.bind(outputs[k], result);
      });
    }
    return this.split(builder, known, inputs, deferred, this.results);
  }

  /** Runs a part of `partFrom`, which ends the run. */
  private finish(part: CompiledPart, known: Known, engine: TailEngine): Map<string, Tensor> {
    const inputs = known.entries().map(([, value]) => value);
    const outputs = runPart(part, inputs, engine);
    return this.collect((name) => outputs.get(name)!);
  }

  /**
   * The outputs of a loop's body, which is compiled when it has had the same shapes twice in a row: for shapes that grow, compilation
   * would take longer than it saves. Null until then, and if the body belongs to a function, whose attributes depend on the call.
   */
  private runBody(
    graph: OnnxGraph,
    given: readonly Value[],
    scope: Scope,
    known: Known,
    engine: TailEngine,
  ): Tensor[] | null {
    if (engine.part === null || scope.callAttributes !== null) return null;
    const captured = Array.from(freeNames(graph), (name) => scope.lookup(name)).filter(({ fixed }) => !fixed);
    const values = [...given, ...captured.map((binding) => known.lookup(binding))];
    if (!values.every((value) => value !== null && value.constant !== null)) return null;
    const inputs = values as Value[];
    const key = inputs.map(({ dtype, shape }) => `${dtype}${shape.join('x')}`).join();
    const body = this.bodies.get(graph) ?? { id: this.bodies.size, latest: '' };
    this.bodies.set(graph, body);
    const again = body.latest === key;
    body.latest = key;
    if (!again) return null;
    const part = engine.part(`${this.id}/body ${body.id}:${key}`, () =>
      this.specializeBody(graph, inputs, captured, scope, engine.backend.memory.limit),
    );
    const outputs = runPart(part, inputs, engine);
    return graph.outputs.map((_, k) => outputs.get(`${k}`)!);
  }

  /** A body's graph: its inputs and captured values are #0, #1, …; its outputs are 0, 1, …. */
  private specializeBody(
    graph: OnnxGraph,
    given: readonly Value[],
    captured: readonly Binding[],
    scope: Scope,
    limit: number,
  ): Specialized {
    const builder = this.parts.builder(limit);
    const known = new Known(this.aliases);
    const inputs = given.map(({ dtype, shape }, k) => newValue(`#${k}`, dtype, shape));
    const own = inputs.slice(0, given.length - captured.length);
    captured.forEach((binding, k) => {
      known.set(binding, inputs[own.length + k]);
    });
    const deferred: DeferredNode[] = [];
    const walk = new Walk({
      ...{ parts: this.parts, builder, known, count: { nodes: 0 } },
      defer: (node) => deferred.push(node),
    });
    const bindings = own.map((value) => ({ name: value.name, value }));
    const results = walk.subgraph(graph, bindings, scope);
    return this.split(builder, known, inputs, deferred, new Map(results.map((binding, k) => [`${k}`, binding])));
  }

  /** The graph of the results that have a value, and the tail of the others. */
  private split(
    builder: GraphBuilder,
    known: Known,
    inputs: Value[],
    deferred: readonly DeferredNode[],
    results: ReadonlyMap<string, Binding>,
  ): Specialized {
    const outputs: { name: string; value: Value }[] = [];
    const open = new Map<string, Binding>();
    for (const [name, binding] of results) {
      const value = known.lookup(binding);
      if (value === null) open.set(name, binding);
      else outputs.push({ name, value });
    }
    const tail = Tail.of(this.parts, known, deferred, open, outputs);
    return { graph: builder.finish(inputs, outputs), tail };
  }

  private collect(tensorOf: (name: string, binding: Binding) => Tensor): Map<string, Tensor> {
    return new Map(Array.from(this.results, ([name, binding]) => [name, onHeap(tensorOf(name, binding))]));
  }
}

/** Runs a part on these inputs, #0, #1, …. Returns copies of its outputs and of those of its tail. */
function runPart({ plan, tail }: CompiledPart, inputs: readonly Value[], engine: TailEngine): Map<string, Tensor> {
  inputs.forEach(({ constant: tensor }, k) => {
    const target = plan.inputs.get(`#${k}`);
    target?.array.set((tensor!.layout === 'row' ? tensor!.array : tensor!.data) as Float32Array);
  });
  plan.run();
  // The outputs are copied, since the tail's own parts may evict this plan from the cache.
  const computed = new Map(Array.from(plan.outputs, ([name, tensor]) => [name, onHeap(tensor)]));
  return tail === null ? computed : new Map([...computed, ...tail.run(computed, engine)]);
}

/** A row-major copy on the JavaScript heap. */
function onHeap({ data, shape, dtype }: Tensor): Tensor {
  return constant(data, shape, dtype);
}

function lastUses(nodes: readonly DeferredNode[], keep: ReadonlySet<Binding>, aliases: Known): Binding[][] {
  const seen = new Set(Array.from(keep, (binding) => aliases.original(binding)));
  const dying = nodes.map((): Binding[] => []);
  for (let i = nodes.length - 1; i >= 0; i--) {
    for (const read of [...nodes[i].outputs, ...nodes[i].reads]) {
      const binding = aliases.original(read);
      if (seen.has(binding)) continue;
      seen.add(binding);
      dying[i].push(binding);
    }
  }
  return dying;
}
