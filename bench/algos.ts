// npm run bench:algos [-- --assert] [--fit] [--write] [--variant V] [--within 1.1] [NAME...]: times every algorithm that can compute a
// convolution or its weight gradient, alternately, on layers of real networks and on sizes between them, and shows which one the
// binding chooses. --assert: exit status 1 if a choice is slower than the fastest by more than `--within` (a tenth
// by default). --fit: prints the constants of conv-cost.ts that would predict these times best. --write: stores the times in
// bench/results/conv-costs.json.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { PrimCall, Step } from '../src/backend/backend.ts';
import type { WasmBackend } from '../src/backend/wasm/backend.ts';
import { chooseConv, convAlgorithms, convBy } from '../src/backend/wasm/conv/conv.ts';
import { convCosts } from '../src/backend/wasm/conv/conv-cost.ts';
import { chooseWeightGrad, weightGradAlgorithms, weightGradBy } from '../src/backend/wasm/conv/conv-weight-grad.ts';
import { only } from '../src/backend/wasm/core/algorithm.ts';
import { Declined } from '../src/backend/wasm/core/prim.ts';
import type { WasmSession } from '../src/backend/wasm/core/session.ts';
import { allPrims } from '../src/backend/wasm/training-prims.ts';
import { formatTable } from '../src/cli/table.ts';
import { product } from '../src/common/numbers.ts';
import { BorrowedStorage, type Storage } from '../src/memory/storage.ts';
import { createBackend, type LoadOptions } from '../src/runtime/load.ts';
import { nodeTrainingPlatform } from '../src/runtime/node-training.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import { fitCosts, type Layer, layerAttrs, type Measured, type Measurement, quality, type Work } from './conv-fit.ts';

/** Mostly 3×3 of stride 1, for which there are several algorithms: few and many channels, small and large maps, batches. */
const layers: readonly Layer[] = [
  ...[8, 16, 32, 64].flatMap((c): Layer[] => [
    [c, c, 112],
    [c, c, 32],
    [c, c, 14],
  ]),
  ...[64, 128, 256, 512].flatMap((c, i): Layer[] => [
    [c, c, 56 >> i],
    [c, c, 56 >> i, 3, 1, 1, 8],
  ]),
  ...[16, 32, 64].map((c, i): Layer => [c, c, 32 >> i]),
  ...[16, 32, 48, 64].map((c, i): Layer => [c, 4 * c, [55, 27, 13, 13][i]]),
  ...[56, 28, 14, 7].map((map): Layer => [128, 32, map]),
  ...[64, 128, 256].map((c, i): Layer => [2 * c, c, 128 >> i]),
  [3, 64, 224],
  [64, 64, 224],
  [32, 1, 64],
  [8, 512, 7],
  [512, 8, 7],
  [512, 512, 14],
  [512, 512, 4],
  [512, 512, 2],
  [12, 20, 17],
  [100, 100, 9],
  [3, 64, 224, 7, 2],
  [1, 16, 96, 7, 2],
  [3, 5, 33, 7, 2],
  [16, 24, 56, 7, 2],
  [64, 64, 28, 7, 2],
  [64, 128, 9, 7, 2],
  [64, 128, 56, 3, 2],
  [64, 256, 56, 1],
  [64, 64, 56, 3, 1, 8],
  [96, 96, 112, 3, 1, 96],
  [384, 384, 14, 3, 1, 384],
];

/** Layers for weight gradients: those of small networks, and layers whose batch, channels or map are large or small. */
const gradLayers: readonly Layer[] = [
  ...[16, 32, 64].map((c, i): Layer => [c, c, 32 >> i, 3, 1, 1, 32]),
  ...[64, 128, 256].map((c, i): Layer => [c, c, 56 >> i, 3, 1, 1, 4]),
  [1, 32, 28, 3, 1, 1, 64],
  [3, 64, 56, 3, 1, 1, 4],
  [8, 256, 14, 3, 1, 1, 8],
  [256, 8, 14, 3, 1, 1, 8],
  [64, 64, 7, 3, 1, 1, 1],
  [64, 128, 28, 3, 2, 1, 8],
  [64, 256, 14, 1, 1, 1, 8],
];

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    assert: { type: 'boolean', default: false },
    variant: { type: 'string', default: 'auto' },
    within: { type: 'string', default: '1.1' },
    fit: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '15' },
  },
});
const within = Number(flags.within);
const rounds = Number(flags.rounds);
/** Milliseconds of one batch of runs, and of each algorithm's warm-up. */
const batchMs = 4;
const warmupMs = 150;

const backend = (await createBackend(
  nodeTrainingPlatform,
  { variant: flags.variant as LoadOptions['variant'] },
  allPrims,
)) as WasmBackend;
console.log(`Node ${process.versions.node}, ${backend.variant}`);
/** Tensors of the current layer. */
const held: Storage[] = [];
const rows: string[][] = [];
const misses: string[] = [];
const measured: Measured[] = [];
/** Columns of the table. */
const names = [...new Set([...convAlgorithms, ...weightGradAlgorithms].map(({ name }) => name))];
const timers: { readonly [W in Work]: (layer: Layer) => Timed } = {
  conv(layer) {
    const call = callOf(layer);
    return timeLayer(
      call,
      (session) => chooseConv(call, session),
      (algorithm, session) => convBy(() => only(algorithm))(call, session),
    );
  },
  convWeightGrad(layer) {
    const call = gradCallOf(layer);
    return timeLayer(
      call,
      (session) => chooseWeightGrad(call, session),
      (algorithm, session) => weightGradBy(() => only(algorithm))(call, session),
    );
  },
};
const works: readonly { readonly layer: Layer; readonly work: Work }[] = [
  ...layers.map((layer) => ({ layer, work: 'conv' as const })),
  ...gradLayers.map((layer) => ({ layer, work: 'convWeightGrad' as const })),
];
for (const { layer, work } of works) {
  const name = nameOf(layer, work);
  if (positionals.length > 0 && !positionals.some((part) => name.includes(part))) continue;
  const result = timers[work](layer);
  measured.push({
    layer,
    ...(work === 'conv' ? {} : { work }),
    ns: Object.fromEntries([...result.times].map(([by, ms]) => [by, Math.round(ms * 1e6)])),
  });
  const best = Math.min(...result.times.values());
  const ratio = result.times.get(result.chosen)! / best;
  if (ratio > within) misses.push(`${name}: ${result.chosen} takes ${ratio.toFixed(2)} × the fastest`);
  const cells = names.map((algorithm) => {
    const ms = result.times.get(algorithm);
    return ms === undefined ? '' : `${ms.toPrecision(3)}${algorithm === result.chosen ? ' ←' : ''}`;
  });
  rows.push([name, ...cells, ratio.toFixed(2), (result.flops / result.times.get(result.chosen)! / 1e6).toPrecision(3)]);
  process.stderr.write(`${rows.length}/${works.length} ${name}\n`);
}
const headings = ['layer', ...names.map((name) => `${name} ms`), 'chosen ÷ best', 'GFLOP/s'];
console.log(formatTable(headings, rows, headings.map((_, i) => i).slice(1)));
for (const miss of misses) console.error(`missed: ${miss}`);
console.log(
  misses.length === 0 ? 'the choice is good everywhere' : `${misses.length} of ${rows.length} choices missed`,
);
if (flags.assert && misses.length > 0) process.exitCode = 1;
if (flags.fit) printFit();
if (flags.write) writeMeasurement();

/** Prints the constants of conv-cost.ts, and those that predict these times best. */
function printFit(): void {
  const session = backend.session();
  const fitted = fitCosts(measured, session);
  const constants = Object.entries(fitted).map(([key, value]) => [
    key,
    String(convCosts[key as keyof typeof convCosts]),
    value.toPrecision(3),
  ]);
  console.log(`\n${formatTable(['constant', 'now', 'fitted'], constants, [1, 2])}\n`);
  for (const [which, costs] of [
    ['now', convCosts],
    ['fitted', fitted],
  ] as const) {
    const { error, choice, worstChoice } = quality(measured, session, costs);
    const percent = (100 * error).toFixed(0);
    console.log(
      `${which}: off by ${percent} % on average; chosen ÷ best ${choice.toFixed(3)}, ${worstChoice.toFixed(2)} at worst`,
    );
  }
  session.dispose();
}

function writeMeasurement(): void {
  const about: Omit<Measurement, 'rows'> = {
    processor: cpus()[0].model.trim(),
    variant: backend.variant,
    node: process.versions.node,
  };
  const lines = measured.map((row) => JSON.stringify(row)).join(',\n');
  const file = new URL('results/conv-costs.json', import.meta.url);
  writeFileSync(file, `${JSON.stringify(about).slice(0, -1)},"rows":[\n${lines}\n]}\n`);
}

function nameOf([from, to, map, kernel = 3, stride = 1, groups = 1, n = 1]: Layer, work: Work): string {
  const kind = groups === 1 ? '' : groups === from ? 'depthwise ' : `${groups} groups `;
  return `${work === 'conv' ? '' : 'weight gradient '}${kind}${kernel}×${kernel}${stride > 1 ? ` s${stride}` : ''} ${from}→${to} @${map}${n > 1 ? ` ×${n}` : ''}`;
}

interface Timed {
  readonly chosen: string;
  readonly times: ReadonlyMap<string, number>;
  readonly flops: number;
}

/** Milliseconds by algorithm: the least of the rounds' means; a round is a short batch of each algorithm. */
function timeLayer<P extends Work, A extends { readonly name: string }>(
  call: PrimCall<P>,
  choice: (session: WasmSession) => { readonly taken: A; readonly costs: ReadonlyMap<A, number | Declined> },
  lower: (algorithm: A, session: WasmSession) => Step[] | Declined,
): Timed {
  const session = backend.session();
  try {
    const { taken, costs } = choice(session);
    const fitting = [...costs].filter(([, cost]) => !(cost instanceof Declined));
    const prepared = fitting.map(([algorithm]) => {
      const steps = lower(algorithm, session);
      if (steps instanceof Declined) throw new Error(`${algorithm.name} cannot do what it names a cost for`);
      return { algorithm, steps, count: 1, ms: Number.POSITIVE_INFINITY };
    });
    session.seal();
    for (const one of prepared) {
      const ms = spend(one.steps, warmupMs);
      one.count = Math.max(1, Math.round(batchMs / ms));
    }
    for (let round = 0; round < rounds; round++) {
      for (const one of prepared) {
        const start = performance.now();
        for (let i = 0; i < one.count; i++) for (const step of one.steps) step.run();
        one.ms = Math.min(one.ms, (performance.now() - start) / one.count);
      }
    }
    const { batch, output, channels, outChannels, groups, kernel } = call.attrs;
    const flops = (2 * batch * cells(output) * cells(kernel) * channels * outChannels) / groups;
    return { chosen: taken.name, times: new Map(prepared.map(({ algorithm, ms }) => [algorithm.name, ms])), flops };
  } finally {
    session.dispose();
    for (const storage of held.splice(0)) storage.free();
  }
}

/** The layer with a ReLU, on random numbers in linear memory; weights are constants. */
function callOf(layer: Layer): PrimCall<'conv'> {
  const [from, to, map, kernel = 3, , groups = 1, n = 1] = layer;
  const attrs = layerAttrs(layer);
  const [, size] = attrs.output;
  const inputs = [linear([n, from, map, map]), weight([to, from / groups, kernel, kernel]), weight([to]), null];
  return { prim: 'conv', inputs, outputs: [linear([n, to, size, size])], attrs };
}

/** The same layer's weight gradient, from its input and the gradient of its output. */
function gradCallOf(layer: Layer): PrimCall<'convWeightGrad'> {
  const [from, to, map, kernel = 3, , groups = 1, n = 1] = layer;
  const attrs = layerAttrs(layer);
  const [, size] = attrs.output;
  const inputs = [linear([n, from, map, map]), linear([n, to, size, size])];
  return { prim: 'convWeightGrad', inputs, outputs: [linear([to, from / groups, kernel, kernel])], attrs };
}

function linear(shape: number[]): Tensor {
  const storage = backend.memory.allocate(4 * cells(shape));
  held.push(storage);
  const tensor = new Tensor('float32', shape, 'channelsLast', storage);
  (tensor.array as Float32Array).forEach((_, i, array) => {
    array[i] = random(i);
  });
  return tensor;
}

function weight(shape: number[]): Tensor {
  const array = Float32Array.from({ length: cells(shape) }, (_, i) => random(i) / 10);
  return new Tensor('float32', shape, 'row', new BorrowedStorage(array), true);
}

/** Numbers in −1 … 1 without a pattern. */
function random(i: number): number {
  return ((Math.imul(i + 1, 2654435761) >>> 8) & 0xffff) / 32768 - 1;
}

/** Runs for `ms` at least; mean of the last run. */
function spend(steps: readonly Step[], ms: number): number {
  const end = performance.now() + ms;
  let last = 0;
  for (let now = performance.now(); now < end; ) {
    for (const step of steps) step.run();
    const then = performance.now();
    last = then - now;
    now = then;
  }
  return last;
}

function cells(extents: readonly number[]): number {
  return product(extents);
}
