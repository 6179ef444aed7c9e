import {
  dtypeKind,
  type Engine,
  engine,
  isVariableLike,
  traceWith,
  type Variable,
  type VariableLike,
  withoutRecording,
} from '../autograd/index.ts';
import type { DType, TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { checkOptions, flag, type KnownOf, shown } from '../common/options.ts';
import { type Mapped, mapStructure, type Structure } from '../common/structure.ts';
import { compile, type Plan } from '../compile/plan.ts';
import { PlanCache, shapesKey } from '../compile/plan-cache.ts';
import { optimize } from '../graph/passes/index.ts';
import type { TensorInfo } from '../ops/core/op.ts';
import { type Tensor, wrap } from '../tensor/tensor.ts';
import { forwardBatch } from './call.ts';
import { type AnyModule, Module } from './module.ts';
import { fill, inputsOf, outputsOf, partsOf, traceTwice } from './traced.ts';

/** Of compileModel. */
export interface CompileModelOptions {
  /** Element type of the inputs; default float32. */
  readonly dtype?: DType;
  /** Read parameters in each run instead of folding them: for a model that goes on learning. */
  readonly live?: boolean;
}

const modelKnown: KnownOf<CompileModelOptions> = { dtype: dtypeKind, live: flag };

/** A network made ready for one input shape. */
export interface CompiledModel<O = Variable> {
  /**
   * Outputs for an input in row-major order, in the structure that `forward` returns; valid until the next run. A model of several
   * inputs takes them as it was compiled: an array or a record.
   */
  run(input: Structure<TypedArray | VariableLike>): Mapped<O, Variable, Tensor>;
  /** @internal */
  readonly plan: Plan;
  /** Frees its memory. */
  dispose(): void;
}

interface ForwardPlan {
  readonly plan: Plan;
  readonly inputs: readonly Tensor[];
  readonly output: Structure<Tensor>;
  /** Draws the keys of random ops. */
  readonly before: readonly (() => void)[];
}

const isInfo = (value: unknown): value is TensorInfo =>
  isVariableLike(value) || Array.isArray((value as Partial<TensorInfo> | null)?.shape);

/** The forward pass of a model in evaluation mode, as one plan per input shape. `live`: as in `CompileModelOptions`. */
export class CompiledForward {
  static readonly name: string = 'CompiledForward';

  private readonly model: AnyModule;
  private readonly live: boolean;
  private readonly on: Engine = engine();
  private readonly session = this.on.backend.session();
  private readonly plans = new PlanCache<ForwardPlan>();

  constructor(model: AnyModule, live: boolean) {
    this.model = model;
    this.live = live;
  }

  /** The plan for inputs of these types and shapes. */
  prepare(input: Structure<TensorInfo>): ForwardPlan {
    const infos: (readonly [string, TensorInfo])[] = [];
    mapStructure(
      input,
      isInfo,
      (info: TensorInfo, path) => void infos.push([`${path}${info.dtype}`, info]),
      (path) => `compileModel: input${path} expects a shape, or values with one`,
    );
    const key = shapesKey(infos);
    const known = this.plans.get(key);
    if (known !== undefined) return known;
    const { on, session, model } = this;
    const modes = [...model.modules()].map((module) => [module, module.training] as const);
    try {
      model.eval();
      const traced = traceTwice('compileModel', on, model, !this.live, (trace) => {
        const [operand] = trace.operands([input], isInfo);
        traceWith(trace.executor, () =>
          withoutRecording(() => trace.setOutput('compileModel', forwardBatch(model, operand))),
        );
      });
      const graph = optimize(traced.graph);
      return this.plans.add(key, () => {
        const plan = compile(graph, on.backend, session);
        return { plan, inputs: inputsOf(plan), output: outputsOf(plan, traced.output), before: traced.before };
      });
    } finally {
      for (const [module, training] of modes) module.training = training;
    }
  }

  /** Outputs for an input; valid until the next run. */
  run(input: Structure<VariableLike>): Structure<Tensor> {
    return this.runPlan(this.prepare(input as Structure<TensorInfo>), partsOf('run', input).parts);
  }

  runPlan(forward: ForwardPlan, parts: readonly VariableLike[]): Structure<Tensor> {
    forward.inputs.forEach((input, i) => {
      fill(input, parts[i]);
    });
    for (const action of forward.before) action();
    forward.plan.run();
    return forward.output;
  }

  dispose(): void {
    this.plans.dispose();
    this.session.dispose();
  }
}

export const isShape = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((d) => typeof d === 'number');

/**
 * Compiles a model for inference: evaluation mode, batch norm folded into convolutions, activations fused, weights
 * packed once (all of which `live` gives up).
 *
 * @param inputShape the input's, or for a model of several inputs an array or record of shapes
 * @throws ConvletError `argument` for what is no model or no shape, and where `forward` draws random numbers in JavaScript;
 * `unsupported` where shapes depend on data
 */
export function compileModel<O extends Structure<Variable> = Variable>(
  model: Module<O>,
  inputShape: Structure<readonly number[]>,
  options: CompileModelOptions = {},
): CompiledModel<O> {
  checkOptions('compileModel', options, modelKnown);
  const { dtype = 'float32', live = false } = options;
  if (!(model instanceof Module))
    throw new ConvletError('argument', `compileModel: model expects a module, got ${shown(model)}`);
  const infos = mapStructure(
    inputShape,
    isShape,
    (shape: readonly number[]): TensorInfo => ({ dtype, shape }),
    (path) => `compileModel: inputShape${path} expects a shape, or an array or record of shapes`,
  );
  const wanted: TensorInfo[] = [];
  mapStructure(
    infos,
    isInfo,
    (info: TensorInfo) => void wanted.push(info),
    () => '',
  );
  const forward = new CompiledForward(model, live);
  let prepared: ForwardPlan;
  try {
    prepared = forward.prepare(infos);
  } catch (error) {
    forward.dispose();
    throw error;
  }
  let isDisposed = false;
  return {
    plan: prepared.plan,
    run(values) {
      if (isDisposed) throw new ConvletError('disposed', 'run: this compiled model was disposed of; compile a new one');
      let next = 0;
      const shaped = mapStructure(
        values,
        (value) => ArrayBuffer.isView(value) || isVariableLike(value),
        (part: TypedArray | VariableLike) => {
          const shape = wanted[next++]?.shape;
          return ArrayBuffer.isView(part) && shape !== undefined ? wrap(part, shape, dtype) : part;
        },
        (path) => `run: input${path} expects a typed array, a variable, a tensor or { shape, data }`,
      );
      const { parts, paths } = partsOf('run', shaped);
      if (parts.length !== wanted.length)
        throw new ConvletError('argument', `run: expects ${wanted.length} inputs, got ${parts.length}`);
      parts.forEach((part, i) => {
        if (shapeText(part.shape) === shapeText(wanted[i].shape)) return;
        const name = paths[i] === '' ? '' : `input${paths[i]} `;
        throw new ConvletError(
          'shape',
          `run: ${name}expects shape ${shapeText(wanted[i].shape)}, got ${shapeText(part.shape)}`,
        );
      });
      return forward.runPlan(prepared, parts) as never;
    },
    dispose() {
      isDisposed = true;
      forward.dispose();
    },
  };
}
