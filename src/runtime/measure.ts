import { stepText } from '../backend/backend.ts';
import { dtypes, type TypedArray } from '../common/dtype.ts';
import { elementCount } from '../tensor/layout.ts';
import type { Model } from './model.ts';
import { defaultShape } from './values.ts';

/** Values of one input, with their shape. */
export interface ShapedInput {
  readonly data: TypedArray;
  readonly shape: readonly number[];
}

export interface StepTiming {
  readonly node: string;
  readonly op: string;
  readonly kernel: string;
  /** Milliseconds. */
  readonly median: number;
  readonly macs: number;
}

/** Milliseconds per run, input copied in and output copied out included. */
export interface Timing {
  /** The very first run, which compiles the plan. */
  readonly first: number;
  readonly mean: number;
  readonly median: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  /** Runs between the first one and those that count. */
  readonly warmup: number;
  readonly macs: number;
  readonly steps: readonly StepTiming[];
}

export interface MeasureOptions {
  /** How long to measure, after a warm-up of half of that; at least three runs each. */
  readonly seconds: number;
  /** Exactly so many runs, and so many between the first one and them, instead. */
  readonly runs?: number;
  readonly warmup?: number;
  /** Called between runs, which it does not delay: what is going on, and how much of it is done (0 to 1). */
  readonly progress?: (what: string, done: number) => void;
}

/**
 * The benchmark input: uniform in [−1, 1), seeded (mulberry32; one seed further for each input); integers are zero. Optional inputs
 * keep their value.
 */
export function seededInputs(
  model: Model,
  shapes: ReadonlyMap<string, readonly number[]>,
  seed = 7,
): { [name: string]: ShapedInput } {
  const inputs: { [name: string]: ShapedInput } = {};
  for (const { name, dtype, shape, optional } of model.inputs) {
    if (optional && !shapes.has(name)) continue;
    const dims = shapes.get(name) ?? defaultShape(shape);
    const data = new dtypes[dtype].array(elementCount(dims));
    if (dtypes[dtype].kind === 'float') fillUniform(data as Float32Array, seed++);
    Object.defineProperty(inputs, name, { value: { data, shape: dims }, enumerable: true }); // a name may be __proto__
  }
  return inputs;
}

function fillUniform(data: Float32Array, seed: number): void {
  let s = seed;
  for (let i = 0; i < data.length; i++) {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    data[i] = (((t ^ (t >>> 14)) >>> 0) / 4294967296) * 2 - 1;
  }
}

/** Warms up, then times whole runs, then single steps. */
export async function measure(
  model: Model,
  inputs: { [name: string]: ShapedInput },
  { seconds, runs, warmup, progress }: MeasureOptions,
): Promise<Timing> {
  const least = { runs: 3, seconds };
  progress?.('first run', 0);
  const [first] = await timeRuns(model, inputs, { runs: 1, seconds: 0 });
  const before = warmup === undefined ? { ...least, seconds: seconds / 2 } : { runs: warmup, seconds: 0 };
  const warm = await timeRuns(model, inputs, before, (done) => progress?.('warm-up', done));
  const wanted = runs === undefined ? least : { runs, seconds: 0 };
  const times = await timeRuns(model, inputs, wanted, (done) => progress?.('runs', done));
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.shape]));
  const plan = model.plan(shapes);
  const steps = plan.steps.map(({ node, op, step, macs }) => ({
    node,
    op,
    kernel: stepText(step),
    macs,
    samples: [] as number[],
  }));
  const sorted = Float64Array.from(times).sort();
  const middle = percentile(sorted, 50);
  const rounds = Math.max(3, Math.min(200, Math.floor((500 * seconds) / middle)));
  for (let round = 0; round < rounds; round++) {
    progress?.('single nodes', round / rounds);
    plan.steps.forEach(({ step }, i) => {
      const start = performance.now();
      step.run();
      steps[i].samples.push(performance.now() - start);
    });
  }
  return {
    first,
    mean: sorted.reduce((sum, time) => sum + time, 0) / sorted.length,
    median: middle,
    p90: percentile(sorted, 90),
    p95: percentile(sorted, 95),
    p99: percentile(sorted, 99),
    min: sorted[0],
    max: sorted[sorted.length - 1],
    runs: times.length,
    warmup: warm.length,
    macs: steps.reduce((sum, step) => sum + step.macs, 0),
    steps: steps.map(({ samples, ...step }) => ({
      ...step,
      median: percentile(Float64Array.from(samples).sort(), 50),
    })),
  };
}

/** Runs until both are reached. */
async function timeRuns(
  model: Model,
  inputs: { [name: string]: ShapedInput },
  { runs, seconds }: { readonly runs: number; readonly seconds: number },
  progress?: (done: number) => void,
): Promise<number[]> {
  const times: number[] = [];
  const begin = performance.now();
  let now = begin;
  while (times.length < runs || now < begin + 1000 * seconds) {
    const start = performance.now();
    await model.run(inputs);
    now = performance.now();
    times.push(now - start);
    progress?.(Math.min(times.length / Math.max(runs, 1), seconds > 0 ? (now - begin) / (1000 * seconds) : 1));
  }
  return times;
}

/** Of sorted values, between two of them by how near they are, as NumPy has it. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  const at = ((sorted.length - 1) * percent) / 100;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}
