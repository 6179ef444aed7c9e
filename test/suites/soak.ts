// npm run soak [-- RUNS]: RUNS runs (default 20,000) of small models with changing input shapes, divided among all ways to
// run them: plain JS, kernels on one and two threads, with the calling thread or a worker as leader. The bytes that models hold, the
// JavaScript heap and the process's memory must not grow; otherwise the exit status is 1.

import { dtypes } from '../../src/common/dtype.ts';
import { product } from '../../src/common/numbers.ts';
import type { LoadOptions } from '../../src/runtime/load.ts';
import type { Model, ModelInput } from '../../src/runtime/model.ts';
import { load } from '../../src/runtime/node.ts';
import { lenet } from '../support/lenet.ts';

const total = Number(process.argv[2] ?? 20_000);
if (!(Number.isInteger(total) && total >= 100)) {
  console.error(`usage: npm run soak [-- RUNS], a whole number ≥ 100; got ${process.argv[2]}`);
  process.exit(2);
}

const engines: readonly LoadOptions[] = [
  { backend: 'js' },
  { threads: 1 },
  { threads: 2 },
  { threads: 1, leader: 'worker' },
  { threads: 2, leader: 'worker' },
];
const fixture = (name: string): URL => new URL(`../fixtures/models/${name}.onnx`, import.meta.url);
/** More batch sizes than a model keeps plans for, so that plans are disposed of and made again all the time. */
const batches = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const sources = [
  { name: 'lenet', source: lenet('n'), share: 0.7 },
  { name: 'squeezenet_fire', source: fixture('squeezenet_fire'), share: 0.2 },
  { name: 'ssd_nms_tiny', source: fixture('ssd_nms_tiny'), share: 0.1 },
];

/** Values of all inputs; open dimensions are `batch`. */
function inputsOf(model: Model, batch: number): { [name: string]: ModelInput } {
  return Object.fromEntries(
    model.inputs.map(({ name, dtype, shape }) => {
      const dims = (shape ?? []).map((d) => d ?? batch);
      const data = new dtypes[dtype].array(product(dims));
      for (let i = 0; i < data.length; i++) data[i] = Math.sin(i);
      return [name, { data, shape: dims }];
    }),
  );
}

interface Sample {
  readonly held: number;
  readonly heap: number;
  readonly rss: number;
}

function sample(model: Model): Sample {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: model.memory().total, heap: heapUsed + external, rss };
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** Growth between the first and the last samples that is allowed, for caches of the engine and of the allocator. */
const allowed: { readonly [K in keyof Sample]: number } = { held: 0, heap: 2 * 2 ** 20, rss: 32 * 2 ** 20 };

const problems: string[] = [];
const before = performance.now();
for (const options of engines) {
  for (const { name, source, share } of sources) {
    const title = `${name}, ${options.backend ?? `wasm ${options.threads} thread(s), leader ${options.leader ?? 'main'}`}`;
    const model = await load(source, options);
    const inputs = batches.map((batch) => inputsOf(model, batch));
    const runs = Math.max(22, Math.round((total * share) / engines.length));
    const expected: string[] = [];
    const samples: Sample[] = [];
    const every = Math.ceil(runs / 5 / batches.length) * batches.length; // a sample sees the same shapes in the cache
    for (let i = 0; i < runs + batches.length; i++) {
      if (i >= batches.length && (i - batches.length) % every === 0) samples.push(sample(model));
      const outputs = await model.run(inputs[i % batches.length]);
      if (i % every >= batches.length) continue;
      const got = Object.values(outputs)
        .map(({ data }) => [...data].join())
        .join();
      expected[i % batches.length] ??= got;
      if (got !== expected[i % batches.length]) problems.push(`${title}: run ${i} gives something else`);
    }
    samples.push(sample(model));
    const last = samples[samples.length - 1];
    for (const key of ['held', 'heap', 'rss'] as const) {
      // The heap and the process stop growing during the first half; the bytes that the model holds vary with its plans.
      const earlier = samples.slice(0, key === 'held' ? -1 : 3);
      const most = Math.max(...earlier.map((s) => s[key]));
      if (last[key] - most > allowed[key])
        problems.push(`${title}: ${key} grew from ${mib(most)} to ${mib(last[key])} MiB`);
    }
    console.log(
      `${title}: ${runs} runs, held ${samples.map((s) => mib(s.held)).join(' ')}, heap ${samples.map((s) => mib(s.heap)).join(' ')}, RSS ${samples
        .map((s) => s.rss)
        .map(mib)
        .join(' ')} MiB`,
    );
    model.dispose();
  }
}
const seconds = ((performance.now() - before) / 1000).toFixed(0);
for (const problem of problems) console.log(`FAIL ${problem}`);
console.log(problems.length === 0 ? `memory stays flat (${seconds} s)` : `${problems.length} problems (${seconds} s)`);
if (problems.length > 0) process.exitCode = 1;
