import type { Backend } from '../../backend/backend.ts';
import { ConvletError } from '../../common/error.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { constantValue, type Graph, newValue, type Value } from '../../graph/graph.ts';
import type { Storage } from '../../memory/storage.ts';
import { execute } from '../../ops/core/execute.ts';
import type { OpDef } from '../../ops/core/op.ts';
import { constant, type Tensor } from '../../tensor/tensor.ts';
import { type Binding, type DeferredNode, Known, type ModelParts, Walk } from './walk.ts';

/** Runs every op as it is added, on the given backend, and keeps account of the memory. */
class EagerBuilder extends GraphBuilder {
  private readonly owned: Storage[] = [];

  get mark(): number {
    return this.owned.length;
  }

  /** Frees what was computed since `mark` but the memory of `keep` and `hold`; a mark behind the latter. */
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

/** How much a run may do beyond what its inputs' sizes imply. */
export interface RunLimits {
  /** Iterations of all loops of a run together. */
  readonly maxLoopIterations: number;
}

/** A model, or what is left of it at run time, for one set of shapes. */
export interface Specialized {
  /** Its outputs are those that it can compute, and what `tail` reads. */
  readonly graph: Graph;
  /** What depends on shapes that only the data decides; it computes the remaining outputs. */
  readonly tail: Tail | null;
}

/** A compiled graph, and what runs after it. */
export interface CompiledPart {
  readonly plan: {
    readonly inputs: ReadonlyMap<string, Tensor>;
    readonly outputs: ReadonlyMap<string, Tensor>;
    run(): void;
  };
  readonly tail: Tail | null;
}

/** What tails run on. */
export interface TailEngine {
  readonly backend: Backend;
  readonly limits: RunLimits;
  /**
   * The compiled form of what `make` gives, kept under `key`; null where plans cannot be run from here. The plan may be
   * disposed of once another part is asked for.
   */
  readonly part: ((key: string, make: () => Specialized) => CompiledPart) | null;
}

let tails = 0;

/**
 * The part of a model whose shapes depend on data. It runs after the static graph, which has an output for each of `inputs`:
 * node by node up to an `If`, whose condition is known then; from there on all is a graph again, with the branch in it, that
 * is compiled once for each branch and set of shapes.
 */
export class Tail {
  /** Names of the graph's outputs that `run` needs. */
  readonly inputs: readonly string[];
  /** Names of the model's outputs that come from here. */
  readonly outputs: readonly string[];
  private readonly id = ++tails;
  private readonly parts: ModelParts;
  private readonly aliases: Known;
  private readonly nodes: readonly DeferredNode[];
  private readonly needed: ReadonlyMap<string, Binding>;
  private readonly results: ReadonlyMap<string, Binding>;
  /** Bindings that nobody reads after node i. */
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

  /** The tail that computes `open`, with what it reads added to the graph's `outputs`; null if nothing is open. */
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
   * Computes the outputs from the values of `inputs`. The results are row-major, on the JavaScript heap, and the
   * caller's; everything else that was allocated on the backend is freed.
   */
  run(values: ReadonlyMap<string, Tensor>, engine: TailEngine): Map<string, Tensor> {
    const builder = new EagerBuilder(engine.backend);
    const known = new Known(this.aliases);
    const count = { nodes: 0 };
    const most = engine.limits.maxLoopIterations;
    let iterations = 0;
    const iteration = (): void => {
      if (++iterations > most) {
        throw new ConvletError('unsupported', `the run's loops take more than maxLoopIterations, ${most}, iterations`);
      }
      count.nodes = 0; // The bound is on what one iteration may grow to.
    };
    const walk = new Walk({
      parts: this.parts,
      builder,
      known,
      count,
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

  /** Node i and all behind it, compiled, if that is an `If`; null otherwise. */
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

  /** The graph of node i and all behind it: what is known are its inputs, #0, #1, …, but for what is `fixed`. */
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
    const outputs: { name: string; value: Value }[] = [];
    const open = new Map<string, Binding>();
    for (const [name, binding] of this.results) {
      const value = known.lookup(binding);
      if (value === null) open.set(name, binding);
      else outputs.push({ name, value });
    }
    const tail = Tail.of(this.parts, known, deferred, open, outputs);
    return { graph: builder.finish(inputs, outputs), tail };
  }

  /** Runs a part of `partFrom`, which ends the run. */
  private finish({ plan, tail }: CompiledPart, known: Known, engine: TailEngine): Map<string, Tensor> {
    known.entries().forEach(([, { constant: tensor }], k) => {
      const target = plan.inputs.get(`#${k}`);
      target?.array.set((tensor!.layout === 'row' ? tensor!.array : tensor!.data) as Float32Array);
    });
    plan.run();
    if (tail === null) return this.collect((name) => plan.outputs.get(name)!);
    // Copies: while the rest runs, its own parts may take the place of this one.
    const computed = new Map(Array.from(plan.outputs, ([name, tensor]) => [name, onHeap(tensor)]));
    const late = tail.run(computed, engine);
    return this.collect((name) => late.get(name) ?? computed.get(name)!);
  }

  private collect(tensorOf: (name: string, binding: Binding) => Tensor): Map<string, Tensor> {
    return new Map(Array.from(this.results, ([name, binding]) => [name, onHeap(tensorOf(name, binding))]));
  }
}

/** A row-major copy that is nobody else's. */
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
