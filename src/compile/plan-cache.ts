import { ConvletError } from '../common/error.ts';
import type { Plan } from './plan.ts';

/** An entry of the cache: a plan, and what its user stores with it. The cache disposes of the plan. */
export interface Planned {
  readonly plan: Pick<Plan, 'heldBytes' | 'dispose'>;
}

/** A combination of input shapes as a key. */
export const shapesKey = (inputs: Iterable<readonly [name: string, info: { readonly shape: readonly number[] }]>) =>
  Array.from(inputs, ([name, { shape }]) => `${name}:${shape.join('x')}`).join();

/**
 * Plans of one model by their input shapes. The plan that was used least recently is disposed of when room is needed: when
 * the cache is full, or when the backend has no memory for a new plan.
 */
export class PlanCache<Entry extends Planned> {
  private readonly capacity: number;
  /** The least recently used entry is the first. */
  private readonly entries = new Map<string, Entry>();
  private used: Entry | null = null;

  constructor(capacity = 8) {
    this.capacity = capacity;
  }

  /** The entry that was added or got last; null if it was disposed of. */
  get latest(): Entry | null {
    return this.used;
  }

  /** The entry of these shapes, which becomes the latest; undefined if there is none. */
  get(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry !== undefined) this.touch(key, entry);
    return entry;
  }

  /**
   * Adds what `make` compiles, as the latest entry. Other plans are disposed of until there is room; each time `make` fails
   * for lack of memory, one more plan is disposed of and `make` is called again. If it fails for another reason, nothing is added.
   *
   * @throws what `make` throws; ConvletError `memory` once no other plan is left
   */
  add(key: string, make: () => Entry): Entry {
    while (this.entries.size >= this.capacity) this.evict();
    for (;;) {
      try {
        return this.touch(key, make());
      } catch (error) {
        if (!(error instanceof ConvletError && error.code === 'memory') || this.entries.size === 0) throw error;
        this.evict();
      }
    }
  }

  /** All plans, the least recently used one first. */
  get plans(): Entry['plan'][] {
    return Array.from(this.entries.values(), ({ plan }) => plan);
  }

  /** Bytes that only the plans use: arenas, descriptors, tables. */
  get heldBytes(): number {
    return this.plans.reduce((sum, plan) => sum + plan.heldBytes, 0);
  }

  /** Disposes of all plans; the cache is empty then and may be used again. */
  dispose(): void {
    while (this.entries.size > 0) this.evict();
  }

  private touch(key: string, entry: Entry): Entry {
    this.entries.delete(key); // The entry moves to the end.
    this.entries.set(key, entry);
    this.used = entry;
    return entry;
  }

  private evict(): void {
    const [[key, entry]] = this.entries;
    this.entries.delete(key);
    if (this.used === entry) this.used = null;
    entry.plan.dispose();
  }
}
