// npm run bench [-- FAMILY...] [--json] [--threads N] [--variant V]: convlet's WebAssembly kernels against its own plain JS
// backend, one op at a time. Prints a table and keeps the figures in bench/results/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/cli/table.ts';
import { createBackend, type LoadOptions } from '../src/runtime/load.ts';
import { nodeTrainingPlatform } from '../src/runtime/node-training.ts';
import binary from './binary.ts';
import conv from './conv.ts';
import convTranspose from './conv-transpose.ts';
import convWeightGrad from './conv-weight-grad.ts';
import copy from './copy.ts';
import interpolate from './interpolate.ts';
import matmul from './matmul.ts';
import norm from './norm.ts';
import { type BenchSuite, type CaseResult, runCase } from './op-suite.ts';
import pool from './pool.ts';
import reduce from './reduce.ts';
import softmax from './softmax.ts';
import unary from './unary.ts';

const suites: readonly BenchSuite[] = [
  conv,
  convTranspose,
  convWeightGrad,
  matmul,
  pool,
  norm,
  interpolate,
  unary,
  binary,
  softmax,
  reduce,
  copy,
];

interface Results {
  node: string;
  cpu: string;
  variant: string;
  threads: number;
  families: { [family: string]: CaseResult[] };
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

const chosen = suites.filter(({ family }) => positionals.length === 0 || positionals.includes(family));
const unknown = positionals.filter((name) => !suites.some(({ family }) => family === name));
if (unknown.length > 0) {
  console.error(`no family ${unknown.join(', ')}; there are ${suites.map(({ family }) => family).join(', ')}`);
  process.exit(2);
}

const threads = Number(flags.threads);
const wasm = await createBackend(nodeTrainingPlatform, { threads, variant: flags.variant as LoadOptions['variant'] });
const js = await createBackend(nodeTrainingPlatform, { backend: 'js' });
const file = new URL(`results/ops-node${process.versions.node.split('.')[0]}${suffix()}.json`, import.meta.url);
const results: Results = {
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  variant: wasm.variant,
  threads,
  families: earlier(),
};

for (const { family, cases } of chosen) {
  const rows: CaseResult[] = [];
  for (const row of cases) {
    const result = await runCase(family, row, wasm, js);
    rows.push(result);
    if (!flags.json) console.error(`${family}: ${cells(result).join('  ')}`);
  }
  results.families[family] = rows;
}

mkdirSync(new URL('.', file), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
if (flags.json) {
  const shown = Object.fromEntries(chosen.map(({ family }) => [family, results.families[family]]));
  console.log(JSON.stringify({ ...results, families: shown }));
} else {
  const { node, cpu, variant } = results;
  console.log(`\nNode ${node.slice(1)}, ${variant}, ${threads} thread(s), ${cpu}`);
  for (const { family } of chosen) {
    console.log(`\n${family}\n${formatTable(headings, results.families[family].map(cells), numeric)}`);
  }
}

/** Figures of families that this run leaves out stay as they are, if they were taken with the same variant. */
function earlier(): Results['families'] {
  try {
    const old = JSON.parse(readFileSync(file, 'utf8')) as Results;
    return old.variant === wasm.variant && old.node === process.version ? old.families : {};
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
