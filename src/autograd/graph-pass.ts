// The backward pass that is recorded itself: gradients are variables with a history, and can be differentiated again. Rules are the
// same as in the plain pass; they see variables instead of the executor's handles.
import type { TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import type { OpName } from '../ops/attrs.ts';
import type { GradContext, OpApplier, TensorInfo } from '../ops/core/op.ts';
import { getOp } from '../ops/training.ts';
import { tensor } from '../tensor/tensor.ts';
import type { TapeNode } from './variable.ts';
import { Variable } from './variable.ts';

/** Applies an op to variables and records it. */
export type ApplyOp = (name: OpName, inputs: readonly (Variable | null)[], attrs: unknown) => Variable[];

const constant = (array: TypedArray, shape: readonly number[]): Variable => {
  const values = tensor(array, shape);
  return new Variable(values, values);
};

/** What rules are given: ops without a gradient of their own are replaced by what computes the same and has one. */
function applier({ apply, isRecorded }: PassParts, expectFresh: (operands: readonly unknown[]) => void): OpApplier {
  const on: OpApplier = {
    op(name, operands, ...[attrs]) {
      expectFresh(operands);
      const op = getOp(name);
      if (isRecorded() && op.backward === undefined && op.composed !== undefined)
        return op.composed(on, operands, attrs ?? {});
      return apply(name, operands as (Variable | null)[], attrs ?? {});
    },
    constant,
  };
  return on;
}

/** What a pass needs of the tape. */
export interface PassParts {
  readonly apply: ApplyOp;
  /** Whether what it applies is recorded. */
  readonly isRecorded: () => boolean;
  /** Whether gradients by an input of a node are wanted. */
  readonly wants: (input: Variable) => boolean;
  /** Variables inside of the graph whose gradients are asked for, besides leaves. */
  readonly wanted: ReadonlySet<Variable>;
  /** Throws where one of the operands is an input of `node` that was written since the op read it. */
  readonly expectFresh: (node: TapeNode, operands: readonly unknown[]) => void;
}

/** Gradients by variables, of what one backward pass goes through. */
export class GraphPass {
  static readonly name: string = 'GraphPass';

  private readonly grads = new Map<Variable, Variable>();
  private readonly complete = new Map<Variable, Variable>();
  private readonly parts: PassParts;

  constructor(parts: PassParts) {
    this.parts = parts;
  }

  add(target: Variable, grad: Variable): void {
    const have = this.grads.get(target);
    this.grads.set(target, have === undefined ? grad : this.parts.apply('add', [have, grad], {})[0]);
  }

  through(node: TapeNode): void {
    const grads = node.outputs.map((output) => this.take(output));
    if (grads.every((grad) => grad === null)) return;
    if (node.rule === null)
      throw new ConvletError('unsupported', `backward: the op '${node.name}' has no gradient; detach() its result`);
    if (node.once && this.parts.isRecorded())
      throw new ConvletError('unsupported', `backward: '${node.name}' has no second gradient; leave createGraph out`);
    const { op, constant: make } = applier(this.parts, (operands) => this.parts.expectFresh(node, operands));
    const wants = node.inputs.map((input) => input !== null && this.parts.wants(input));
    const context: GradContext<unknown> = {
      ...{ attrs: node.attrs, inputs: node.inputs, outputs: node.outputs, grads, wants },
      op,
      constant: make,
    };
    const results = node.rule(context, []);
    node.inputs.forEach((input, i) => {
      const grad = (results[i] ?? null) as TensorInfo | null;
      if (input === null || !wants[i] || grad === null) return;
      if (shapeText(grad.shape) !== shapeText(input.shape))
        throw new Error(`the gradient of '${node.name}' by input ${i} has shape ${shapeText(grad.shape)}`);
      this.add(input, grad as Variable);
    });
  }

  /** Complete gradients of leaves and of what was wanted. */
  finish(): ReadonlyMap<Variable, Variable> {
    for (const target of [...this.grads.keys()]) this.take(target);
    return this.complete;
  }

  private take(target: Variable): Variable | null {
    let grad = this.grads.get(target) ?? null;
    if (grad === null) return null;
    this.grads.delete(target);
    for (const hook of target.hooks ?? []) {
      const returned = hook(grad);
      if (returned instanceof Variable) grad = returned;
    }
    if (target.node === null || target.keepsGrad || this.parts.wanted.has(target)) this.complete.set(target, grad);
    return grad;
  }
}
