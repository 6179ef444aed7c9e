// The built package on every engine that it promises: engines/probe.mjs as a child process of each. Their binaries are
// found by environment variables, which .ci/run sets; without them they are skipped, in CI a missing one is a failure.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { assertClose } from '../networks/engines.ts';
import { buildPackage, installPackage, models, root, run } from './package.ts';

interface Engine {
  readonly name: string;
  /** The environment variable with the path of its binary; this process's own engine has none. */
  readonly variable?: string;
  readonly args: readonly string[];
  readonly relaxed: boolean;
  /** JavaScriptCore multiplies and adds in two roundings where V8 fuses: both are allowed to relaxed SIMD. */
  readonly fuses: boolean;
}

const node = { args: [], relaxed: true, fuses: true };
/** V8 joins pairs of 128-bit vectors; a flag of its own until it is done. */
const revectorize = { ...node, args: ['--experimental-wasm-revectorize'] };
const major = Number(process.versions.node.split('.')[0]);
const engines: readonly Engine[] = [
  { ...node, name: `this Node ${process.versions.node}`, relaxed: major >= 22 },
  { ...node, name: 'Node 22', variable: 'CONVLET_NODE22' },
  { ...node, name: 'Node 24', variable: 'CONVLET_NODE24' },
  { ...node, name: 'Node 26', variable: 'CONVLET_NODE26' },
  { ...revectorize, name: 'Node 24, 256-bit vectors', variable: 'CONVLET_NODE24' },
  { ...revectorize, name: 'Node 26, 256-bit vectors', variable: 'CONVLET_NODE26' },
  { ...node, name: 'Deno', variable: 'CONVLET_DENO', args: ['run', '--allow-all', '--no-prompt'] },
  { ...node, name: 'Bun', variable: 'CONVLET_BUN', fuses: false },
];

type Variant = 'simd' | 'relaxed';
interface Output {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string;
}
interface Trained {
  readonly first: number;
  readonly last: number;
  readonly losses: string;
  readonly weights: string;
}
interface Report {
  readonly variants: readonly Variant[];
  readonly inference: Record<Variant, Record<string, { values: Output[]; runs: Record<string, string | string[]> }>>;
  readonly training: Record<Variant, Record<'1' | '2', { eager: Trained; compiled: Trained }>>;
  readonly images: { readonly decoded: object; readonly batches: unknown };
  readonly sources: Record<string, string>;
  readonly [part: string]: unknown;
}

const names = ['resnet_tiny', 'mobilenet_v2_tiny', 'ssd_nms_tiny'];
const index = JSON.parse(readFileSync(join(models, 'index.json'), 'utf8')) as {
  models: { name: string; rtol: number; atol: number }[];
};
const pictures = join(root, 'examples/workerd/samples');

let folder: string;
let project: string;

beforeAll(async () => {
  buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'convlet-engines-'));
  project = (await installPackage(folder)).project;
  const networks = names.map((name) => {
    const { data, shape } = readSafetensors(readFileSync(join(models, `${name}.io.safetensors`))).get('input')!;
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return { name, model: join(models, `${name}.onnx`), shape, data: bytes.toString('base64') };
  });
  writeFileSync(join(folder, 'networks.json'), JSON.stringify(networks));
  writeFileSync(join(project, 'probe.mjs'), readFileSync(join(root, 'test/runtime/engines/probe.mjs')));
}, 150_000);

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function probe(binary: string, engine: Engine): Promise<Report> {
  const scratch = mkdtempSync(join(folder, 'scratch-'));
  const args = [...engine.args, join(project, 'probe.mjs'), join(folder, 'networks.json'), pictures, scratch];
  const cache = join(folder, 'deno');
  mkdirSync(cache, { recursive: true });
  const env = { ...process.env, DENO_DIR: cache, DENO_NO_UPDATE_CHECK: '1' };
  const { code, stdout, stderr } = await run(binary, args, { cwd: project, timeout: 150_000, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** The first report of each kernel build: what the others are compared with. */
const references = new Map<Variant, Report>();

function checkInference(report: Report, variant: Variant, engine: Engine): void {
  for (const name of names) {
    const { values, runs } = report.inference[variant][name];
    const bits = new Set(Object.values(runs).flat());
    expect([...bits], `${name}, ${variant}: ${JSON.stringify(runs)}`).toHaveLength(1);
    const { rtol, atol } = index.models.find((entry) => entry.name === name)!;
    const expected = readSafetensors(readFileSync(join(models, `${name}.io.safetensors`)));
    for (const output of values) {
      const bytes = Buffer.from(output.data, 'base64');
      const got = new Float32Array(new Uint8Array(bytes).buffer);
      expect(output.shape).toEqual(expected.get(output.name)!.shape);
      assertClose(`${name}, ${variant}`, got, Array.from(expected.get(output.name)!.data, Number), rtol, atol);
    }
    if (variant === 'relaxed' && !engine.fuses) continue;
    expect(runs, `${name}, ${variant}`).toEqual(references.get(variant)!.inference[variant][name].runs);
  }
}

function checkTraining(report: Report, variant: Variant, engine: Engine): void {
  const { 1: alone, 2: team } = report.training[variant];
  const { first, last } = alone.eager;
  expect(alone.compiled).toEqual(alone.eager);
  expect(team).toEqual(alone);
  expect(last).toBeLessThan(0.1 * first);
  const reference = references.get(variant)!.training[variant];
  if (variant === 'simd' || engine.fuses) expect(alone).toEqual(reference[1]);
  else assertClose('losses', [first, last], [reference[1].eager.first, reference[1].eager.last], 1e-4, 0);
}

describe.each(engines)('$name', (engine) => {
  const binary = engine.variable === undefined ? process.execPath : (process.env[engine.variable] ?? '');
  if (!existsSync(binary) && process.env.CI !== 'true') {
    test.skip(`needs ${engine.variable}, the path of its binary`, () => {});
    return;
  }

  test('networks, threads, leaders, training, files, pictures and errors are as on the first engine', {
    timeout: 160_000,
  }, async () => {
    if (!existsSync(binary)) throw new Error(`CI needs ${engine.name}: ${engine.variable} is '${binary}'`);
    const report = await probe(binary, engine);
    expect(report.variants).toEqual(engine.relaxed ? ['relaxed', 'simd'] : ['simd']);
    for (const variant of report.variants) {
      if (!references.has(variant)) references.set(variant, report);
      checkInference(report, variant, engine);
      checkTraining(report, variant, engine);
    }
    expect(report.checkpoints).toEqual({
      epochs: [1, 3],
      files: ['best.safetensors', 'last.safetensors'],
      lines: 4,
    });
    const first = references.get('simd')!;
    expect(Object.keys(report.images.decoded)).toHaveLength(15);
    expect(report.images.decoded).toEqual(first.images.decoded);
    expect(report.images.batches).toEqual([
      [[2, 3, 4, 4], [0, 0], 20],
      [[2, 3, 4, 4], [1, 1], 220],
    ]);
    expect(report.errors).toEqual({
      'a file that is no model': 'malformed',
      'half a file': 'malformed',
      'a path of nothing': 'environment',
      'a wrong option': 'argument',
      'no input': 'missing-input',
      'a wrong shape': 'shape',
      'a right run after that': 'no error',
      'no picture': 'unsupported',
      'after dispose': 'disposed',
      'disposed while it runs': 'disposed',
    });
    const bits = report.inference[report.variants[0]][names[0]].runs['runSync 1'];
    expect(Object.keys(report.sources)).toHaveLength(6);
    expect(new Set(Object.values(report.sources))).toEqual(new Set([bits]));
    expect(report.eventLoop).toEqual({ ticks: true, results: 1 });
  });
});
