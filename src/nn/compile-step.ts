import { type Engine, engine, traceWith, type Variable, type VariableLike } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { checkOptions, type KnownOf, kind, shown, whole } from '../common/options.ts';
import type { Mapped, Structure } from '../common/structure.ts';
import { compile, type Plan } from '../compile/plan.ts';
import { PlanCache, shapesKey } from '../compile/plan-cache.ts';
import { optimize } from '../graph/passes/index.ts';
import { Optimizer } from '../optim/optimizer.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { inspect } from '../tensor/text.ts';
import { Accumulator, samplesOf, weighted } from './accumulate.ts';
import { type Fixed, forwardOf, type Loss, lossOf, lossValue } from './call.ts';
import { type AnyModule, Module } from './module.ts';
import { fill, inputsOf, outputsOf, partsOf, type Trace, traceTwice } from './traced.ts';

/** One operand of a step: values with their shape, or arrays and records of such; read when `step` is called. */
export type BatchPart = Structure<VariableLike>;

/** Of compileStep. */
export interface CompileStepOptions<O = Variable> {
  /** What the loss compares with the targets; default: `model.forward(...)` of the first operands. */
  // biome-ignore lint/suspicious/noExplicitAny: operands are what the caller makes them
  readonly forward?: (...inputs: any[]) => O;
  /** Operands that `forward` takes; the rest are the loss's targets. Default 1. */
  readonly inputs?: number;
  /** Called between backward pass and update, to clip gradients by ops. */
  readonly beforeUpdate?: () => void;
  /**
   * Calls of `step` for one update (default 1): the gradients of so many batches are added up, and every last one updates with
   * their mean over all samples. The same as one large batch, for losses that are means over samples.
   */
  readonly accumulate?: number;
}

const isFunction = kind<never>('a function', (value) => typeof value === 'function');
const stepKnown: KnownOf<CompileStepOptions> = {
  forward: isFunction,
  inputs: whole(0),
  beforeUpdate: isFunction,
  accumulate: whole(1),
};

/** A training step (forward, backward, update) as one plan per combination of batch shapes. */
export interface CompiledStep<O = Variable> {
  /** Trains on one batch and returns its loss (before the update). */
  step(...batch: BatchPart[]): number;
  /** Whether gradients are added up that no update has used yet (`accumulate`). */
  readonly isWaiting: boolean;
  /** Updates with the gradients that are waiting. Returns whether there were any. */
  flush(): boolean;
  /** What `forward` gave for the last batch, row-major; valid until the next step. */
  readonly output: Mapped<O, Variable, Tensor>;
  /** Bytes of the plans, without parameters and optimizer state. */
  readonly heldBytes: number;
  /** @internal Plans by batch shapes so far. */
  readonly plans: readonly Plan[];
  /** Frees the memory of its plans; the model and the optimizer stay. */
  dispose(): void;
}

interface StepPlan {
  readonly plan: Plan;
  readonly inputs: readonly Tensor[];
  readonly loss: Tensor;
  readonly output: Structure<Tensor>;
  readonly before: readonly (() => void)[];
  readonly after: readonly (() => void)[];
  /** Whose gradients it adds up for a later update. */
  readonly gathered: readonly Variable[];
}

/** What a step does with its gradients: adds them up for later, or updates with them and what was added up. */
type Phase = 'gather' | 'update';

/**
 * Traces forward, backward and update of a model into one plan with planned memory, which all threads of the engine work
 * on. Same numbers as the eager step: the same ops on the same kernels, with activations and residual sums fused into
 * convolutions. The model is traced at the first batch of each shape, mode (train or eval) and choice of parameters that
 * require gradients. Learning rates and other hyper-parameters are read in every step.
 *
 * Models may take and return arrays and records of variables: an operand of the step that is one goes to `forward` as it is, and
 * the loss gets what `forward` returned.
 *
 * What JavaScript draws inside `forward` would be a constant: a step is traced twice, and refused if the traces differ. Numbers
 * of a generator that `forward` seeds anew each time cannot be told from constants. `F.rand` and its like draw in each step.
 *
 * @param loss of the model's output and the targets, a scalar: a function, or a module such as `new nn.CrossEntropyLoss()`
 * @throws ConvletError `unsupported` where shapes depend on data, `shape` where the loss is no scalar, `argument` for operands and
 * functions of another kind, and where two traces differ
 */
export function compileStep<
  R extends Structure<Variable> = Variable,
  T extends readonly unknown[] = Variable[],
  O extends Structure<Variable> = R,
>(
  model: Module<R>,
  loss: Loss<Fixed<O>, T>,
  optimizer: Optimizer,
  options: CompileStepOptions<O> = {},
): CompiledStep<O> {
  checkOptions('compileStep', options, stepKnown);
  expectTrainable(model, optimizer, options.forward !== undefined);
  return new Steps(model, lossOf('compileStep', loss), optimizer, options) as unknown as CompiledStep<O>;
}

class Steps {
  private readonly on: Engine = engine();
  private readonly session = this.on.backend.session();
  private readonly cache = new PlanCache<StepPlan>();
  private readonly model: AnyModule;
  private readonly loss: (...values: unknown[]) => unknown;
  private readonly optimizer: Optimizer;
  private readonly options: CompileStepOptions<unknown>;
  private readonly accumulator: Accumulator | null;
  /** Batches since the last update. */
  private waiting = 0;
  private isDisposed = false;

  constructor(
    model: AnyModule,
    loss: (...values: unknown[]) => unknown,
    optimizer: Optimizer,
    options: CompileStepOptions<unknown>,
  ) {
    this.model = model;
    this.loss = loss;
    this.optimizer = optimizer;
    this.options = options;
    this.accumulator = (options.accumulate ?? 1) > 1 ? new Accumulator() : null;
  }

  step(...batch: BatchPart[]): number {
    this.expectAlive('step');
    const { accumulator } = this;
    const isLast = this.waiting + 1 >= (this.options.accumulate ?? 1);
    const phase: Phase = isLast ? 'update' : 'gather';
    const sums = isLast ? (accumulator?.keyOf(learningOf(this.model, this.optimizer)) ?? '') : '';
    const { parts, paths } = partsOf('step', batch);
    this.expectTargets(batch.length);
    this.on.flush();
    const key = `${shapesKey(parts.map((part, i) => [`${paths[i]}${part.dtype}`, part]))} ${this.modes} ${this.learning} ${phase} ${sums}`;
    if (isLast) this.optimizer.advance();
    const found = this.cache.get(key) ?? this.build(key, batch, phase);
    accumulator?.count(samplesOf('step', batch), isLast, found.gathered);
    found.inputs.forEach((input, i) => {
      fill(input, parts[i]);
    });
    for (const action of found.before) action();
    found.plan.run();
    for (const action of found.after) action();
    this.waiting = isLast ? 0 : this.waiting + 1;
    if (isLast) accumulator?.reset();
    return found.loss.array[0];
  }

  get isWaiting(): boolean {
    return this.waiting > 0;
  }

  flush(): boolean {
    this.expectAlive('flush');
    const { accumulator, model, optimizer } = this;
    if (accumulator === null || this.waiting === 0) return false;
    const learning = learningOf(model, optimizer);
    accumulator.count(0, true);
    accumulator.spread(learning);
    this.options.beforeUpdate?.();
    optimizer.step();
    for (const param of learning) param.grad = null;
    accumulator.reset();
    this.waiting = 0;
    return true;
  }

  private expectAlive(what: string): void {
    if (this.isDisposed)
      throw new ConvletError('disposed', `${what}: this compiled step was disposed of; compile a new one`);
  }

  toString(): string {
    const bytes = this.isDisposed ? 'disposed' : `${this.plans.length} plans, ${this.heldBytes} bytes`;
    return `CompiledStep of ${this.model.constructor.name} (${bytes})`;
  }

  [inspect](): string {
    return this.toString();
  }

  get output(): Structure<Tensor> {
    const { latest } = this.cache;
    if (latest === null) throw new ConvletError('argument', 'compileStep: there is no output before the first step');
    return latest.output;
  }

  get heldBytes(): number {
    return this.session.heldBytes + this.cache.heldBytes + (this.accumulator?.heldBytes ?? 0);
  }

  get plans(): readonly Plan[] {
    return this.cache.plans;
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.cache.dispose();
    this.session.dispose();
    this.accumulator?.dispose();
  }

  /** Which modules train and which evaluate: a frozen batch norm in a model that trains is another plan. */
  private get modes(): string {
    let text = '';
    for (const { training } of this.model.modules()) text += Number(training);
    return text;
  }

  /** Which of the optimizer's parameters learn: frozen ones are traced anew. */
  private get learning(): string {
    let text = '';
    for (const { params } of this.optimizer.paramGroups)
      for (const { requiresGrad } of params) text += Number(requiresGrad);
    return text;
  }

  private build(key: string, batch: readonly BatchPart[], phase: Phase): StepPlan {
    const { on, session, model, optimizer } = this;
    const learning = learningOf(model, optimizer);
    const clear = (): void => {
      for (const param of learning) param.grad = null;
    };
    let gathered: readonly Variable[] = [];
    try {
      const traced = traceTwice('compileStep', on, model, false, (trace) => {
        clear();
        trace.executor.learning = learning;
        gathered = this.trace(trace, batch, phase);
      });
      const graph = optimize(traced.graph);
      return this.cache.add(key, () => {
        const plan = compile(graph, on.backend, session);
        return {
          plan,
          inputs: inputsOf(plan),
          loss: plan.outputs.get('loss')!,
          output: outputsOf(plan, traced.output),
          before: traced.before,
          after: traced.after,
          gathered,
        };
      });
    } catch (error) {
      // As if the step had not been begun.
      if (phase !== 'gather') for (const group of optimizer.paramGroups) group.stepCount--;
      throw error;
    } finally {
      clear();
    }
  }

  private trace(trace: Trace, batch: readonly BatchPart[], phase: Phase): readonly Variable[] {
    const { inputs = 1, forward = forwardOf(this.model), beforeUpdate } = this.options;
    const { accumulator } = this;
    const operands = trace.operands(batch);
    let gathered: readonly Variable[] = [];
    traceWith(trace.executor, () => {
      const output = forward(...operands.slice(0, inputs));
      trace.setOutput('compileStep', output);
      const value = lossValue('compileStep', this.loss(output, ...operands.slice(inputs)));
      (accumulator === null ? value : weighted(value, samplesOf('step', batch))).backward();
      if (phase === 'gather') gathered = accumulator!.gather(trace.executor.learning);
      else {
        accumulator?.spread(trace.executor.learning);
        beforeUpdate?.();
        this.optimizer.emit();
      }
      trace.results.push({ name: 'loss', value: trace.executor.materialize(value) });
    });
    return gathered;
  }

  /** A loss of (output, target) that gets no target would fail inside. */
  private expectTargets(count: number): void {
    const { inputs = 1 } = this.options;
    if (count < inputs)
      throw new ConvletError('argument', `step: expects ${inputs} operands for forward and the targets, got ${count}`);
    const wanted = this.loss.length - 1;
    if (count - inputs < wanted) {
      throw new ConvletError(
        'argument',
        `step: the loss expects ${wanted} target(s) behind ${inputs} input(s), got ${count - inputs}: step(input, target)`,
      );
    }
  }
}

/** Throws `argument` where model and optimizer are none, or do not belong together. */
export function expectTrainable(model: unknown, optimizer: unknown, others: boolean, what = 'compileStep'): void {
  if (!(model instanceof Module))
    throw new ConvletError('argument', `${what}: model expects a module, got ${shown(model)}`);
  if (!(optimizer instanceof Optimizer)) {
    const got = shown(optimizer);
    throw new ConvletError(
      'argument',
      `${what}: optimizer expects one of optim, as new optim.Adam(model.parameters()), got ${got}`,
    );
  }
  const own = new Set<unknown>(model.parameters());
  const params = optimizer.paramGroups.flatMap((group) => group.params);
  if (others || own.size === 0 || params.some((param) => own.has(param))) return;
  throw new ConvletError(
    'argument',
    `${what}: the optimizer has ${params.length} parameters, none of which is of this ${model.constructor.name}: make it with model.parameters()`,
  );
}

/** Parameters whose gradients a step uses. A trace leaves values of its graph in their `grad`; they are cleared after it. */
export const learningOf = (model: AnyModule, optimizer: Optimizer): ReadonlySet<Variable> =>
  new Set([...model.parameters(), ...optimizer.paramGroups.flatMap((group) => group.params)]);
