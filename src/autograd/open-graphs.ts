import type { DType } from '../common/dtype.ts';
import { byteLength } from '../common/dtype.ts';

/** A result of a recorded op, as far as its memory is concerned. */
export interface Result {
  readonly dtype: DType;
  readonly size: number;
  readonly isAlive: boolean;
  readonly held: boolean;
  toHost(): void;
}

/** Recorded ops that hang together by their results, and that were not backpropagated yet. */
export class OpenGraph {
  static readonly name: string = 'OpenGraph';

  results: Result[] = [];
  bytes = 0;
  /** The graph that took this one over, when an op joined both. */
  joined: OpenGraph | null = null;
  /** Backpropagated, or moved to the JavaScript heap: it is not watched any more. */
  closed = false;
}

/** Results of graphs other than the current one may take this much of the backend's memory. */
const mostBytes = 2 ** 27;
/** And so many graphs are watched; each keeps its variables from the garbage collector. */
const mostGraphs = 64;

const rootOf = (graph: OpenGraph): OpenGraph => {
  let root = graph;
  while (root.joined !== null) root = root.joined;
  return root;
};

/**
 * Forward passes without a backward pass: an evaluation loop outside of `noGrad` records a graph per pass, and the memory of
 * its results belongs to variables that cannot be reached any more. The garbage collector knows nothing of WebAssembly memory,
 * and a synchronous loop gives its finalizers no turn. So the results of graphs that were begun and left move to the JavaScript
 * heap, the oldest first, where the collector counts them. The current graph never moves, so a training step pays nothing; a
 * graph that is taken up again is copied in when it is used.
 */
export class OpenGraphs {
  static readonly name: string = 'OpenGraphs';

  /** The one that was extended last is the last. */
  private readonly open = new Set<OpenGraph>();
  private bytes = 0;

  /** Enters an op that was recorded: its inputs' graphs become one, to which its results belong. */
  extend(inputs: Iterable<OpenGraph>, results: readonly Result[]): OpenGraph {
    const roots = new Set<OpenGraph>();
    for (const graph of inputs) {
      const root = rootOf(graph);
      if (!root.closed) roots.add(root);
    }
    let graph = new OpenGraph();
    for (const root of roots) if (root.results.length > graph.results.length) graph = root;
    for (const other of roots) {
      if (other === graph) continue;
      for (const result of other.results) graph.results.push(result);
      graph.bytes += other.bytes;
      other.results = [];
      other.joined = graph;
      this.open.delete(other);
    }
    for (const result of results) {
      const size = byteLength(result.dtype, result.size);
      graph.results.push(result);
      graph.bytes += size;
      this.bytes += size;
    }
    this.open.delete(graph);
    this.open.add(graph);
    this.limit(graph);
    return graph;
  }

  /** The graph was backpropagated. Returns all of its results, also those that were not used. */
  close(graph: OpenGraph): readonly Result[] {
    const root = rootOf(graph);
    if (!this.open.delete(root)) return [];
    const { results } = root;
    this.bytes -= root.bytes;
    root.results = [];
    root.closed = true;
    return results;
  }

  private limit(current: OpenGraph): void {
    for (const graph of this.open) {
      if (graph === current) return;
      if (this.bytes - current.bytes <= mostBytes && this.open.size <= mostGraphs) return;
      for (const result of graph.results) if (result.isAlive && !result.held) result.toHost();
      this.close(graph);
    }
  }
}
