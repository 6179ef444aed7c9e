import { asVariable, isVariableLike, noGrad, type Variable } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { anything, checkCall, flag, type KnownOf, kind } from '../common/options.ts';
import { mapStructure, type Structure } from '../common/structure.ts';
import { type AnyBatch, type AnyLoader, DataLoader } from '../data/loader.ts';
import { forwardBatch, type Loss, lossOf, lossValue } from '../nn/call.ts';
import { CompiledForward } from '../nn/compile-model.ts';
import { isSelecting } from '../nn/metric-select.ts';
import { ConfusionMatrix, type Metric, RunningMean } from '../nn/metrics.ts';
import type { AnyModule } from '../nn/module.ts';
import { Tensor, tensor } from '../tensor/tensor.ts';

/** What batches are made of as operands of ops. */
export const operand = (values: Structure<Tensor>): Structure<Variable> =>
  mapStructure(values, isVariableLike, asVariable, (path) => `fit: a batch${path} expects a tensor`);

/** Copies in the JavaScript heap of what a model returned. */
export const kept = (output: unknown): Structure<Tensor> =>
  mapStructure(
    output,
    isVariableLike,
    (value: Variable | Tensor) => tensor(value.data, value.shape, value.dtype),
    (path) => `forward expects to return a variable, or arrays and records of variables; its output${path}`,
  );

/** Tells metrics of a batch. Throws `argument` for a metric of one tensor where there are several. */
export function updateMetrics(metrics: readonly Metric[], output: Structure<Tensor>, target: Structure<Tensor>): void {
  for (const metric of metrics) {
    if (!isSelecting(metric) && !(isVariableLike(output) && isVariableLike(target))) {
      const names = Object.keys(isVariableLike(output) ? target : output).join(', ');
      throw new ConvletError(
        'argument',
        `metric '${metric.name}' expects one output and one target, there are several (${names}): metrics.select(metric, { output, target })`,
      );
    }
    metric.update(output as Tensor, target as Tensor);
  }
}

/** Of options and arguments that are a loader. */
export const loaderKind = kind<AnyLoader>('a DataLoader', (value) => value instanceof DataLoader);
export const metricList = kind<readonly Metric[]>(
  'an array of metrics, as [metrics.accuracy()]',
  (value) => Array.isArray(value) && value.every((metric) => typeof metric?.update === 'function'),
);

/** Of evaluate. */
export interface EvaluateOptions {
  /** Of output and targets; its mean over all samples is computed. */
  // biome-ignore lint/suspicious/noExplicitAny: of whatever the model returns and the loader gives
  readonly loss?: Loss<any, any>;
  /** Computed over all samples. */
  readonly metrics?: readonly Metric[];
  /** Counts which class is taken for which (needs classes as targets). */
  readonly confusion?: boolean;
  /** Runs the network as a plan. Default: where it can be compiled; true insists, false runs op by op. */
  readonly compiled?: boolean;
}

const known: KnownOf<EvaluateOptions> = { loss: anything, metrics: metricList, confusion: flag, compiled: flag };

/** What evaluate finds. */
export interface Evaluation {
  /** Mean over samples; NaN without a loss. */
  readonly loss: number;
  /** Values by name. */
  readonly metrics: Record<string, number>;
  /** How classes were taken for each other; null unless it was asked for. */
  readonly confusion: ConfusionMatrix | null;
  /** How many there were. */
  readonly samples: number;
}

/** Runs a model in evaluation mode; its plans are freed by `dispose`. */
export class Evaluator {
  static readonly name: string = 'Evaluator';

  private readonly model: AnyModule;
  private compiled: boolean | undefined;
  private forward: CompiledForward | null = null;

  constructor(model: AnyModule, compiled: boolean | undefined) {
    this.model = model;
    this.compiled = compiled;
  }

  /** Loss and metrics over what is left of the loader's epoch; the loader stays where it is. */
  async run(
    loader: AnyLoader,
    options: EvaluateOptions,
    pause: () => Promise<void> = async () => {},
  ): Promise<Evaluation> {
    const { metrics = [], confusion: wanted = false } = options;
    const loss = options.loss === undefined ? undefined : lossOf('evaluate', options.loss);
    const modes = [...this.model.modules()].map((module) => [module, module.training] as const);
    const mean = new RunningMean();
    let confusion: ConfusionMatrix | null = null;
    let samples = 0;
    for (const metric of metrics) metric.reset();
    try {
      this.model.eval();
      for await (const batch of loader.batches()) {
        const output = this.output(batch);
        samples += batch.indices.length;
        if (loss !== undefined) {
          const value = noGrad(() => lossValue('evaluate', loss(operand(output), operand(batch.target))).item());
          mean.add(value, batch.indices.length);
        }
        updateMetrics(metrics, output, batch.target);
        if (wanted && output instanceof Tensor && batch.target instanceof Tensor) {
          confusion ??= new ConfusionMatrix(Math.max(2, output.shape[1] ?? 2));
          confusion.update(output, batch.target);
        }
        await pause();
      }
    } finally {
      for (const [module, training] of modes) module.training = training;
    }
    const values = Object.fromEntries(metrics.map((metric) => [metric.name, metric.compute()]));
    return { loss: mean.value, metrics: values, confusion, samples };
  }

  dispose(): void {
    this.forward?.dispose();
    this.forward = null;
  }

  /** In the JavaScript heap. */
  private output(batch: AnyBatch): Structure<Tensor> {
    if (this.compiled === false) return this.eagerly(batch);
    try {
      return this.planned(batch);
    } catch (error) {
      if (this.compiled === true || !(error instanceof ConvletError && error.code === 'unsupported')) throw error;
      this.compiled = false;
      return this.eagerly(batch);
    }
  }

  private eagerly({ input }: AnyBatch): Structure<Tensor> {
    return noGrad(() => kept(forwardBatch(this.model, operand(input))));
  }

  private planned({ input }: AnyBatch): Structure<Tensor> {
    this.forward ??= new CompiledForward(this.model, true);
    return kept(this.forward.run(input));
  }
}

/**
 * Loss and metrics of a model on a data set, in evaluation mode.
 *
 * ```ts
 * const { metrics } = await evaluate(model, tests, { metrics: [metrics.accuracy()] });
 * ```
 */
export async function evaluate(
  model: AnyModule,
  loader: AnyLoader,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkCall('evaluate', { args: { model: anything, loader: loaderKind }, options: known, needed: 2 }, [
    model,
    loader,
    options,
  ]);
  const evaluator = new Evaluator(model, options.compiled);
  try {
    return await evaluator.run(loader, options);
  } finally {
    evaluator.dispose();
  }
}
