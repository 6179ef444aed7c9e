import { convInputs } from '../backend/prims/conv.ts';
import type { Activation } from '../backend/prims/elementwise.ts';
import { type DType, dtypes } from '../common/dtype.ts';
import type { Graph, GraphNode, Value } from '../graph/graph.ts';
import { elementCount } from '../tensor/layout.ts';

export interface LayerReport {
  readonly name: string;
  /** The op alone. */
  readonly baseOp: string;
  /** The op, with what was fused into it: "conv+add+relu". */
  readonly op: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Of the op; functions fused into it with their numbers. */
  readonly attributes: object;
  readonly parameters: number;
  /** Multiply–accumulates. */
  readonly macs: number;
  /** Bytes read and written, weights included. */
  readonly bytes: number;
}

/** One row per node of an optimised graph. Parameters are counted where they are first used. */
export function describeLayers(graph: Graph): LayerReport[] {
  const seen = new Set<unknown>();
  return graph.nodes.map((node) => ({
    name: node.name,
    baseOp: node.op.name,
    op: opText(node),
    dtype: node.outputs[0]?.dtype ?? 'float32',
    shape: node.outputs[0]?.shape ?? [],
    attributes: (node.attrs as object | undefined) ?? {},
    parameters: node.inputs.reduce((sum, value) => sum + newParameters(value, seen), 0),
    macs: node.op.macs?.(node.inputs, node.outputs, node.attrs) ?? 0,
    bytes: [...node.inputs, ...node.outputs].reduce((sum, value) => sum + bytesOf(value), 0),
  }));
}

const bytesOf = (value: Value | null): number =>
  value === null ? 0 : elementCount(value.shape) * dtypes[value.dtype].bytes;

function opText(node: GraphNode): string {
  const { activation } = node.attrs as { activation?: Activation | null };
  const residual = node.op.name === 'conv' && node.inputs[convInputs.residual] ? '+add' : '';
  return `${node.op.name}${residual}${activation ? `+${activation.kind}` : ''}`;
}

function newParameters(value: Value | null, seen: Set<unknown>): number {
  if (!value?.constant || seen.has(value.constant) || !value.dtype.startsWith('float')) return 0;
  seen.add(value.constant);
  return elementCount(value.shape);
}
