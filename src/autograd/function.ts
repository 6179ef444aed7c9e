// Ops of the user's own, as torch.autograd.Function: a forward and a backward that are written with other ops.
import { allocateArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { shown } from '../common/options.ts';
import type { TensorInfo } from '../ops/core/op.ts';
import { getOp } from '../ops/training.ts';
import { elementCount } from '../tensor/layout.ts';
import { tensor } from '../tensor/tensor.ts';
import { executor } from './engine.ts';
import type { Executor } from './executor.ts';
import { isGradEnabled, recordNode, versionOf, withRecording } from './tape.ts';
import { type Rule, Variable } from './variable.ts';

/** What `forward` leaves for `backward`. Anything that is no variable may be kept in fields of any name. */
export class FunctionContext {
  static readonly name: string = 'FunctionContext';

  /** For each argument of `apply`: whether a gradient by it is wanted. */
  needsInputGrad: readonly boolean[];
  /** Fields of the user's. */
  [field: string]: unknown;
  private saved: readonly (Variable | null)[] = [];
  private constants: readonly Variable[] = [];
  /** Throws where something that was saved has been written since. */
  private check: (() => void) | null = null;

  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }

  /** Keeps variables for `backward`: inputs, outputs, or what `forward` computes on its way. */
  saveForBackward(...variables: (Variable | null)[]): void {
    const wrong = variables.findIndex((value) => value !== null && !(value instanceof Variable));
    if (wrong >= 0)
      throw new ConvletError(
        'argument',
        `saveForBackward: expects variables or null, got ${shown(variables[wrong])}; keep other values in fields of ctx`,
      );
    this.saved = variables;
  }

  /** What was saved, in the same order. Throws `argument` where an input has been written in place since. */
  get savedVariables(): readonly (Variable | null)[] {
    this.check?.();
    return this.saved;
  }

  /** Says that no gradients go through these outputs of `forward`. */
  markNonDifferentiable(...outputs: Variable[]): void {
    this.constants = outputs;
  }

  /** @internal Of convlet: what was saved, and what is not differentiable. */
  static parts(ctx: FunctionContext) {
    return { saved: ctx.saved, constants: ctx.constants };
  }

  /** @internal Of convlet: what `backward` gets to see. */
  static replace(ctx: FunctionContext, saved: readonly (Variable | null)[], check: () => void): void {
    ctx.saved = saved;
    ctx.check = check;
  }
}

type Outputs = Variable | readonly Variable[];

/** The static methods of a class of the user's, with the arguments of its `forward`. */
interface Definition<A extends readonly unknown[], R extends Outputs> {
  readonly name: string;
  forward(ctx: FunctionContext, ...args: A): R;
}

const what = { forward: 'outputs', backward: 'gradients' };

/** The two methods, with any arguments. */
interface Methods {
  readonly name: string;
  readonly forward?: (ctx: FunctionContext, ...args: readonly unknown[]) => unknown;
  readonly backward?: (ctx: FunctionContext, ...grads: readonly Variable[]) => unknown;
}

/**
 * An op with a forward and a backward of your own (torch.autograd.Function). `forward` gets a context and the arguments of `apply`,
 * runs without recording, and returns a variable or an array of them. `backward` gets the context and a gradient by each
 * output (zeros where the result does not depend on it), and returns a gradient for each argument: null for one that is
 * no variable or has none. Written with ops, `backward` can be differentiated again (createGraph).
 *
 * ```ts
 * class Reverse extends Function {
 *   static forward(ctx: FunctionContext, x: Variable, factor: number) {
 *     ctx.factor = factor;
 *     return x;
 *   }
 *   static backward(ctx: FunctionContext, grad: Variable) {
 *     return [grad.mul(-(ctx.factor as number)), null];
 *   }
 * }
 * const y = Reverse.apply(x, 0.5);
 * ```
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: it is the name that PyTorch gives it
// biome-ignore lint/complexity/noStaticOnlyClass: users extend it
export abstract class Function {
  static readonly name: string = 'Function';

  /**
   * Runs `forward`, and records the call if gradients are on and an argument requires them.
   *
   * @throws ConvletError `argument` where `forward` returns no variable; what is wrong with `backward` is said by the backward pass
   */
  static apply<A extends readonly unknown[], R extends Outputs>(this: Definition<A, R>, ...args: A): R {
    // biome-ignore lint/complexity/noThisInStatic: the class of the user's
    return applyFunction(this as unknown as Methods, args) as R;
  }
}

function applyFunction(definition: Methods, args: readonly unknown[]): Outputs {
  for (const method of ['forward', 'backward'] as const) {
    if (typeof definition[method] === 'function') continue;
    const form = `static ${method}(ctx, …)`;
    throw new ConvletError(
      'argument',
      `${definition.name}: expects a method ${form} that computes its ${what[method]}`,
    );
  }
  const on = executor();
  const inputs = args.filter((arg) => arg instanceof Variable) as Variable[];
  const needs = args.map((arg) => arg instanceof Variable && arg.requiresGrad);
  const record = isGradEnabled() && inputs.some((input) => input.requiresGrad && !input.node?.released);
  if (record) on.beforeRecorded();
  const ctx = new FunctionContext(needs);
  const { given, results, hidden, saved } = runForward(on, definition, ctx, args);
  const outputs = given instanceof Variable ? results[0] : results;
  const { constants } = FunctionContext.parts(ctx);
  const differentiable = results.filter((_, i) => !constants.includes([given].flat()[i] as Variable));
  on.track(results.filter((result) => !record || !differentiable.includes(result)));
  if (!record) {
    for (const made of hidden) made.free('it was saved by a function that needs no backward pass');
    return outputs;
  }
  const versions = inputs.map((input) => versionOf(on, input, on.materialize(input)));
  const kept = saved.map((value) => (typeof value === 'number' ? results[value] : value));
  const rule: Rule = (g, made) => {
    FunctionContext.replace(ctx, kept, () => expectFresh(on, definition.name, inputs, versions, kept));
    ctx.needsInputGrad = args.map((arg) => arg instanceof Variable && g.wants[inputs.indexOf(arg)]);
    return backwardRule(on, definition, ctx, args, differentiable, g.grads, made);
  };
  // What was saved on the way lives and goes as an output does: with the graph.
  recordNode(on, {
    ...{ name: definition.name, attrs: {}, inputs, versions, rule },
    outputs: [...differentiable, ...hidden],
  });
  return outputs;
}

/** Runs `forward` without recording. What it returns and saves is kept, everything else that it makes is freed. */
function runForward(on: Executor, definition: Methods, ctx: FunctionContext, args: readonly unknown[]) {
  on.enter();
  try {
    const given = withRecording(false, () => definition.forward!(ctx, ...args));
    const list = [given].flat() as Variable[];
    if (list.length === 0 || !list.every((value) => value instanceof Variable))
      throw new ConvletError(
        'argument',
        `${definition.name}: forward expects to return a variable or an array of them, got ${shown(given)}`,
      );
    const results = list.map((value) => own(on, value, args.includes(value)));
    const hidden: Variable[] = [];
    const saved = FunctionContext.parts(ctx).saved.map((value) => {
      if (value === null || args.includes(value)) return value;
      if (list.includes(value)) return list.indexOf(value);
      hidden.push(own(on, value, false));
      return hidden[hidden.length - 1];
    });
    return { given: given as Outputs, results, hidden, saved };
  } finally {
    on.leave(new Set());
  }
}

/** A variable without history of the same elements. What is an argument is copied: it may be written later. */
function own(on: Executor, value: Variable, copies: boolean): Variable {
  const handle = on.materialize(value);
  if (copies) return Variable.of(on.apply(getOp('identity'), [handle], {})[0], on);
  on.retain(handle);
  return Variable.of(handle, on);
}

function expectFresh(
  on: Executor,
  name: string,
  inputs: readonly Variable[],
  versions: readonly number[],
  saved: readonly (Variable | null)[],
): void {
  inputs.forEach((input, i) => {
    if (saved.includes(input) && versionOf(on, input, on.materialize(input)) !== versions[i])
      throw new ConvletError(
        'argument',
        `backward: an input of '${name}' was written in place after the op had read it`,
      );
  });
}

/** In a plain pass gradients are handles, in a recorded one (createGraph, grad) they are variables. */
function backwardRule(
  on: Executor,
  definition: Methods,
  ctx: FunctionContext,
  args: readonly unknown[],
  outputs: readonly Variable[],
  grads: readonly (TensorInfo | null)[],
  made: TensorInfo[],
): (TensorInfo | null)[] {
  const { name } = definition;
  if (grads.slice(outputs.length).some((grad) => grad !== null))
    throw new ConvletError(
      'unsupported',
      `backward: '${name}' saved a value that forward computed, which has no gradient of its own; save inputs or outputs, or return the value too`,
    );
  const isRecorded = grads.some((grad) => grad instanceof Variable);
  if (!isRecorded) on.enter();
  try {
    const variables = outputs.map((output, i) => {
      const grad = grads[i];
      if (grad instanceof Variable) return grad;
      if (grad === null) return zerosLike(output);
      on.retain(grad);
      const held = Variable.of(grad, on);
      on.track([held]);
      return held;
    });
    const found = [definition.backward!(ctx, ...variables)].flat() as readonly unknown[];
    const results = checkGradients(name, args, found);
    if (isRecorded) return results;
    return results.map((result) => {
      if (result === null) return null;
      const handle = on.materialize(result);
      on.retain(handle);
      made.push(handle);
      return handle;
    });
  } finally {
    if (!isRecorded) on.leave(new Set());
  }
}

function zerosLike({ dtype, shape }: Variable): Variable {
  const zeros = tensor(allocateArray(dtype, elementCount(shape)), shape, dtype);
  return new Variable(zeros, zeros);
}

/** A gradient or null for each argument that is a variable. */
function checkGradients(name: string, args: readonly unknown[], found: readonly unknown[]): (Variable | null)[] {
  const surplus = found.slice(args.length).some((value) => value != null);
  if (found.length < args.length || surplus)
    throw new ConvletError(
      'argument',
      `${name}: backward expects ${args.length} gradients, one for each argument of forward (null for none), got ${found.length}`,
    );
  return args.flatMap((arg, i) => {
    const grad = found[i] ?? null;
    if (grad !== null && !(grad instanceof Variable))
      throw new ConvletError(
        'argument',
        `${name}: backward expects variables or null, got ${shown(grad)} for argument ${i}`,
      );
    if (!(arg instanceof Variable)) {
      if (grad === null) return [];
      throw new ConvletError('argument', `${name}: backward gives a gradient for argument ${i}, which is no variable`);
    }
    if (grad !== null && shapeText(grad.shape) !== shapeText(arg.shape))
      throw new ConvletError(
        'shape',
        `${name}: backward expects a gradient of shape ${shapeText(arg.shape)} for argument ${i}, got ${shapeText(grad.shape)}`,
      );
    return [grad];
  });
}
