// npm run bench [-- FAMILY-OR-SUITE...] [--json] [--threads N] [--variant V]: compares convlet's WebAssembly kernels with its plain JS
// backend, one op at a time. Prints a table and stores the figures in bench/results/.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Family, families, familyNames } from '../scripts/families.ts';
import { allPrims } from '../src/backend/wasm/training-prims.ts';
import { formatTable } from '../src/cli/table.ts';
import { createBackend, type LoadOptions } from '../src/runtime/load.ts';
import { nodeTrainingPlatform } from '../src/runtime/node-training.ts';
import { type BenchSuite, type CaseResult, runCase } from './op-suite.ts';

/** The suites of every family's folder here, in the order of the list of families. */
const suites: readonly (BenchSuite & { readonly family: string })[] = (
  await Promise.all(
    familyNames
      .filter((family) => (families[family] as Family).without?.bench === undefined)
      .flatMap((family) =>
        readdirSync(new URL(`${family}/`, import.meta.url)).map(async (file) => {
          const { default: suite } = (await import(`./${family}/${file}`)) as { default: BenchSuite };
          return { ...suite, family };
        }),
      ),
  )
).flat();

interface Results {
  node: string;
  cpu: string;
  variant: string;
  threads: number;
  suites: { [name: string]: CaseResult[] };
}

const headings = ['case', 'kernel', 'wasm ms', 'rate', 'js ms', '× js', 'op alone × js'];
const numeric = [2, 3, 4, 5, 6];

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    threads: { type: 'string', default: '1' },
    variant: { type: 'string', default: 'auto' },
  },
});

const named = (wanted: string) => (suite: (typeof suites)[number]) => suite.family === wanted || suite.name === wanted;
const chosen = suites.filter((suite) => positionals.length === 0 || positionals.some((wanted) => named(wanted)(suite)));
const unknown = positionals.filter((wanted) => !suites.some(named(wanted)));
if (unknown.length > 0) {
  const known = new Set(suites.flatMap(({ family, name }) => [family, name]));
  console.error(`no family ${unknown.join(', ')}; there are ${[...known].join(', ')}`);
  process.exit(2);
}

const threads = Number(flags.threads);
const wasm = await createBackend(
  nodeTrainingPlatform,
  { threads, variant: flags.variant as LoadOptions['variant'] },
  allPrims,
);
const js = await createBackend(nodeTrainingPlatform, { backend: 'js' }, allPrims);
const file = new URL(`results/ops-node${process.versions.node.split('.')[0]}${suffix()}.json`, import.meta.url);
const results: Results = {
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  variant: wasm.variant,
  threads,
  suites: earlier(),
};

for (const { name, cases } of chosen) {
  const rows: CaseResult[] = [];
  for (const row of cases) {
    const result = await runCase(name, row, wasm, js);
    rows.push(result);
    if (!flags.json) console.error(`${name}: ${cells(result).join('  ')}`);
  }
  results.suites[name] = rows;
}

mkdirSync(new URL('.', file), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
if (flags.json) {
  const shown = Object.fromEntries(chosen.map(({ name }) => [name, results.suites[name]]));
  console.log(JSON.stringify({ ...results, suites: shown }));
} else {
  const { node, cpu, variant } = results;
  console.log(`\nNode ${node.slice(1)}, ${variant}, ${threads} thread(s), ${cpu}`);
  for (const { name } of chosen) {
    console.log(`\n${name}\n${formatTable(headings, results.suites[name].map(cells), numeric)}`);
  }
}

/** Figures of suites that this run leaves out are kept if they were taken with the same variant. */
function earlier(): Results['suites'] {
  try {
    const old = JSON.parse(readFileSync(file, 'utf8')) as Results;
    return old.variant === wasm.variant && old.node === process.version ? old.suites : {};
  } catch {
    return {};
  }
}

function suffix(): string {
  return `${threads === 1 ? '' : `-t${threads}`}${flags.variant === 'auto' ? '' : `-${flags.variant}`}`;
}

function cells({ name, kernel, wasm, js, rate, unit }: CaseResult): string[] {
  return [
    name,
    kernel,
    wasm.run.toPrecision(3),
    `${rate.toPrecision(3)} ${unit}`,
    js.run.toPrecision(3),
    (js.run / wasm.run).toFixed(1),
    (js.op / wasm.op).toFixed(1),
  ];
}
