import { allocateArray, type DType, type TypedArray } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { type GraphBuilder, NeedsData } from '../../graph/builder.ts';
import { constantValue, type Value } from '../../graph/graph.ts';
import type { OpName, Ops, WithAttrs } from '../../ops/attrs.ts';
import { normalizeAxis } from '../../ops/check.ts';
import { constant, type Tensor } from '../../tensor/tensor.ts';
import { Attributes } from './attributes.ts';
import type { OnnxGraph, OnnxNode } from './model.ts';
import type { OnnxTensor } from './tensor-proto.ts';

/** The part of the walk that a handler needs: subgraphs and tensors of the file. */
export interface Surroundings {
  /** Imports a subgraph (branch, loop body) with these values for its inputs; returns its outputs. */
  subgraph(graph: OnnxGraph, inputs: readonly Value[]): Value[];
  decode(tensor: OnnxTensor): Tensor;
  /** True if all values are known and ops run when they are added. Loops may then be long, since they are not unrolled into a graph. */
  readonly eager: boolean;
  /**
   * Frees values computed since `mark` except those of `keep` and `hold`; only eager walks have values to free.
   * Returns a mark after `hold`, whose values remain until an earlier mark is released.
   */
  readonly mark: () => number;
  readonly release: (mark: number, keep: readonly Value[], hold?: readonly Value[]) => number;
  /** Counts an iteration of a loop. Throws `unsupported` if all loops of a run take too many. */
  readonly iteration: () => void;
}

/** One ONNX node for its handler: inputs are values of the graph that is being built. */
export class ImportContext {
  readonly node: OnnxNode;
  /** Version of the operator set that the node belongs to. */
  readonly opset: number;
  readonly attr: Attributes;
  readonly inputs: readonly (Value | null)[];
  readonly around: Surroundings;
  private readonly builder: GraphBuilder;
  private readonly label: string;

  constructor(
    node: OnnxNode,
    opset: number,
    inputs: readonly (Value | null)[],
    builder: GraphBuilder,
    around: Surroundings,
  ) {
    this.node = node;
    this.opset = opset;
    this.attr = new Attributes(node.attributes);
    this.inputs = inputs;
    this.builder = builder;
    this.around = around;
    this.label = node.name || (node.outputs.find((name) => name !== '') ?? '');
  }

  /** The input; null if the node has none. */
  input(index: number): Value | null {
    return this.inputs[index] ?? null;
  }

  /** An input that the operator requires. Throws `malformed` if the node has none. */
  required(index: number): Value {
    const value = this.input(index);
    if (value === null) throw new ConvletError('malformed', `input ${index} is required, the node leaves it out`);
    return value;
  }

  /** Elements of an input that decide shapes or attributes, row-major. Throws NeedsData unless they are known. */
  constant(index: number): TypedArray {
    return this.dataOf(this.required(index));
  }

  dataOf(value: Value): TypedArray {
    if (value.constant === null) throw new NeedsData(`needs the elements of '${value.name}'`);
    return value.constant.layout === 'row' ? value.constant.array : value.constant.data;
  }

  /** As `constant`, as numbers; null if the node has no such input. */
  numbers(index: number): number[] | null {
    return this.input(index) === null ? null : Array.from(this.constant(index));
  }

  /** The only element of an input; `fallback` if the node has no such input. */
  scalar(index: number, fallback?: number): number {
    if (this.input(index) === null && fallback !== undefined) return fallback;
    return this.onlyElement(this.required(index), `input ${index}`);
  }

  /** The element of a value that must have exactly one. Throws NeedsData unless it is known. */
  onlyElement(value: Value, what: string): number {
    const data = this.dataOf(value);
    if (data.length === 1) return data[0];
    throw new ConvletError('malformed', `${what} expects one element, got ${data.length}`);
  }

  /** Whether anything may read output `index`. */
  wants(index: number): boolean {
    return (this.node.outputs[index] ?? '') !== '';
  }

  /** Adds an op; see GraphBuilder.add. */
  emit<N extends OpName>(op: N, inputs: readonly (Value | null)[], ...[attrs]: WithAttrs<N>): Value[] {
    return this.builder.add(op, inputs, attrs ?? ({} as Ops[N]), this.label);
  }

  /** Adds an op of one output. */
  one<N extends OpName>(op: N, inputs: readonly (Value | null)[], ...attrs: WithAttrs<N>): Value {
    return this.emit(op, inputs, ...attrs)[0];
  }

  fromTensor(tensor: Tensor): Value {
    return constantValue(this.label, tensor);
  }

  /** A constant from numbers (an array of them, or one for a scalar). */
  values(values: readonly number[] | number, dtype: DType, shape?: readonly number[]): Value {
    const list = typeof values === 'number' ? [values] : values;
    const array = allocateArray(dtype, list.length);
    array.set(list);
    return this.fromTensor(constant(array, shape ?? (typeof values === 'number' ? [] : [list.length]), dtype));
  }

  /** One number in every element of `shape`. */
  filled(value: number, dtype: DType, shape: readonly number[]): Value {
    return this.one('expand', [this.values(value, dtype)], { shape: [...shape] });
  }

  axis(axis: number, rank: number): number {
    return normalizeAxis(this.node.opType, axis, rank);
  }

  /** Axes counted from 0, in ascending order, each once. */
  axes(axes: readonly number[], rank: number): number[] {
    const normal = axes.map((axis) => this.axis(axis, rank)).sort((a, b) => a - b);
    if (new Set(normal).size !== normal.length) {
      throw new ConvletError('malformed', `axes [${axes.join(', ')}] name one axis twice`);
    }
    return normal;
  }

  reshape(value: Value, shape: readonly number[]): Value {
    const same = value.shape.length === shape.length && value.shape.every((d, i) => d === shape[i]);
    return same ? value : this.one('reshape', [value], { shape: [...shape] });
  }

  cast(value: Value, to: DType): Value {
    return value.dtype === to ? value : this.one('cast', [value], { to });
  }

  transpose(value: Value, perm: readonly number[]): Value {
    return perm.every((axis, i) => axis === i) ? value : this.one('transpose', [value], { perm: [...perm] });
  }
}

/** How one ONNX operator becomes ops. */
export interface Handler {
  /** First opset version of the operator that this handler supports. */
  readonly since: number;
  /** First version that no longer has the operator. */
  readonly until?: number;
  /** The outputs. A handler may return fewer if the node does not use the others. */
  build(ctx: ImportContext): Value | (Value | null)[];
}

export type Handlers = { readonly [opType: string]: Handler };
