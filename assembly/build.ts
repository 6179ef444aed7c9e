// npm run kernels: AssemblyScript → build/kernels.VARIANT[-train].wasm and src/abi/generated/*.ts. The variants are the targets
// of asconfig.json: to add a variant, add a target. The module for inference is the same code without the kernels of
// training.ts, which are a third of it. Nothing is compiled while the inputs are those of the last build.
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Declarations, readDeclarations } from './tools/declarations.ts';
import { abiHash, abiModule, base64Module } from './tools/generate.ts';
import { checkModule } from './tools/module.ts';
import { digest, reachableSources, type Source } from './tools/sources.ts';
import { finishModule } from './tools/strip.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const buildFolder = join(root, 'build');
const generatedFolder = join(root, 'src/abi/generated');
const stampFile = join(buildFolder, 'kernels.stamp.json');
const require = createRequire(import.meta.url);
const run = promisify(execFile);

interface Config {
  entries: string[];
  targets: Record<string, object>;
}

interface Stamp {
  inputs: string;
  /** Output path → digest of its content. */
  outputs: Record<string, string>;
}

export interface BuildResult {
  /** False if the outputs of an earlier build were still good. */
  compiled: boolean;
  sizes: Record<string, { raw: number; gzip: number }>;
}

/** Updates all outputs. If it throws, it leaves no output that an importer could mistake for a current one. */
export async function buildKernels(options: { force?: boolean } = {}): Promise<BuildResult> {
  const configText = readFileSync(join(root, 'asconfig.json'), 'utf8');
  const config = JSON.parse(configText) as Config;
  const compilerVersion = (require('assemblyscript/package.json') as { version: string }).version;
  try {
    const sources = reachableSources(root, config.entries);
    const tools = ['build.ts', ...readdirSync(join(root, 'assembly/tools')).map((name) => `tools/${name}`)];
    const inputs = digest([
      compilerVersion,
      configText,
      ...tools.map((name) => readFileSync(join(root, 'assembly', name))),
      ...sources.flatMap(({ path, text }) => [path, text]),
    ]);
    if (options.force || !isCurrent(inputs)) {
      await compileAll(config, sources, inputs);
      return { compiled: true, sizes: readSizes() };
    }
    return { compiled: false, sizes: readSizes() };
  } catch (error) {
    removeOutputs(config);
    throw error;
  }
}

function isCurrent(inputs: string): boolean {
  if (!existsSync(stampFile)) return false;
  const stamp = JSON.parse(readFileSync(stampFile, 'utf8')) as Stamp;
  if (stamp.inputs !== inputs) return false;
  return Object.entries(stamp.outputs).every(([path, expected]) => {
    const file = join(root, path);
    return existsSync(file) && digest([readFileSync(file)]) === expected;
  });
}

function outputNames(variants: readonly string[]): string[] {
  return [
    ...variants
      .flatMap((variant) => [variant, `${variant}-train`])
      .flatMap((name) => [`build/kernels.${name}.wasm`, `src/abi/generated/kernels.${name}.ts`]),
    'src/abi/generated/abi.ts',
    'build/size.json',
  ];
}

function removeOutputs(config: Config): void {
  for (const path of outputNames(Object.keys(config.targets))) rmSync(join(root, path), { force: true });
  rmSync(stampFile, { force: true });
}

async function compileAll(config: Config, sources: readonly Source[], inputs: string): Promise<void> {
  mkdirSync(buildFolder, { recursive: true });
  mkdirSync(generatedFolder, { recursive: true });
  // The folder is inside build/, so that outputs can be renamed into place: a process that reads them sees the old or the new file.
  const temporary = mkdtempSync(join(buildFolder, '.kernels-'));
  try {
    const declarations = readDeclarations(sources);
    const variants = Object.keys(config.targets);
    const modules = await Promise.all(variants.map((variant) => compile(variant, join(temporary, `${variant}.wasm`))));
    const outputs = new Map<string, string | Uint8Array>();
    const sizes: BuildResult['sizes'] = {};
    const training = trainingExports(sources, declarations);
    const hash = abiHash(declarations);
    let exported: string[] | undefined;
    for (const [i, variant] of variants.entries()) {
      const exports = checkModule(variant, modules[i]);
      exported ??= exports;
      if (exported.join() !== exports.join())
        throw new Error(`kernels.${variant}.wasm exports other names than ${variants[0]}`);
      const builds = {
        [variant]: await finishModule(modules[i], training, hash),
        [`${variant}-train`]: await finishModule(modules[i], [], hash),
      };
      for (const [name, bytes] of Object.entries(builds)) {
        checkModule(name, bytes);
        outputs.set(`build/kernels.${name}.wasm`, bytes);
        outputs.set(`src/abi/generated/kernels.${name}.ts`, base64Module(bytes));
        sizes[name] = { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
      }
    }
    outputs.set('src/abi/generated/abi.ts', abiModule(declarations, exported ?? []));
    outputs.set('build/size.json', `${JSON.stringify(sizes, null, 2)}\n`);
    const stamp: Stamp = { inputs, outputs: {} };
    for (const [path, content] of outputs) {
      place(temporary, path, content);
      stamp.outputs[path] = digest([typeof content === 'string' ? Buffer.from(content) : content]);
    }
    place(temporary, 'build/kernels.stamp.json', JSON.stringify(stamp));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Names of the kernels that training.ts re-exports. */
function trainingExports(sources: readonly Source[], { functions }: Declarations): string[] {
  const entry = sources.find(({ path }) => path === 'assembly/training.ts');
  const files = new Set([...(entry?.text ?? '').matchAll(/from '\.\/(.*)'/g)].map(([, path]) => `assembly/${path}.ts`));
  return functions.filter(({ path }) => files.has(path)).map(({ name }) => name);
}

function place(temporary: string, path: string, content: string | Uint8Array): void {
  const draft = join(temporary, 'draft');
  writeFileSync(draft, content);
  renameSync(draft, join(root, path));
}

/** Runs asc in its own process, so that the variants compile in parallel. A warning counts as an error. */
async function compile(variant: string, outFile: string): Promise<Uint8Array<ArrayBuffer>> {
  const asc = require.resolve('assemblyscript/bin/asc.js');
  const args = [asc, '--config', 'asconfig.json', '--target', variant, '--outFile', outFile];
  const report = await run(process.execPath, args, { cwd: root, maxBuffer: 1 << 26 }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stdout?: string; stderr?: string; message: string }) => `${error.stdout}${error.stderr}` || error.message,
  );
  if (withoutNotes(report) !== '' || !existsSync(outFile))
    throw new Error(`asc --target ${variant}:\n${report.trim()}`);
  return new Uint8Array(readFileSync(outFile));
}

/** asc's note about its own optimizer ('Last converge was suboptimal') is no fault of the sources, and any edit may cause it. */
const withoutNotes = (report: string): string => report.replace(/^.*Last converge was suboptimal.*$/gm, '').trim();

function readSizes(): BuildResult['sizes'] {
  return JSON.parse(readFileSync(join(buildFolder, 'size.json'), 'utf8'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { compiled, sizes } = await buildKernels({ force: process.argv.includes('--force') });
    for (const [variant, { raw, gzip }] of Object.entries(sizes)) {
      console.log(`kernels.${variant}.wasm: ${raw} bytes, ${gzip} gzip${compiled ? '' : ' (unchanged)'}`);
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
