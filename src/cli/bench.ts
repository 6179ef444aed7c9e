import type { Command } from 'commander';
import { shapeText } from '../common/error.ts';
import type { LoadOptions } from '../runtime/load.ts';
import { measure, seededInputs, type Timing } from '../runtime/measure.ts';
import type { MemoryReport, Model } from '../runtime/model.ts';
import { openModel } from './open.ts';
import { addEngineOptions, collect, type EngineFlags, engineOptions, parseCount, parseShapes } from './options.ts';
import { openPeer, type PeerTiming, parsePeers, timePeer } from './peers.ts';
import { startProgress } from './progress.ts';
import { chooseShapes } from './shapes.ts';
import { bytesText, engineName, formatTable, numberText } from './table.ts';

interface BenchFlags extends EngineFlags {
  readonly shape?: string[];
  readonly seconds: string;
  readonly runs?: string;
  readonly warmup?: string;
  readonly profile?: boolean;
  readonly compare?: string;
  readonly json?: boolean;
}

export function benchCommand(program: Command): void {
  addEngineOptions(
    program
      .command('bench')
      .description('time a model on seeded random inputs')
      .argument('<model>', 'path or URL of an .onnx file')
      .option('--shape <name=dims>', 'shape of an input, e.g. input=1x3x224x224; may be repeated', collect)
      .option('--seconds <n>', 'how long to measure, after a warm-up of half of that', '3')
      .option('--runs <n>', 'how many runs to measure, however long they take')
      .option('--warmup <n>', 'how many runs come between the first one and them')
      .option('--profile', 'time per node')
      .option('--compare <engines>', 'onnxruntime-web, onnxruntime-node or both, where they are installed, in turns')
      .option('--json', 'the figures as JSON'),
  )
    .option('--leader <name>', 'main, or worker: off the main thread')
    .option('--layout <name>', 'of inputs and outputs: channels-first or channels-last')
    .action(bench);
}

interface Report extends Timing {
  readonly load: number;
  readonly shapes: { readonly [name: string]: readonly number[] };
  readonly memory: MemoryReport;
  /** The peak of the process's memory, in bytes. */
  readonly processPeak: number;
  /** Other engines on the same inputs. */
  readonly peers: readonly PeerTiming[];
}

type Values = { [name: string]: { readonly data: Float32Array; readonly shape: readonly number[] } };

async function bench(path: string, flags: BenchFlags): Promise<void> {
  const options = engineOptions(flags);
  const given = parseShapes(flags.shape ?? []);
  const seconds = parseCount('--seconds', flags.seconds);
  const runs = flags.runs === undefined ? undefined : parseCount('--runs', flags.runs);
  const warmup = flags.warmup === undefined ? undefined : parseCount('--warmup', flags.warmup, 0);
  const peers = flags.compare === undefined ? [] : parsePeers(flags.compare);
  const progress = startProgress();
  progress.show('loading');
  const { model, inputs, loadTime } = await openModel(path, options);
  try {
    const { shapes } = chooseShapes('bench', inputs, given);
    const values = seededInputs(model, shapes) as Values;
    const timing = await measure(model, values, {
      ...{ seconds, runs, warmup },
      progress: (what, done) => progress.show(what, done),
    });
    const timings: PeerTiming[] = [];
    const [memory, processPeak] = [model.memory(), 1024 * process.resourceUsage().maxRSS];
    for (const name of peers) {
      progress.show(name);
      const peer = await openPeer(name, path, model, values);
      timings.push(await timePeer(peer, model, values, seconds));
      await peer.dispose();
    }
    progress.end();
    const report: Report = {
      load: loadTime,
      shapes: Object.fromEntries(shapes),
      ...{ memory, processPeak, peers: timings },
      ...timing,
    };
    if (flags.json) console.log(JSON.stringify({ model: path, ...machineOf(model, options), ...report }));
    else print(model, options, report, flags.profile ?? false);
  } finally {
    progress.end();
    model.dispose();
  }
}

const machineOf = ({ backend, variant, threads, leader, layout }: Model, { precision = 'fast' }: LoadOptions) => ({
  ...{ backend, variant, threads, leader, layout, precision },
  node: process.version,
});

/** The line that says what was measured, without settings that have their defaults. */
function headOf(model: Model, { precision }: LoadOptions): string {
  const parts = [`${model.backend} ${model.variant}`];
  if (model.threads > 1) parts.push(`${model.threads} threads`);
  if (model.leader === 'worker') parts.push('off the main thread');
  if (precision === 'exact') parts.push('exact');
  if (model.layout === 'channels-last') parts.push('channels-last');
  return [...parts, engineName()].join(', ');
}

function print(model: Model, options: LoadOptions, report: Report, profile: boolean): void {
  const { median, min, max, runs, macs, mean, p90, p95, p99, first, load, memory, processPeak } = report;
  const ms = (value: number): string => value.toFixed(3);
  console.log(headOf(model, options));
  for (const { name, dtype } of model.inputs) {
    if (Object.hasOwn(report.shapes, name)) console.log(`input ${name}  ${dtype} ${shapeText(report.shapes[name])}`);
  }
  console.log(`median ${ms(median)} ms   min ${ms(min)} ms   max ${ms(max)} ms   (${runs} runs)`);
  console.log(`mean ${ms(mean)} ms   P90 ${ms(p90)} ms   P95 ${ms(p95)} ms   P99 ${ms(p99)} ms`);
  console.log(`load ${load.toFixed(1)} ms   first run ${first.toFixed(1)} ms`);
  console.log(`peak memory ${bytesText(memory.peak)}   (of the whole process ${bytesText(processPeak)})`);
  if (macs > 0)
    console.log(`${(macs / 1e6).toFixed(1)} MMACs, ${((2 * macs) / median / 1e6).toFixed(2)} GFLOP/s at the median`);
  for (const { name, version, median: theirs, own, runs: count, difference } of report.peers) {
    const ratio = theirs >= own ? `${(theirs / own).toFixed(2)} × as long` : `${(own / theirs).toFixed(2)} × as fast`;
    const about = `${count} runs, in turns with convlet's ${ms(own)} ms; outputs within ${numberText(difference, 2)} of their largest`;
    console.log(`${name} ${version}: median ${ms(theirs)} ms, ${ratio} (${about})`);
  }
  if (!profile) return;
  const total = report.steps.reduce((sum, step) => sum + step.median, 0);
  const rows = report.steps.map((s) => [
    s.node,
    s.op,
    s.kernel,
    s.median.toFixed(3),
    `${((100 * s.median) / total).toFixed(1)} %`,
    s.macs > 0 ? ((2 * s.macs) / s.median / 1e6).toFixed(1) : '',
  ]);
  console.log(`\n${formatTable(['node', 'op', 'kernel', 'ms', 'share', 'GFLOP/s'], rows, [3, 4, 5])}`);
}
