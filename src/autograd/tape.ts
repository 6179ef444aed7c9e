import { allocateArray, type DType, dtypes } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { fits, flag, type KnownOf, refuse } from '../common/options.ts';
import type { OpName, Ops, WithAttrs } from '../ops/attrs.ts';
import type { GradContext, OpDef, TensorInfo } from '../ops/core/op.ts';
import { getOp } from '../ops/training.ts';
import { elementCount } from '../tensor/layout.ts';
import { tensor } from '../tensor/tensor.ts';
import { executor } from './engine.ts';
import type { Executor } from './executor.ts';
import { GraphPass } from './graph-pass.ts';
import { type GradHook, type TapeNode, Variable } from './variable.ts';

let lastNode = 0;
let recording = true;

/** Whether ops are recorded: false inside of noGrad. */
export const isGradEnabled = (): boolean => recording;

/**
 * Applies an op and records it if gradients are on and an input has requiresGrad.
 *
 * @throws ConvletError what the op's checks find
 */
export function apply<N extends OpName>(
  name: N,
  inputs: readonly (Variable | null)[],
  ...[attrs = {} as Ops[N]]: WithAttrs<N>
): Variable[] {
  const op = getOp(name);
  const on = executor();
  // Behind a graph that has been backpropagated nothing can be learned any more: metrics of its results are no new graph.
  const record = recording && inputs.some((input) => input?.requiresGrad && !input.node?.released);
  if (record && op.backward !== undefined) on.beforeRecorded();
  if (op.inPlace !== undefined) expectWritable(op, inputs, record);
  const handles = inputs.map((input) => (input === null ? null : on.materialize(input)));
  const outputs = on.apply(op, handles, attrs).map((handle, i) => {
    const target = op.inPlace === undefined ? null : inputs[op.inPlace[i]];
    if (!target) return Variable.of(handle, on);
    on.release(handle);
    return target;
  });
  if (op.inPlace !== undefined) return outputs;
  if (record && outputs.some((output) => dtypes[output.dtype].kind === 'float')) {
    const versions = inputs.map((input, i) => (input === null ? 0 : versionOf(on, input, handles[i]!)));
    recordNode(on, { name, attrs, inputs, outputs, versions, rule: op.backward ?? null });
  } else on.track(outputs);
  return outputs;
}

/** As `apply`, for ops with one output. */
export const apply1 = <N extends OpName>(
  name: N,
  inputs: readonly (Variable | null)[],
  ...attrs: WithAttrs<N>
): Variable => apply(name, inputs, ...attrs)[0];

export const versionOf = (on: Executor, variable: Variable, handle: TensorInfo): number =>
  variable.writes + on.version(handle);

export function recordNode(on: Executor, node: Omit<TapeNode, 'id' | 'released' | 'graph'>): void {
  const made: TapeNode = { ...node, id: ++lastNode, released: false, graph: null };
  made.graph = on.recorded(made);
  for (const output of node.outputs) {
    if (dtypes[output.dtype].kind === 'float') output.requiresGrad = true;
    output.node = made;
  }
}

function expectWritable(op: OpDef, inputs: readonly (Variable | null)[], record: boolean): void {
  for (const index of op.inPlace!) {
    const target = inputs[index];
    if (target === null) continue;
    if (record && target.requiresGrad)
      throw new ConvletError('argument', `${op.name}: writes a variable that requires gradients; do it inside noGrad`);
    if (target.node !== null || target.lifetime !== 'persistent')
      throw new ConvletError('argument', `${op.name}: writes in place, which only parameters and buffers can take`);
  }
}

export interface BackwardOptions {
  /** Lets the graph be backpropagated again. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Records the backward pass too: gradients can be differentiated again. */
  readonly createGraph?: boolean;
}

const backwardKnown: KnownOf<BackwardOptions> = { retainGraph: flag, createGraph: flag };

/**
 * Gradients of this variable by every leaf that requires them, added to the leaves' `grad`.
 *
 * @param grad gradient by the variable itself; may be left out for one element (1)
 * @throws ConvletError `argument` without a graph, with a graph that was backpropagated before, or through memory that was
 * written since; `unsupported` naming an op that has no gradient, or with createGraph no second one
 */
export function backward(root: Variable, grad?: Variable | null, options: BackwardOptions = {}): void {
  if (!fits(options, backwardKnown)) refuse('backward', options, backwardKnown, { grad });
  if (grad != null && !(grad instanceof Variable)) refuse('backward', grad, backwardKnown, { grad: undefined });
  if (!root.requiresGrad)
    throw new ConvletError('argument', 'backward: the variable does not depend on anything that requires gradients');
  if (grad == null && root.size !== 1)
    throw new ConvletError(
      'argument',
      `backward: a gradient is needed for shape ${shapeText(root.shape)}; only one element goes without`,
    );
  if (grad != null && shapeText(grad.shape) !== shapeText(root.shape))
    throw new ConvletError(
      'shape',
      `backward: grad expects shape ${shapeText(root.shape)}, got ${shapeText(grad.shape)}`,
    );
  const on = executor();
  const nodes = reachable([root]);
  if (options.createGraph) {
    expectRecording('backward');
    const found = recordedPass(
      nodes,
      [[root, grad ?? ones(root.dtype, root.shape)]],
      (input) => input.requiresGrad,
      new Set(),
    );
    for (const [leaf, value] of found)
      if (on.accumulates?.(leaf) ?? true) leaf.grad = leaf.grad === null ? value : apply1('add', [leaf.grad, value]);
    release(on, nodes, [root], options.retainGraph ?? true);
    return;
  }
  const pass = new Pass(on);
  withRecording(false, () => {
    try {
      const seed = grad == null ? one(on, root) : on.materialize(grad);
      on.retain(seed);
      pass.add(root, seed);
      for (const node of nodes) pass.through(node);
      pass.finish();
    } finally {
      pass.dispose();
    }
  });
  release(on, nodes, [root], options.retainGraph ?? false);
}

/** createGraph records: throws `argument` where noGrad forbids it. */
export function expectRecording(what: string): void {
  if (recording) return;
  throw new ConvletError(
    'argument',
    `${what}: createGraph records the backward pass, which noGrad forbids: call it outside of noGrad`,
  );
}

/** A graph that was backpropagated goes, unless it is retained. */
export function release(on: Executor, nodes: readonly TapeNode[], roots: readonly Variable[], retain: boolean): void {
  if (retain || nodes.length === 0) return;
  for (const node of nodes) node.released = true;
  const [root, ...others] = roots;
  on.retire(
    nodes.flatMap((node) => node.outputs),
    root,
  );
  for (const other of others) on.retire([], other);
}

/** Gradients as variables, by leaves and by what is `wanted`: recorded if recording is on. */
export function recordedPass(
  nodes: readonly TapeNode[],
  seeds: readonly (readonly [root: Variable, grad: Variable])[],
  wants: (input: Variable) => boolean,
  wanted: ReadonlySet<Variable>,
): ReadonlyMap<Variable, Variable> {
  const on = executor();
  const pass = new GraphPass({
    apply: (name, inputs, attrs) => apply(name, inputs, attrs as never),
    isRecorded: () => recording,
    wants,
    wanted,
    expectFresh(node, operands) {
      node.inputs.forEach((input, i) => {
        if (
          input !== null &&
          operands.includes(input) &&
          versionOf(on, input, on.materialize(input)) !== node.versions[i]
        )
          throw new ConvletError(
            'argument',
            `backward: an input of '${node.name}' was written in place after the op had read it`,
          );
      });
    },
  });
  for (const [root, grad] of seeds) pass.add(root, grad);
  for (const node of nodes) pass.through(node);
  return pass.finish();
}

/** The nodes that variables depend on, latest first. */
export function reachable(roots: readonly Variable[]): TapeNode[] {
  const found = new Set<TapeNode>();
  const queue = roots.flatMap(({ node }) => node ?? []);
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (found.has(node)) continue;
    if (node.released)
      throw new ConvletError(
        'argument',
        `backward: the graph through '${node.name}' was backpropagated before and is freed; pass { retainGraph: true } the first time`,
      );
    found.add(node);
    for (const input of node.inputs) if (input?.node != null && input.requiresGrad) queue.push(input.node);
  }
  return [...found].sort((a, b) => b.id - a.id);
}

const one = (on: Executor, root: Variable): TensorInfo => on.constant(allocateArray(root.dtype, 1).fill(1), root.shape);

/** A variable of ones. */
export function ones(dtype: DType, shape: readonly number[]): Variable {
  const made = tensor(allocateArray(dtype, elementCount(shape)).fill(1), shape, dtype);
  return new Variable(made, made);
}

/** One backward pass: gradients on their way, each with one reference. */
class Pass {
  private readonly on: Executor;
  private readonly grads = new Map<Variable, TensorInfo>();

  constructor(on: Executor) {
    this.on = on;
  }

  /** Takes over one reference to `handle`. */
  add(target: Variable, handle: TensorInfo): void {
    const have = this.grads.get(target);
    if (have === undefined) {
      this.grads.set(target, handle);
      return;
    }
    const [sum] = this.on.apply(getOp('add'), [have, handle], {});
    this.grads.set(target, sum);
    this.on.release(have);
    this.on.release(handle);
  }

  through(node: TapeNode): void {
    const grads = node.outputs.map((output) => this.take(output));
    if (grads.every((grad) => grad === null)) return;
    try {
      this.rule(node, grads);
    } finally {
      for (const grad of grads) if (grad !== null) this.on.release(grad);
    }
  }

  /** What is left belongs to leaves. */
  finish(): void {
    for (const leaf of [...this.grads.keys()]) {
      const handle = this.take(leaf)!;
      if (leaf.node === null && (this.on.accumulates?.(leaf) ?? true)) this.accumulate(leaf, handle);
      else this.on.release(handle);
    }
  }

  dispose(): void {
    for (const handle of this.grads.values()) this.on.release(handle);
    this.grads.clear();
  }

  /** The complete gradient by `target`, after its hooks; the reference is the caller's. */
  private take(target: Variable): TensorInfo | null {
    let handle = this.grads.get(target) ?? null;
    if (handle === null) return null;
    this.grads.delete(target);
    for (const hook of target.hooks ?? []) handle = this.hooked(target, hook, handle);
    if (target.keepsGrad && target.node !== null) {
      this.on.retain(handle);
      this.accumulate(target, handle);
    }
    return handle;
  }

  private hooked(target: Variable, hook: GradHook, handle: TensorInfo): TensorInfo {
    const { on } = this;
    on.enter();
    let result = handle;
    try {
      const given = Variable.of(handle, on);
      on.retain(handle);
      on.track([given]);
      const returned = hook(given);
      if (returned instanceof Variable && returned !== given) {
        if (shapeText(returned.shape) !== shapeText(target.shape))
          throw new ConvletError(
            'shape',
            `hook: expects a gradient of shape ${shapeText(target.shape)}, got ${shapeText(returned.shape)}`,
          );
        result = on.materialize(returned);
        on.retain(result);
        on.release(handle);
      }
    } finally {
      on.leave(new Set());
    }
    return result;
  }

  private rule(node: TapeNode, grads: readonly (TensorInfo | null)[]): void {
    const { on } = this;
    if (node.rule === null)
      throw new ConvletError('unsupported', `backward: the op '${node.name}' has no gradient; detach() its result`);
    const wants = node.inputs.map((input) => input?.requiresGrad ?? false);
    const inputs = node.inputs.map((input) => (input === null ? null : on.materialize(input)));
    const stale = new Set(
      inputs.filter((handle, i) => handle !== null && versionOf(on, node.inputs[i]!, handle) !== node.versions[i]),
    );
    const made: TensorInfo[] = [];
    const context: GradContext<unknown> = {
      attrs: node.attrs,
      inputs,
      outputs: node.outputs.map((output) => (output.isAlive ? on.materialize(output) : output)),
      grads,
      wants,
      op: (name, operands, ...[attrs]) => {
        if (stale.size > 0 && operands.some((operand) => stale.has(operand)))
          throw new ConvletError(
            'argument',
            `backward: an input of '${node.name}' was written in place after the op had read it`,
          );
        const results = on.apply(getOp(name), operands, attrs ?? {});
        made.push(...results);
        return results;
      },
      constant: (array, shape) => on.constant(array, shape),
    };
    try {
      const results = node.rule(context, made);
      node.inputs.forEach((input, i) => {
        const handle = results[i] ?? null;
        if (input === null || !wants[i] || handle === null) return;
        if (shapeText(handle.shape) !== shapeText(input.shape))
          throw new Error(
            `the gradient of '${node.name}' by input ${i} has shape ${shapeText(handle.shape)}, expected ${shapeText(input.shape)}`,
          );
        on.retain(handle);
        this.add(input, handle);
      });
    } finally {
      for (const handle of made) on.release(handle);
    }
  }

  /** Takes over one reference. */
  private accumulate(target: Variable, handle: TensorInfo): void {
    const { on } = this;
    const old = target.grad;
    let kept = handle;
    if (old !== null) {
      [kept] = on.apply(getOp('add'), [on.materialize(old), handle], {});
      on.release(handle);
    } else if (!on.exclusive(handle)) {
      [kept] = on.apply(getOp('identity'), [handle], {});
      on.release(handle);
    }
    const made = Variable.of(kept, on);
    target.grad = made;
    if (!made.held) on.track([made]);
  }
}

/** Runs `body` without recording; what it makes stays, unlike with noGrad. */
export const withoutRecording = <T>(body: () => T): T => withRecording(false, body);

export function withRecording<T>(on: boolean, body: () => T): T {
  const before = recording;
  recording = on;
  try {
    return body();
  } finally {
    recording = before;
  }
}
