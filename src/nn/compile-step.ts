import { type Engine, engine, traceWith, Variable, withoutRecording } from '../autograd/index.ts';
import type { DType, TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { anything, checkOptions, flag, type KnownOf, kind, whole } from '../common/options.ts';
import { compile, type Plan } from '../compile/plan.ts';
import { PlanCache, shapesKey } from '../compile/plan-cache.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { optimize } from '../graph/passes/index.ts';
import type { TensorInfo } from '../ops/core/op.ts';
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

const isFunction = kind<never>('a function', (value) => typeof value === 'function');
const stepKnown: KnownOf<CompileStepOptions> = { forward: isFunction, inputs: whole(0), beforeUpdate: isFunction };

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
  checkOptions('compileStep', options, stepKnown);
  const on = engine();
  const session = on.backend.session();
  const plans = new PlanCache<StepPlan>();
  const { inputs = 1, forward = (...given: Variable[]) => model.forward(...given) } = options;

  const build = (key: string, batch: readonly BatchPart[]): StepPlan => {
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
        return { output: trace.materialize(output), loss: trace.materialize(value) };
      });
      const graph = optimize(trace.finish(Object.entries(traced).map(([name, value]) => ({ name, value }))));
      return plans.add(key, () => {
        const plan = compile(graph, on.backend, session);
        return {
          plan,
          inputs: batch.map((_, i) => plan.inputs.get(`input ${i}`)!),
          loss: plan.outputs.get('loss')!,
          output: plan.outputs.get('output')!,
          before: trace.before,
          after: trace.after,
        };
      });
    } finally {
      kept.restore();
    }
  };

  return {
    step(...batch) {
      on.flush();
      const key = `${shapesKey(batch.map((part) => [part.dtype, part]))} ${model.training}`;
      optimizer.advance();
      const found = plans.get(key) ?? build(key, batch);
      found.inputs.forEach((input, i) => {
        fill(input, batch[i]);
      });
      for (const action of found.before) action();
      found.plan.run();
      for (const action of found.after) action();
      return found.loss.array[0];
    },
    get output() {
      const { latest } = plans;
      if (latest === null) throw new ConvletError('argument', 'compileStep: there is no output before the first step');
      return latest.output;
    },
    get heldBytes() {
      return session.heldBytes + plans.heldBytes;
    },
    get plans() {
      return plans.plans;
    },
    dispose() {
      plans.dispose();
      session.dispose();
    },
  };
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

const modelKnown: KnownOf<CompileModelOptions> = { dtype: anything, live: flag };

/** A network made ready for one input shape. */
export interface CompiledModel {
  /** Outputs for an input in row-major order; valid until the next run. */
  run(input: TypedArray | BatchPart): Tensor;
  readonly plan: Plan;
  dispose(): void;
}

interface ForwardPlan {
  readonly plan: Plan;
  readonly input: Tensor;
  readonly output: Tensor;
}

/** The forward pass of a model in evaluation mode, as one plan per input shape. `live`: as in `CompileModelOptions`. */
export class CompiledForward {
  static readonly name: string = 'CompiledForward';

  private readonly model: Module;
  private readonly live: boolean;
  private readonly on: Engine = engine();
  private readonly session = this.on.backend.session();
  private readonly plans = new PlanCache<ForwardPlan>();

  constructor(model: Module, live: boolean) {
    this.model = model;
    this.live = live;
  }

  /** The plan for an input of this type and shape. */
  prepare(info: TensorInfo): ForwardPlan {
    const key = shapesKey([[info.dtype, info]]);
    const known = this.plans.get(key);
    if (known !== undefined) return known;
    const graph = optimize(this.trace(info));
    return this.plans.add(key, () => {
      const plan = compile(graph, this.on.backend, this.session);
      return { plan, input: plan.inputs.get('input')!, output: plan.outputs.get('output')! };
    });
  }

  /** Outputs for an input; valid until the next run. */
  run(part: BatchPart): Tensor {
    return runForward(this.prepare(part), part);
  }

  dispose(): void {
    this.plans.dispose();
    this.session.dispose();
  }

  private trace(info: TensorInfo): Graph {
    const { model } = this;
    const trace = new TraceExecutor(this.on, !this.live);
    const modes = [...model.modules()].map((module) => [module, module.training] as const);
    try {
      model.eval();
      const body = (): Value => trace.materialize(model.forward(Variable.of(trace.input('input', info), trace)));
      const output = traceWith(trace, () => withoutRecording(body));
      return trace.finish([{ name: 'output', value: output }]);
    } finally {
      for (const [module, training] of modes) module.training = training;
    }
  }
}

function runForward({ plan, input, output }: ForwardPlan, part: BatchPart): Tensor {
  fill(input, part);
  plan.run();
  return output;
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
  checkOptions('compileModel', options, modelKnown);
  const { dtype = 'float32', live = false } = options;
  const forward = new CompiledForward(model, live);
  let prepared: ForwardPlan;
  try {
    prepared = forward.prepare({ dtype, shape: inputShape });
  } catch (error) {
    forward.dispose();
    throw error;
  }
  return {
    plan: prepared.plan,
    run(values) {
      const part = ArrayBuffer.isView(values) ? wrap(values, inputShape, dtype) : values;
      if (shapeText(part.shape) !== shapeText(inputShape) || part.size !== prepared.input.size)
        throw new ConvletError('shape', `run: expects shape ${shapeText(inputShape)}, got ${shapeText(part.shape)}`);
      return runForward(prepared, part);
    },
    dispose: () => forward.dispose(),
  };
}
