import { type Engine, engine, traceWith, Variable, withoutRecording } from '../autograd/index.ts';
import type { DType, TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { compile, type Plan } from '../compile/plan.ts';
import type { Value } from '../graph/graph.ts';
import { optimize } from '../graph/passes/index.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { Tensor, wrap } from '../tensor/tensor.ts';
import type { Module } from './module.ts';
import { TraceExecutor } from './trace.ts';

/** One operand of a step: a variable or tensor; read when `step` is called. */
export type BatchPart = Variable | Tensor;

export interface CompileStepOptions {
  /** What the loss compares with the targets; default: `model.forward(inputs[0])`. */
  readonly forward?: (...inputs: Variable[]) => Variable;
  /** Operands that `forward` takes; the rest are the loss's targets. Default 1. */
  readonly inputs?: number;
  /** Called between backward pass and update, to clip gradients by ops. */
  readonly beforeUpdate?: () => void;
}

/** A training step (forward, backward, update) as one plan per combination of batch shapes. */
export interface CompiledStep {
  /** Trains on one batch and returns its loss (before the update). */
  step(...batch: BatchPart[]): number;
  /** What `forward` gave for the last batch, row-major; valid until the next step. */
  readonly output: Tensor;
  /** Bytes that the plans hold beside parameters and state. */
  readonly heldBytes: number;
  /** Plans by batch shapes so far. */
  readonly plans: readonly Plan[];
  dispose(): void;
}

interface StepPlan {
  readonly plan: Plan;
  readonly inputs: readonly Tensor[];
  readonly loss: Tensor;
  readonly output: Tensor;
  readonly before: readonly (() => void)[];
  readonly after: readonly (() => void)[];
}

/** Most combinations of shapes that are kept: a batch size and that of the last batch, with room to spare. */
const mostPlans = 8;

/**
 * Traces forward, backward and update of a model into one plan with planned memory, which all threads of the engine work
 * on. Same numbers as the eager step: the same ops on the same kernels, with activations and residual sums fused into
 * convolutions. The model is traced at the first batch of each shape, with the mode (train or eval) that it has then;
 * `parameters().requiresGrad` and which parameters the optimizer has are fixed from then on. Learning rates and other
 * hyper-parameters are read in every step.
 *
 * @param loss of the model's output and the targets, a scalar
 * @throws ConvletError `unsupported` where shapes depend on data, `shape` where the loss is no scalar
 */
export function compileStep(
  model: Module,
  loss: (output: Variable, ...targets: Variable[]) => Variable,
  optimizer: Optimizer,
  options: CompileStepOptions = {},
): CompiledStep {
  const on = engine();
  const session = on.backend.session();
  const plans = new Map<string, StepPlan>();
  let last: StepPlan | null = null;
  const { inputs = 1, forward = (...given: Variable[]) => model.forward(...given) } = options;

  const build = (batch: readonly BatchPart[]): StepPlan => {
    const trace = new TraceExecutor(on);
    const kept = withoutGrads(model, optimizer);
    try {
      const traced = traceWith(trace, () => {
        const given = batch.map((part, i) => Variable.of(trace.input(`input ${i}`, part), trace));
        const output = forward(...given.slice(0, inputs));
        const value = loss(output, ...given.slice(inputs));
        if (value.size !== 1)
          throw new ConvletError(
            'shape',
            `compileStep: the loss expects one element, got shape ${shapeText(value.shape)}`,
          );
        value.backward();
        options.beforeUpdate?.();
        optimizer.emit();
        return { output: trace.bring(output), loss: trace.bring(value) };
      });
      const graph = optimize(trace.finish(Object.entries(traced).map(([name, value]) => ({ name, value }))));
      const plan = compile(graph, on.backend, session);
      return {
        plan,
        inputs: batch.map((_, i) => plan.inputs.get(`input ${i}`)!),
        loss: plan.outputs.get('loss')!,
        output: plan.outputs.get('output')!,
        before: trace.before,
        after: trace.after,
      };
    } finally {
      kept.restore();
    }
  };

  return {
    step(...batch) {
      on.flush();
      const key = batch.map((part) => `${part.dtype}${shapeText(part.shape)}`).join();
      optimizer.advance();
      let found = plans.get(`${key} ${model.training}`);
      if (found === undefined) {
        found = build(batch);
        plans.set(`${key} ${model.training}`, found);
        if (plans.size > mostPlans) drop(plans);
      }
      last = found;
      found.inputs.forEach((input, i) => {
        fill(input, batch[i]);
      });
      for (const action of found.before) action();
      found.plan.run();
      for (const action of found.after) action();
      return found.loss.array[0];
    },
    get output() {
      if (last === null) throw new ConvletError('argument', 'compileStep: there is no output before the first step');
      return last.output;
    },
    get heldBytes() {
      return [...plans.values()].reduce((sum, { plan }) => sum + plan.heldBytes, session.heldBytes);
    },
    get plans() {
      return [...plans.values()].map(({ plan }) => plan);
    },
    dispose() {
      for (const { plan } of plans.values()) plan.dispose();
      plans.clear();
      session.dispose();
    },
  };
}

function drop(plans: Map<string, StepPlan>): void {
  const [oldest] = plans.keys();
  plans.get(oldest)?.plan.dispose();
  plans.delete(oldest);
}

/** A trace leaves gradients that are values of a graph; they must be seen by nobody after it. */
function withoutGrads(model: Module, optimizer: Optimizer): { restore(): void } {
  const params = new Set([...model.parameters(), ...optimizer.paramGroups.flatMap((group) => group.params)]);
  const clear = (): void => {
    for (const param of params) param.grad = null;
  };
  clear();
  return { restore: clear };
}

/** Row-major elements of `part` into an input of a plan. */
function fill(input: Tensor, part: BatchPart): void {
  const source = part instanceof Tensor ? part : part.read();
  input.array.set(source.layout === 'row' ? source.array : source.data);
}

export interface CompileModelOptions {
  readonly dtype?: DType;
  /** Read parameters in each run instead of folding them: for a model that goes on learning. */
  readonly live?: boolean;
}

/** A network made ready for one input shape. */
export interface CompiledModel {
  /** Outputs for an input in row-major order; valid until the next run. */
  run(input: TypedArray | BatchPart): Tensor;
  readonly plan: Plan;
  dispose(): void;
}

/**
 * Compiles a model for inference: evaluation mode, batch norm folded into convolutions, activations fused, weights
 * packed once (all of which `live` gives up).
 */
export function compileModel(
  model: Module,
  inputShape: readonly number[],
  options: CompileModelOptions = {},
): CompiledModel {
  const on: Engine = engine();
  const { dtype = 'float32', live = false } = options;
  const trace = new TraceExecutor(on, !live);
  const modes = [...model.modules()].map((module) => [module, module.training] as const);
  let output: Value;
  try {
    model.eval();
    const body = (): Value => {
      const input = Variable.of(trace.input('input', { dtype, shape: inputShape }), trace);
      return trace.bring(model.forward(input));
    };
    output = traceWith(trace, () => withoutRecording(body));
  } finally {
    for (const [module, training] of modes) module.training = training;
  }
  const graph = optimize(trace.finish([{ name: 'output', value: output }]));
  const session = on.backend.session();
  const plan = compile(graph, on.backend, session);
  const input = plan.inputs.get('input')!;
  return {
    plan,
    run(values) {
      const part = ArrayBuffer.isView(values) ? wrap(values, inputShape, dtype) : values;
      if (shapeText(part.shape) !== shapeText(inputShape) || part.size !== input.size)
        throw new ConvletError('shape', `run: expects shape ${shapeText(inputShape)}, got ${shapeText(part.shape)}`);
      fill(input, part);
      plan.run();
      return plan.outputs.get('output')!;
    },
    dispose() {
      plan.dispose();
      session.dispose();
    },
  };
}
