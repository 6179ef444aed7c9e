import type { PrimName, Prims } from '../../backend/prims/index.ts';
import type { DType, TypedArray } from '../../common/dtype.ts';
import { canBeChannelsLast, type Layout } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { OpName, Ops, WithAttrs } from '../attrs.ts';

/** Element type and shape, which are known before a tensor has memory. */
export interface TensorInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The part of an input that an op's layout rule sees: its info, and the layout in which its producer wrote it. */
export interface Placed extends TensorInfo {
  readonly layout: Layout;
}

export interface Layouts {
  /** The layout that the op needs for each input (the caller converts); ignored for absent inputs. */
  readonly inputs: readonly Layout[];
  readonly outputs: readonly Layout[];
  /** The output is the same bytes as input 0 under its new shape: nothing is emitted. */
  readonly view?: boolean;
}

/** Collects the prim calls of an op; the caller assigns memory and runs them, now or in a plan. */
export interface Emitter {
  call<P extends PrimName>(
    prim: P,
    inputs: readonly (Tensor | null)[],
    outputs: readonly Tensor[],
    attrs: Prims[P],
  ): void;
  /** A temporary tensor: it has memory from the first call that writes it to the last call that reads it. */
  temp(dtype: DType, shape: readonly number[], layout?: Layout): Tensor;
  /** The same memory under another shape and layout. */
  alias(tensor: Tensor, shape: readonly number[], layout: Layout): Tensor;
  /** A table computed at lowering time. */
  constant(array: TypedArray, shape?: readonly number[], dtype?: DType): Tensor;
}

/** Applies ops and makes constants. */
export interface OpApplier {
  op<N extends OpName>(name: N, inputs: readonly (TensorInfo | null)[], ...attrs: WithAttrs<N>): TensorInfo[];
  constant(array: TypedArray, shape: readonly number[]): TensorInfo;
}

/**
 * The argument of a backward rule. A rule is written with ops, so it runs eagerly and can be traced into a graph: a
 * handle is a Tensor or a graph value, and a rule uses only its info.
 */
export interface GradContext<A> extends OpApplier {
  readonly attrs: A;
  readonly inputs: readonly (TensorInfo | null)[];
  readonly outputs: readonly TensorInfo[];
  /** Gradient of the loss by each output; null if the loss does not depend on that output. */
  readonly grads: readonly (TensorInfo | null)[];
  /** For each input whether its gradient is needed; the others may be null in the result. */
  readonly wants: readonly boolean[];
}

// biome-ignore lint/suspicious/noExplicitAny: tables hold ops of every attribute type; each op checks its own
export interface OpDef<A = any> {
  readonly name: string;
  /** The infos of the outputs. Checks shapes, dtypes and attributes, and throws ConvletError if they do not fit. */
  infer(inputs: readonly (TensorInfo | null)[], attrs: A): TensorInfo[];
  /** The layouts that the op needs for its inputs and gives its outputs. */
  layouts(inputs: readonly (Placed | null)[], attrs: A, outputs: readonly TensorInfo[]): Layouts;
  /** Emits the prims that compute `outputs` from `inputs`, which are in the layouts of the rule. */
  forward(emit: Emitter, inputs: readonly (Tensor | null)[], outputs: readonly Tensor[], attrs: A): void;
  /** Gradients by input (null: none), from those by output. Absent: the op is not differentiable. */
  backward?(g: GradContext<A>): (TensorInfo | null)[];
  /**
   * The same outputs by ops that have gradients. A backward pass that will be differentiated itself (createGraph) applies this in place
   * of a gradient op that has no gradient.
   */
  composed?(g: OpApplier, inputs: readonly (TensorInfo | null)[], attrs: A): TensorInfo[];
  /**
   * Output i is written over input inPlace[i], whose memory must be writable (a parameter, a running
   * statistic). Only for updates.
   */
  readonly inPlace?: readonly number[];
  /** Multiply–accumulates, for `inspect` and cost models. Absent: none worth counting. */
  macs?(inputs: readonly (TensorInfo | null)[], outputs: readonly TensorInfo[], attrs: A): number;
  /**
   * For ops whose output shapes depend on values (NonZero, NonMaxSuppression): computes the outputs on the host. Such
   * an op has no `infer` result before it runs; infer still checks what can be checked.
   */
  evaluate?(inputs: readonly (Tensor | null)[], attrs: A): Tensor[];
}

/** Gives an op's definition the types of its name's attributes. Shapes, layouts, lowering, gradient and cost of an op are together. */
export function defineOp<N extends OpName>(definition: OpDef<Ops[N]> & { readonly name: N }): OpDef<Ops[N]> {
  return definition;
}

/** The row layout for everything. */
export const rowLayouts = (inputs: readonly unknown[], outputs: readonly unknown[]): Layouts => ({
  inputs: inputs.map(() => 'row'),
  outputs: outputs.map(() => 'row'),
});

/** Rule of the conv family: data (the inputs listed) and outputs channels-last, parameters in row order. */
export function channelsLastLayouts(
  inputs: readonly unknown[],
  outputs: readonly TensorInfo[],
  dataInputs: readonly number[] = [0],
): Layouts {
  return {
    inputs: inputs.map((_, i) => (dataInputs.includes(i) ? 'channelsLast' : 'row')),
    outputs: outputs.map((o) => (canBeChannelsLast(o.shape.length) ? 'channelsLast' : 'row')),
  };
}

/**
 * Rule of ops that work in any memory order, such as elementwise ones: channels-last if an input as large as the output
 * already is, else row. Inputs of the output's shape are converted to that layout; smaller inputs keep theirs, since
 * strides broadcast them.
 */
export function followLayouts(inputs: readonly (Placed | null)[], outputs: readonly TensorInfo[]): Layouts {
  const shape = outputs[0].shape;
  const full = (t: Placed | null): boolean =>
    t !== null && t.shape.length === shape.length && t.shape.every((d, i) => d === shape[i]);
  const layout: Layout = inputs.some((t) => full(t) && t?.layout === 'channelsLast') ? 'channelsLast' : 'row';
  return {
    inputs: inputs.map((t) => (full(t) ? layout : (t?.layout ?? 'row'))),
    outputs: outputs.map(() => layout),
  };
}
