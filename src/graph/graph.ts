import type { DType } from '../common/dtype.ts';
import type { OpName, Ops } from '../ops/attrs.ts';
import type { OpDef } from '../ops/core/op.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * Models are imported or traced into this graph, and passes rewrite it: ops on values in static single assignment
 * form; every shape is a concrete list of numbers. It has no layouts and no memory; lowering assigns those.
 */
export interface Graph {
  /** Values that the caller fills. Their names are unique. */
  readonly inputs: Value[];
  /** Results by name. One value may bear several names, and may be an input or a constant. */
  readonly outputs: { name: string; value: Value }[];
  /** In topological order: a node is after those that compute its inputs. */
  nodes: GraphNode[];
}

/** The result of a node, an input, or a constant (which no node computes). */
export interface Value {
  /** Unique in the process. */
  readonly id: number;
  /** For messages: the name in the model file, if there is one. Not unique. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The elements, row-major and never written, if they are known before the first run; else null. */
  readonly constant: Tensor | null;
  /** Memory that outlives runs and that ops may update in place (parameters, optimizer state); else absent. */
  readonly state?: Tensor;
}

/** One op. A null input is an optional one that is absent; `outputs` are all outputs of `op.infer`, used or not. */
export interface GraphNode {
  /** For messages: the node's name in the model file. Not unique: one ONNX node may become several. */
  readonly name: string;
  readonly op: OpDef;
  readonly attrs: unknown;
  readonly inputs: (Value | null)[];
  readonly outputs: Value[];
}

/** A node of the op `N`, with the type of its attributes. */
export interface NodeOf<N extends OpName> extends GraphNode {
  readonly attrs: Ops[N];
}

export const isOp = <N extends OpName>(node: GraphNode, ...names: readonly N[]): node is NodeOf<N> =>
  (names as readonly string[]).includes(node.op.name);

let lastId = 0;

export function newValue(name: string, dtype: DType, shape: readonly number[], constant: Tensor | null = null): Value {
  return { id: ++lastId, name, dtype, shape, constant };
}

/** A value whose elements are those of `tensor`, which must be row-major. */
export function constantValue(name: string, tensor: Tensor): Value {
  return newValue(name, tensor.dtype, tensor.shape, tensor);
}

/** A value in the memory of `tensor`, where ops read and write it. */
export function stateValue(name: string, tensor: Tensor): Value {
  return { ...newValue(name, tensor.dtype, tensor.shape), state: tensor };
}

/** The nodes that some output depends on, in their order. */
export function liveNodes(nodes: readonly GraphNode[], outputs: Iterable<Value>): GraphNode[] {
  const needed = new Set<Value>(outputs);
  const live: GraphNode[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    if (!node.outputs.some((value) => needed.has(value))) continue;
    for (const value of node.inputs) if (value !== null) needed.add(value);
    live.push(node);
  }
  return live.reverse();
}
