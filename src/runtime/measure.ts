import { stepText } from '../backend/backend.ts';
import { dtypes } from '../common/dtype.ts';
import { elementCount } from '../tensor/layout.ts';
import type { Model, ModelInput } from './model.ts';
import { defaultShape } from './values.ts';

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
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly macs: number;
  readonly steps: readonly StepTiming[];
}

/** The benchmark input: uniform in [−1, 1), seeded (mulberry32, seed 7); integers are zero. Optional inputs keep their value. */
export function seededInputs(
  model: Model,
  shapes: ReadonlyMap<string, readonly number[]>,
): { [name: string]: ModelInput } {
  const inputs: { [name: string]: ModelInput } = {};
  for (const { name, dtype, shape, optional } of model.inputs) {
    if (optional && !shapes.has(name)) continue;
    const dims = shapes.get(name) ?? defaultShape(shape);
    const data = new dtypes[dtype].array(elementCount(dims));
    if (dtypes[dtype].kind === 'float') fillUniform(data as Float32Array, 7);
    inputs[name] = { data, shape: dims };
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

/** Warms up for half of `seconds` (at least three runs), then times whole runs, then single steps. */
export async function measure(model: Model, inputs: { [name: string]: ModelInput }, seconds: number): Promise<Timing> {
  await timeRuns(model, inputs, seconds / 2, 3);
  const times = await timeRuns(model, inputs, seconds, 3);
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.shape ?? []]));
  const plan = model.plan(shapes);
  const steps = plan.steps.map(({ node, op, step, macs }) => ({
    node,
    op,
    kernel: stepText(step),
    macs,
    samples: [] as number[],
  }));
  const rounds = Math.max(3, Math.min(200, Math.floor((500 * seconds) / median(times))));
  for (let round = 0; round < rounds; round++) {
    plan.steps.forEach(({ step }, i) => {
      const start = performance.now();
      step.run();
      steps[i].samples.push(performance.now() - start);
    });
  }
  return {
    median: median(times),
    min: times.reduce((a, b) => Math.min(a, b)), // a spread of a million arguments overflows the stack
    max: times.reduce((a, b) => Math.max(a, b)),
    runs: times.length,
    macs: steps.reduce((sum, step) => sum + step.macs, 0),
    steps: steps.map(({ samples, ...step }) => ({ ...step, median: median(samples) })),
  };
}

async function timeRuns(
  model: Model,
  inputs: { [name: string]: ModelInput },
  seconds: number,
  least: number,
): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  while (times.length < least || performance.now() < end) {
    const start = performance.now();
    await model.run(inputs);
    times.push(performance.now() - start);
  }
  return times;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
