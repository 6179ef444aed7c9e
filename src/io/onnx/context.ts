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

/** What a handler needs of the walk it is called from: subgraphs and tensors of the file. */
export interface Surroundings {
  /** Imports a subgraph (branch, loop body) with these values for its inputs; its outputs. */
  subgraph(graph: OnnxGraph, inputs: readonly Value[]): Value[];
  decode(tensor: OnnxTensor): Tensor;
  /** All values are known and ops run as they are added: loops may be long, nothing is traced. */
  readonly eager: boolean;
  /**
   * Frees what was computed since `mark` except what `keep` and `hold` need; only eager walks have something to free.
   * The result is a mark behind `hold`, which stays until an earlier mark is released.
   */
  readonly mark: () => number;
  readonly release: (mark: number, keep: readonly Value[], hold?: readonly Value[]) => number;
  /** Counts an iteration of a loop. Throws `unsupported` where the loops of a run take too many. */
  readonly iteration: () => void;
}

/** One ONNX node as its handler sees it: inputs as values of the graph that is being built. */
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

  /** Null where the node leaves the input out. */
  input(index: number): Value | null {
    return this.inputs[index] ?? null;
  }

  /** Input that the operator requires. Throws `malformed` where it is left out. */
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

  /** As `constant`, as numbers; null where the input is left out. */
  numbers(index: number): number[] | null {
    return this.input(index) === null ? null : Array.from(this.constant(index));
  }

  /** The one element of an input; `fallback` where it is left out. */
  scalar(index: number, fallback?: number): number {
    if (this.input(index) === null && fallback !== undefined) return fallback;
    return this.onlyElement(this.required(index), `input ${index}`);
  }

  /** The element of a value that must have just one. Throws NeedsData unless it is known. */
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
  /** First opset version that has the operator as it is handled here. */
  readonly since: number;
  /** First version that no longer has it. */
  readonly until?: number;
  /** The outputs, as far as the node has them (a handler may return fewer where the rest are not wanted). */
  build(ctx: ImportContext): Value | (Value | null)[];
}

export type Handlers = { readonly [opType: string]: Handler };
