import { noGrad, Variable } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { anything, checkOptions, flag, type KnownOf, kind } from '../common/options.ts';
import type { Batch, DataLoader } from '../data/loader.ts';
import { CompiledForward } from '../nn/compile-step.ts';
import { ConfusionMatrix, type Metric, RunningMean } from '../nn/metrics.ts';
import type { Module } from '../nn/module.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';

/** Of a model's output and the targets: a scalar. */
export type Loss = (output: Variable, target: Variable) => Variable;

/** A batch's tensor as an operand of ops. */
export const operand = (values: Tensor): Variable => new Variable(values, values);

/** A model's output, which must be one tensor. */
export function forward(model: Module, input: Variable): Variable {
  const output = model.forward(input);
  if (output instanceof Variable) return output;
  throw new ConvletError(
    'argument',
    `${model.constructor.name}: fit and evaluate expect forward() to return one variable`,
  );
}

export const metricList = kind<readonly Metric[]>(
  'an array of metrics, as [metrics.accuracy()]',
  (value) => Array.isArray(value) && value.every((metric) => typeof metric?.update === 'function'),
);

export interface EvaluateOptions {
  readonly loss?: Loss;
  readonly metrics?: readonly Metric[];
  /** Counts which class is taken for which (needs classes as targets). */
  readonly confusion?: boolean;
  /** Runs the network as a plan. Default: where it can be compiled; true insists, false runs op by op. */
  readonly compiled?: boolean;
}

const known: KnownOf<EvaluateOptions> = { loss: anything, metrics: metricList, confusion: flag, compiled: flag };

export interface Evaluation {
  /** Mean over samples; NaN without a loss. */
  readonly loss: number;
  readonly metrics: Record<string, number>;
  readonly confusion: ConfusionMatrix | null;
  readonly samples: number;
}

/** Runs a model in evaluation mode; its plans are freed by `dispose`. */
export class Evaluator {
  static readonly name: string = 'Evaluator';

  private readonly model: Module;
  private compiled: boolean | undefined;
  private forward: CompiledForward | null = null;

  constructor(model: Module, compiled: boolean | undefined) {
    this.model = model;
    this.compiled = compiled;
  }

  /** Loss and metrics over what is left of the loader's epoch; the loader is where it was afterwards. */
  async run(
    loader: DataLoader,
    options: EvaluateOptions,
    pause: () => Promise<void> = async () => {},
  ): Promise<Evaluation> {
    const { loss, metrics = [], confusion: wanted = false } = options;
    const modes = [...this.model.modules()].map((module) => [module, module.training] as const);
    const { state } = loader;
    const mean = new RunningMean();
    let confusion: ConfusionMatrix | null = null;
    for (const metric of metrics) metric.reset();
    try {
      this.model.eval();
      for await (const batch of loader) {
        const output = this.output(batch);
        if (loss !== undefined) {
          const value = noGrad(() => loss(operand(output), operand(batch.target)).item());
          mean.add(value, batch.indices.length);
        }
        for (const metric of metrics) metric.update(output, batch.target);
        if (wanted) {
          confusion ??= new ConfusionMatrix(Math.max(2, output.shape[1] ?? 2));
          confusion.update(output, batch.target);
        }
        await pause();
      }
    } finally {
      for (const [module, training] of modes) module.training = training;
      loader.state = state;
    }
    const values = Object.fromEntries(metrics.map((metric) => [metric.name, metric.compute()]));
    return { loss: mean.value, metrics: values, confusion, samples: mean.count };
  }

  dispose(): void {
    this.forward?.dispose();
    this.forward = null;
  }

  /** In the JavaScript heap. */
  private output(batch: Batch): Tensor {
    if (this.compiled === false) return this.eagerly(batch);
    try {
      return this.planned(batch);
    } catch (error) {
      if (this.compiled === true || !(error instanceof ConvletError && error.code === 'unsupported')) throw error;
      this.compiled = false;
      return this.eagerly(batch);
    }
  }

  private eagerly({ input }: Batch): Tensor {
    return noGrad(() => {
      const output = forward(this.model, operand(input)).read();
      return tensor(output.data, output.shape, output.dtype);
    });
  }

  private planned({ input }: Batch): Tensor {
    this.forward ??= new CompiledForward(this.model, true);
    const output = this.forward.run(input);
    return tensor(output.data, output.shape, output.dtype);
  }
}

/**
 * Loss and metrics of a model on a data set, in evaluation mode.
 *
 * ```ts
 * const { metrics } = await evaluate(model, tests, { metrics: [metrics.accuracy()] });
 * ```
 */
export async function evaluate(model: Module, loader: DataLoader, options: EvaluateOptions = {}): Promise<Evaluation> {
  checkOptions('evaluate', options, known);
  const evaluator = new Evaluator(model, options.compiled);
  try {
    return await evaluator.run(loader, options);
  } finally {
    evaluator.dispose();
  }
}
