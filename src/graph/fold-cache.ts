import type { OpDef } from '../ops/core/op.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Tensors of up to so many elements are compared by their values, larger ones by identity. */
const byValue = 64;
/** A constant is dropped when so many builds in a row have not used it. */
const patience = 2;

interface Entry {
  readonly tensors: readonly Tensor[];
  lastUse: number;
}

/**
 * Constants computed at build time, kept from one build of a graph to the next: a model that is built for many input shapes
 * has the same weights each time, so they are computed once, and backends pack them once. Constants that depend on the shapes
 * are dropped some builds after the shapes have changed.
 */
export class FoldCache {
  private readonly entries = new Map<string, Entry>();
  private readonly identities = new WeakMap<Tensor, number>();
  private lastIdentity = 0;
  private build = 0;

  /** Call it when a build begins. */
  begin(): void {
    this.build++;
    for (const [key, { lastUse }] of this.entries) if (lastUse < this.build - patience) this.entries.delete(key);
  }

  /** The outputs of `op` for these constants; `compute` makes them the first time. */
  get(
    op: OpDef,
    inputs: readonly (Tensor | null)[],
    attrs: unknown,
    compute: () => readonly Tensor[],
  ): readonly Tensor[] {
    const key = `${op.name}(${inputs.map((tensor) => this.name(tensor)).join()})${JSON.stringify(attrs, exact)}`;
    const known = this.entries.get(key);
    if (known !== undefined) {
      known.lastUse = this.build;
      return known.tensors;
    }
    const tensors = compute();
    if (tensors.some((tensor) => tensor.size > byValue)) this.entries.set(key, { tensors, lastUse: this.build });
    return tensors;
  }

  private name(tensor: Tensor | null): string {
    if (tensor === null) return '-';
    if (tensor.size <= byValue) return `${tensor.dtype}[${tensor.shape}]${JSON.stringify([...tensor.array], exact)}`;
    let id = this.identities.get(tensor);
    if (id === undefined) {
      id = ++this.lastIdentity;
      this.identities.set(tensor, id);
    }
    return `#${id}`;
  }
}

/** JSON has no infinities, no NaN and no −0. */
function exact(_: string, value: unknown): unknown {
  const plain = typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0));
  return plain ? value : Object.is(value, -0) ? '-0' : String(value);
}
