import type { Command } from 'commander';
import { measure, seededInputs, type Timing } from '../runtime/measure.ts';
import type { Model } from '../runtime/model.ts';
import { load } from '../runtime/node.ts';
import { type EngineFlags, engineOptions, parseCount, parseShapes } from './options.ts';
import { formatTable } from './table.ts';

interface BenchFlags extends EngineFlags {
  readonly shape: string[];
  readonly seconds: string;
  readonly profile?: boolean;
  readonly json?: boolean;
}

export function benchCommand(program: Command): void {
  program
    .command('bench')
    .description('time a model on seeded random inputs')
    .argument('<model>', 'path or URL of an .onnx file')
    .option('--threads <n>', 'threads')
    .option('--backend <name>', 'wasm or js')
    .option('--variant <name>', 'auto, simd or relaxed')
    .option('--shape <name=dims...>', 'shape of an input, e.g. input=1x3x224x224', [])
    .option('--seconds <n>', 'how long to measure, after a warm-up of half of that', '3')
    .option('--profile', 'time per node')
    .option('--json', 'the figures as JSON')
    .action(bench);
}

async function bench(path: string, flags: BenchFlags): Promise<void> {
  const seconds = parseCount('--seconds', flags.seconds);
  const model = await load(path, engineOptions(flags));
  try {
    const inputs = seededInputs(model, parseShapes(flags.shape, model.inputs));
    const timing = await measure(model, inputs, seconds);
    if (flags.json)
      console.log(
        JSON.stringify({
          model: path,
          backend: model.backend,
          variant: model.variant,
          node: process.version,
          ...timing,
        }),
      );
    else print(model, timing, flags.profile ?? false);
  } finally {
    model.dispose();
  }
}

/** Deno and Bun give themselves out as a Node too. */
function engineName(): string {
  const { deno, bun, node } = process.versions;
  return deno !== undefined ? `Deno ${deno}` : bun !== undefined ? `Bun ${bun}` : `Node ${node}`;
}

function print(model: Model, timing: Timing, profile: boolean): void {
  const { median, min, max, runs, macs } = timing;
  console.log(`${model.backend} ${model.variant}, ${engineName()}`);
  console.log(`median ${median.toFixed(3)} ms   min ${min.toFixed(3)} ms   max ${max.toFixed(3)} ms   (${runs} runs)`);
  if (macs > 0)
    console.log(`${(macs / 1e6).toFixed(1)} MMACs, ${((2 * macs) / median / 1e6).toFixed(2)} GFLOP/s at the median`);
  if (!profile) return;
  const total = timing.steps.reduce((sum, step) => sum + step.median, 0);
  const rows = timing.steps.map((s) => [
    s.node,
    s.op,
    s.kernel,
    s.median.toFixed(3),
    `${((100 * s.median) / total).toFixed(1)} %`,
    s.macs > 0 ? ((2 * s.macs) / s.median / 1e6).toFixed(1) : '',
  ]);
  console.log(`\n${formatTable(['node', 'op', 'kernel', 'ms', 'share', 'GFLOP/s'], rows, [3, 4, 5])}`);
}
