import benny from 'benny';
import type { Backend } from '../src/backend/backend.ts';
import { product } from '../src/common/numbers.ts';
import { compile, type Plan } from '../src/compile/plan.ts';
import { GraphBuilder } from '../src/graph/builder.ts';
import { constantValue, newValue, type Value } from '../src/graph/graph.ts';
import { optimize } from '../src/graph/passes/index.ts';
import type { OpName, Ops } from '../src/ops/attrs.ts';
import { getOp } from '../src/ops/index.ts';
import { constant } from '../src/tensor/tensor.ts';

/** One row: an op on shapes that networks have. */
export interface BenchCase<N extends OpName = OpName> {
  readonly name: string;
  readonly op: N;
  readonly attrs: Ops[N];
  readonly inputs: readonly (BenchInput | null)[];
}

export interface BenchInput {
  readonly shape: readonly number[];
  /** True for weights, which are known at compile time and packed before the run. */
  readonly constant: boolean;
  /** Uniform range of the seeded values. */
  readonly range: readonly [number, number];
}

export interface BenchSuite {
  /** The name of the file; the family is its folder. */
  readonly name: string;
  readonly cases: readonly BenchCase[];
}

/** Median milliseconds per call. */
export interface CaseTiming {
  readonly run: number;
  /** The op's own steps, without the copies that convert its row-major input and output to its layout and back. */
  readonly op: number;
}

export interface CaseResult {
  readonly name: string;
  readonly kernel: string;
  readonly wasm: CaseTiming;
  readonly js: CaseTiming;
  /** GFLOP/s of the op's own steps for convolutions and products, else GB/s (inputs read once, outputs written once). */
  readonly rate: number;
  readonly unit: 'GFLOP/s' | 'GB/s';
}

const warmupMs = { wasm: 1000, js: 300 };
/** benny samples for `maxTime` seconds, but takes at least `minSamples`: few samples bound the time of slow rows in plain JS. */
const sampling = { minSamples: 5, maxTime: 0.5, minTime: 0.02, delay: 0 };
const tolerance = 1e-3;

/** A tensor that the caller fills before each run. */
export const data = (...shape: number[]): BenchInput => ({ shape, constant: false, range: [-1, 1] });

/** Weights in a range, by their fan-in, that keeps results near 1. */
export function weights(...shape: number[]): BenchInput {
  const bound = shape.length === 1 ? 0.1 : Math.sqrt(3 / count(shape.slice(1)));
  return { shape, constant: true, range: [-bound, bound] };
}

/** Times a case on both backends; throws if their results differ. */
export async function runCase(suite: string, row: BenchCase, wasm: Backend, js: Backend): Promise<CaseResult> {
  const plans = { wasm: planOf(row, wasm), js: planOf(row, js) };
  try {
    expectSame(`${suite}: ${row.name}`, plans.wasm, plans.js);
    const targets = Object.entries(plans).flatMap(([backend, plan]) => {
      const own = ownSteps(plan, row);
      const run = { key: `${backend}.run`, backend, call: () => plan.run() };
      if (own.length === plan.steps.length) return [run];
      const call = () => {
        for (let i = 0; i < own.length; i++) own[i].run();
      };
      return [run, { key: `${backend}.op`, backend, call }];
    });
    for (const { backend, call } of targets) warmUp(call, warmupMs[backend as keyof typeof warmupMs]);
    const summary = await quietly(() =>
      benny.suite(`${suite}: ${row.name}`, ...targets.map(({ key, call }) => benny.add(key, () => call, sampling))),
    );
    const medians = new Map(summary.results.map((result) => [result.name, 1000 * result.details.median]));
    const timing = (backend: string): CaseTiming => {
      const run = medians.get(`${backend}.run`)!;
      return { run, op: medians.get(`${backend}.op`) ?? run };
    };
    const times = { wasm: timing('wasm'), js: timing('js') };
    const kernels = new Set(ownSteps(plans.wasm, row).map((step) => step.kernel));
    return { name: row.name, kernel: [...kernels].join(' + '), ...times, ...rateOf(row, times.wasm.op) };
  } finally {
    plans.wasm.dispose();
    plans.js.dispose();
  }
}

/** Hides benny's messages, since the standard output is for results. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => {};
  try {
    return await work();
  } finally {
    console.log = log;
  }
}

function planOf(row: BenchCase, backend: Backend): Plan {
  const builder = new GraphBuilder();
  const inputs: Value[] = [];
  const values = row.inputs.map((input, i) => {
    if (input === null) return null;
    if (input.constant) return constantValue(`c${i}`, constant(uniform(input, i + 1), input.shape, 'float32'));
    const value = newValue(`x${i}`, 'float32', input.shape);
    inputs.push(value);
    return value;
  });
  const outputs = builder.addOp(getOp(row.op), values, row.attrs, row.name);
  const graph = builder.finish(inputs, [{ name: 'y', value: outputs[0] }]);
  const plan = compile(optimize(graph), backend);
  row.inputs.forEach((input, i) => {
    if (input !== null && !input.constant) (plan.inputs.get(`x${i}`)!.array as Float32Array).set(uniform(input, i + 1));
  });
  return plan;
}

/** All steps except copies, which convert layouts; for an op that copies, all steps. */
function ownSteps(plan: Plan, row: BenchCase): { kernel: string; run(): void }[] {
  const steps = plan.steps.map((planned) => planned.step);
  const own = steps.filter((step) => step.prim !== 'copy');
  return own.length > 0 && !copies.has(row.op) ? own : steps;
}

/** Ops that copy. */
const copies = new Set(['transpose', 'concat', 'slice', 'pad', 'expand', 'tile', 'channelShuffle', 'depthToSpace']);

/** Ops whose speed is limited by multiplication; that of the others is, or should be, limited by memory. */
const multiplies = new Set(['conv', 'convTranspose', 'convWeightGrad', 'matmul']);

function rateOf(row: BenchCase, ms: number): { rate: number; unit: 'GFLOP/s' | 'GB/s' } {
  const infos = row.inputs.map((input) => input && { dtype: 'float32' as const, shape: input.shape });
  const op = getOp(row.op);
  const outputs = op.infer(infos, row.attrs);
  const macs = multiplies.has(row.op) ? op.macs!(infos, outputs, row.attrs) : 0;
  if (macs > 0) return { rate: (2 * macs) / ms / 1e6, unit: 'GFLOP/s' };
  const elements = [...infos, ...outputs].reduce((sum, info) => sum + (info === null ? 0 : count(info.shape)), 0);
  return { rate: (4 * elements) / ms / 1e6, unit: 'GB/s' };
}

function expectSame(what: string, a: Plan, b: Plan): void {
  a.run();
  b.run();
  const [got, expected] = [a, b].map((plan) => plan.outputs.get('y')!.data);
  let largest = 0;
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(Number(expected[i])));
    const difference = Math.abs(Number(got[i]) - Number(expected[i]));
    error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(error, difference);
  }
  if (error > tolerance * Math.max(largest, 1e-6)) {
    throw new Error(`${what}: wasm and js differ by ${error} where the largest value is ${largest}`);
  }
}

function warmUp(call: () => void, ms: number): void {
  const end = performance.now() + ms;
  do call();
  while (performance.now() < end);
}

function uniform({ shape, range: [low, high] }: BenchInput, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
}

function count(shape: readonly number[]): number {
  return product(shape);
}
