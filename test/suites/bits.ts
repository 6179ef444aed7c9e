// npx tsx test/suites/bits.ts --out FILE.json [--networks DIR] [--compare FILE.json] [--filter TEXT]: writes hashes of the results of
// every case of every op on every backend, and of the networks NAME.onnx of DIR, to see whether a change keeps the bits. --compare lists
// hashes that differ, are missing or are new; exit status 1 if any differs or is missing. Kernels are those of the last `npm run kernels`.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Backend } from '../../src/backend/backend.ts';
import { type DType, dtypes, type TypedArray } from '../../src/common/dtype.ts';
import type { OpDef } from '../../src/ops/core/op.ts';
import { trainingOps } from '../../src/ops/training.ts';
import type { LoadOptions } from '../../src/runtime/load.ts';
import { load } from '../../src/runtime/node.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { backendOf, Random, variants } from '../kernels/harness.ts';
import { casesOf, caseValues, layouts, runCase, seed } from '../ops/cases.ts';
import { jsBackend } from '../support/js-backend.ts';
import { newTeam } from '../support/new-team.ts';

/** By `OP/case N/BACKEND/LAYOUT/CONSTANTS` and `network/NAME/BACKEND/OUTPUT`. */
type Hashes = { [key: string]: string };

interface Recording {
  readonly node: string;
  readonly seed: number;
  readonly hashes: Hashes;
}

interface Values {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Plain JS takes seconds for a larger network. */
const mostJsMacs = 100e6;

function hashOf(outputs: readonly Values[]): string {
  const hash = createHash('sha256');
  for (const { dtype, shape, data } of outputs) {
    const copy = data.slice();
    // The bits of a NaN depend on the engine, and JavaScript does not distinguish them.
    if (dtypes[dtype].kind === 'float')
      copy.forEach((value, i) => Number.isNaN(value) && copy.fill(Number.NaN, i, i + 1));
    hash.update(`${dtype}[${shape}]`).update(new Uint8Array(copy.buffer));
  }
  return hash.digest('hex').slice(0, 16);
}

function recordOp(op: OpDef, hashes: Hashes, backends: ReadonlyMap<string, Backend>): void {
  const updates = op.inPlace !== undefined;
  for (const [i, opCase] of casesOf(op).entries()) {
    for (const [name, backend] of backends) {
      for (const layout of layouts) {
        for (const constants of updates ? (['none'] as const) : (['none', 'all'] as const)) {
          const key = `${op.name}/case ${i + 1}/${name}/${layout}/${constants}`;
          const arrays = caseValues(opCase.inputs, seed + i);
          try {
            hashes[key] = hashOf(runCase(backend, op, opCase, arrays, constants, layout, backend.threads > 1));
          } catch (cause) {
            throw new Error(`${key}: ${(cause as Error).message}`, { cause });
          }
        }
      }
    }
  }
}

async function recordOps(hashes: Hashes, filter: string): Promise<void> {
  const backends = new Map<string, Backend>([['js', jsBackend()]]);
  for (const variant of variants) {
    backends.set(variant, backendOf(variant));
    backends.set(`${variant}-2t`, await newTeam(variant, 2));
  }
  const ops = [...trainingOps.values()].filter(({ name }) => name.includes(filter));
  for (const [i, op] of ops.entries()) {
    recordOp(op, hashes, backends);
    progress(i + 1, ops.length, `ops: ${op.name}`);
  }
  for (const backend of backends.values()) backend.dispose();
}

/** One run, unless it would take more multiply–accumulates than `mostMacs`. */
async function recordNetwork(path: string, key: string, options: LoadOptions, hashes: Hashes, mostMacs: number) {
  const model = await load(path, options);
  try {
    if (model.plan().steps.reduce((sum, { macs }) => sum + macs, 0) > mostMacs) return;
    // Inputs as in the benchmarks: open dimensions are 1.
    const inputs = model.inputs.map(({ name, shape }) => {
      const dims = shape!.map((d) => d ?? 1);
      return [name, { shape: dims, data: new Random(7).floats(elementCount(dims), -1, 1) }];
    });
    const outputs = await model.run(Object.fromEntries(inputs));
    for (const [name, output] of Object.entries(outputs)) hashes[`${key}/${name}`] = hashOf([output]);
  } finally {
    model.dispose();
  }
}

async function recordNetworks(directory: string, hashes: Hashes, filter: string): Promise<void> {
  const files = readdirSync(directory).filter((file) => file.endsWith('.onnx') && file.includes(filter));
  for (const [i, file] of files.sort().entries()) {
    const name = file.slice(0, -'.onnx'.length);
    const record = (backend: string, options: LoadOptions, mostMacs = Number.POSITIVE_INFINITY) =>
      recordNetwork(join(directory, file), `network/${name}/${backend}`, options, hashes, mostMacs);
    await record('js', { backend: 'js' }, mostJsMacs);
    for (const variant of variants) {
      await record(variant, { variant });
      await record(`${variant}-2t`, { variant, threads: 2 });
    }
    progress(i + 1, files.length, `networks: ${name}`);
  }
}

/** Prints every key whose hash is not the same. Returns how many differ or are missing. */
function compare(hashes: Hashes, base: Hashes): number {
  const keys = [...new Set([...Object.keys(base), ...Object.keys(hashes)])].sort();
  const counts = { same: 0, differs: 0, missing: 0, new: 0 };
  for (const key of keys) {
    const [got, expected] = [hashes[key], base[key]];
    const kind = got === expected ? 'same' : got === undefined ? 'missing' : expected === undefined ? 'new' : 'differs';
    counts[kind]++;
    if (kind !== 'same') console.log(`${kind}: ${key}`);
  }
  console.log(`${counts.same} the same, ${counts.differs} differ, ${counts.missing} missing, ${counts.new} new`);
  return counts.differs + counts.missing;
}

function progress(done: number, all: number, what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done} of ${all} ${what}${done === all ? '\n' : ''}`);
  else if (all < 50 || done === all || done % 25 === 0) console.error(`${done} of ${all} ${what}`);
}

const { values: flags } = parseArgs({
  options: {
    out: { type: 'string' },
    networks: { type: 'string' },
    compare: { type: 'string' },
    filter: { type: 'string', default: '' },
  },
});
if (flags.out === undefined && flags.compare === undefined) {
  console.error('usage: npm run bits -- --out FILE.json [--networks DIR] [--compare FILE.json] [--filter TEXT]');
  process.exit(2);
}
const hashes: Hashes = {};
await recordOps(hashes, flags.filter);
if (flags.networks !== undefined) await recordNetworks(flags.networks, hashes, flags.filter);
const recording: Recording = { node: process.version, seed, hashes };
console.log(`${Object.keys(hashes).length} hashes, Node ${process.version}, ${variants.join(', ')}`);
if (flags.out !== undefined) writeFileSync(flags.out, `${JSON.stringify(recording, null, 1)}\n`);
if (flags.compare !== undefined) {
  const base = JSON.parse(readFileSync(flags.compare, 'utf8')) as Recording;
  if (base.seed !== seed) throw new Error(`${flags.compare} has the values of seed ${base.seed}, this run of ${seed}`);
  // Keys that this run does not compute are not missing.
  const asked = Object.entries(base.hashes).filter(([key]) => {
    const [first, second] = key.split('/');
    if (first !== 'network') return first.includes(flags.filter);
    return flags.networks !== undefined && `${second}.onnx`.includes(flags.filter);
  });
  if (compare(hashes, Object.fromEntries(asked)) > 0) process.exitCode = 1;
}
