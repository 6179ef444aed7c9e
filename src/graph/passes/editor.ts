import type { OpName, Ops } from '../../ops/attrs.ts';
import { getOp } from '../../ops/index.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { constantValue, type Graph, type GraphNode, isOp, type NodeOf, type Value } from '../graph.ts';

/** A graph during rewriting: the producer and the users of each value, which the edits below keep up to date. */
export class GraphEditor {
  readonly graph: Graph;
  private readonly producers = new Map<Value, GraphNode>();
  private readonly users = new Map<Value, Set<GraphNode>>();
  /** The index of each node in `standing`, which is `graph.nodes` with null for removed nodes until `compact`. */
  private readonly places = new Map<GraphNode, number>();
  private readonly standing: (GraphNode | null)[];
  private stale = false;

  constructor(graph: Graph) {
    this.graph = graph;
    this.standing = [...graph.nodes];
    graph.nodes.forEach((node, place) => {
      this.places.set(node, place);
      this.link(node);
    });
  }

  /** Whether `node` has been neither removed nor replaced. */
  has(node: GraphNode): boolean {
    return this.places.has(node);
  }

  /** The position of `node`, to compare with those of other nodes; -1 if it has been removed. */
  position(node: GraphNode): number {
    return this.places.get(node) ?? -1;
  }

  /** Updates `graph.nodes`, once after each pass: to do it in each edit would take linear time per edit. */
  compact(): void {
    if (!this.stale) return;
    let count = 0;
    for (const node of this.standing) if (node !== null) this.graph.nodes[count++] = node;
    this.graph.nodes.length = count;
    this.stale = false;
  }

  producer(value: Value | null | undefined): GraphNode | null {
    return value == null ? null : (this.producers.get(value) ?? null);
  }

  /** The producer of `value` if it is one of the ops `names` and only `user` uses its result. */
  soleProducer<N extends OpName>(value: Value | null | undefined, user: GraphNode, ...names: N[]): NodeOf<N> | null {
    const node = this.producer(value);
    if (node === null || !isOp(node, ...names) || node.outputs.length !== 1) return null;
    return this.onlyUser(node.outputs[0]) === user ? node : null;
  }

  isOutput(value: Value): boolean {
    return this.graph.outputs.some((output) => output.value === value);
  }

  onlyUser(value: Value): GraphNode | null {
    const users = this.users.get(value);
    if (users === undefined || users.size !== 1 || this.isOutput(value)) return null;
    return [...users][0];
  }

  /** Replaces `node` by a new node with the same outputs. */
  replace<N extends OpName>(
    node: GraphNode,
    op: N,
    inputs: readonly (Value | null)[],
    attrs: Ops[N],
    name = node.name,
  ): GraphNode {
    this.unlink(node);
    const fresh: GraphNode = { name, op: getOp(op), attrs, inputs: [...inputs], outputs: node.outputs };
    const place = this.places.get(node)!;
    this.places.delete(node);
    this.places.set(fresh, place);
    this.standing[place] = fresh;
    this.stale = true;
    this.link(fresh);
    return fresh;
  }

  /** Replaces `node`, and `host`, whose result only `node` used, by one node of the host's op with new inputs and attributes. */
  fuse<N extends OpName>(host: NodeOf<N>, node: GraphNode, inputs: readonly (Value | null)[], attrs: Ops[N]): void {
    this.replace(node, host.op.name as N, inputs, attrs, host.name);
    this.removeDead(host);
  }

  remove(node: GraphNode): void {
    this.unlink(node);
    this.standing[this.places.get(node)!] = null;
    this.places.delete(node);
    this.stale = true;
  }

  /** Removes `node` if its results have no more users, then its producers in the same way. */
  removeDead(node: GraphNode): void {
    const used = node.outputs.some((value) => (this.users.get(value)?.size ?? 0) > 0 || this.isOutput(value));
    if (used || !this.has(node)) return;
    const feeders = node.inputs.map((value) => this.producer(value));
    this.remove(node);
    for (const feeder of feeders) if (feeder !== null) this.removeDead(feeder);
  }

  constant(name: string, tensor: Tensor): Value {
    return constantValue(name, tensor);
  }

  private link(node: GraphNode): void {
    for (const output of node.outputs) this.producers.set(output, node);
    for (const input of node.inputs) {
      if (input === null) continue;
      const users = this.users.get(input) ?? new Set();
      users.add(node);
      this.users.set(input, users);
    }
  }

  private unlink(node: GraphNode): void {
    for (const output of node.outputs) this.producers.delete(output);
    for (const input of node.inputs) if (input !== null) this.users.get(input)?.delete(node);
  }
}

export const sameShape = (a: Value, b: Value): boolean =>
  a.shape.length === b.shape.length && a.shape.every((d, i) => d === b.shape[i]);

/** The one number that a constant value consists of, or null. */
export function scalarOf(value: Value | null | undefined): number | null {
  return value?.constant && value.constant.size === 1 ? value.constant.array[0] : null;
}

/** `{ scalar, other }` for a commutative node of two inputs if one of them is a constant scalar; else null. */
export function scalarOperand(node: GraphNode): { scalar: number; other: Value } | null {
  const [a, b] = node.inputs;
  const right = scalarOf(b);
  if (right !== null && a !== null) return { scalar: right, other: a };
  const left = scalarOf(a);
  return left !== null && b !== null ? { scalar: left, other: b } : null;
}
