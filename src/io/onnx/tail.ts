import type { Backend } from '../../backend/backend.ts';
import { ConvletError } from '../../common/error.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { constantValue, type Value } from '../../graph/graph.ts';
import type { Storage } from '../../memory/storage.ts';
import { execute } from '../../ops/core/execute.ts';
import type { OpDef } from '../../ops/core/op.ts';
import { constant, type Tensor } from '../../tensor/tensor.ts';
import { type Binding, type DeferredNode, type ModelParts, Walk } from './walk.ts';

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

/**
 * The part of a model whose shapes depend on data: interpreted node by node after the static graph has run. The graph
 * has an output for each of `inputs`.
 */
export class Tail {
  /** Names of the graph's outputs that `run` needs. */
  readonly inputs: readonly string[];
  /** Names of the model's outputs that come from here. */
  readonly outputs: readonly string[];
  private readonly parts: ModelParts;
  private readonly nodes: readonly DeferredNode[];
  private readonly needed: ReadonlyMap<string, Binding>;
  private readonly results: ReadonlyMap<string, Binding>;
  /** Bindings that nobody reads after node i. */
  private readonly dying: readonly (readonly Binding[])[];

  constructor(
    parts: ModelParts,
    nodes: readonly DeferredNode[],
    needed: ReadonlyMap<string, Binding>,
    results: ReadonlyMap<string, Binding>,
  ) {
    this.parts = parts;
    this.nodes = nodes;
    this.needed = needed;
    this.results = results;
    this.inputs = [...needed.keys()];
    this.outputs = [...results.keys()];
    this.dying = lastUses(nodes, new Set(results.values()));
  }

  /**
   * Computes the outputs from the values of `inputs`. The results are row-major, on the JavaScript heap, and the
   * caller's; everything else that was allocated on `backend` is freed.
   */
  run(values: ReadonlyMap<string, Tensor>, backend: Backend, limits: RunLimits): Map<string, Tensor> {
    const builder = new EagerBuilder(backend);
    const known = new Map<Binding, Value>();
    const count = { nodes: 0 };
    const most = limits.maxLoopIterations;
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
      this.nodes.forEach((deferred, i) => {
        const { node, scope, outputs } = deferred;
        count.nodes = 0;
        const results = walk.node(node, scope);
        results.forEach((result, k) => {
          // A branch may hand out a value of the graph around it: what it is at run time, `known` says.
          const value = known.get(result) ?? result.value;
          if (value !== null) known.set(outputs[k], value);
        });
        for (const binding of this.dying[i]) known.delete(binding);
        builder.release(0, known.values());
      });
      const results = new Map<string, Tensor>();
      for (const [name, binding] of this.results) {
        const { data, shape, dtype } = known.get(binding)!.constant!;
        results.set(name, constant(data, shape, dtype));
      }
      return results;
    } finally {
      builder.release(0, []);
    }
  }
}

function lastUses(nodes: readonly DeferredNode[], keep: ReadonlySet<Binding>): Binding[][] {
  const seen = new Set<Binding>(keep);
  const dying = nodes.map((): Binding[] => []);
  for (let i = nodes.length - 1; i >= 0; i--) {
    for (const binding of [...nodes[i].outputs, ...nodes[i].reads]) {
      if (seen.has(binding)) continue;
      seen.add(binding);
      dying[i].push(binding);
    }
  }
  return dying;
}
