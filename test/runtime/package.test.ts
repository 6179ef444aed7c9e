// The package as npm publishes it: packed, installed into an empty project, imported, run and type-checked there.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sizes } from '../../scripts/sizes.ts';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { assertClose } from '../networks/engines.ts';
import { buildPackage, filesOf, installPackage, models, type Packed, root, run, tsc } from './package.ts';

const model = join(models, 'espcn_bicubic.onnx');
let folder: string;
let project: string;
let packed: Packed;

beforeAll(async () => {
  await buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'convlet-package-'));
  ({ project, packed } = await installPackage(folder));
}, 150_000);

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const npx = (...args: string[]) => run('npx', ['--no-install', 'convlet', ...args], { cwd: project });

describe('the packed package', () => {
  test('has what it needs and nothing else', () => {
    const paths = packed.files.map((file) => file.path);
    // Not `build` as it lies there: maps, declarations of single modules, reports of earlier runs.
    const wanted = [
      /^build\/[\w-]+\.(js|d\.ts)$/,
      /^build\/kernels\.[\w-]+\.wasm$/,
      /^build\/THIRD-PARTY-LICENSES\.txt$/,
      /^build\/chunks\/(?!reader-)[\w.-]+\.js$/,
      /^build\/cli\/main\.js$/,
      /^build\/(runtime|io\/images)\/[\w-]+\.(js|d\.ts)$/,
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
    ];
    const strange = paths.filter((path) => !wanted.some((pattern) => pattern.test(path)));
    expect(strange).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining(['LICENSE', 'build/index.js', 'build/index.d.ts', 'build/cli/main.js']),
    );
    // One declaration per entry, which its row of package.json names.
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const named = new Set(JSON.stringify(exports).match(/build\/[^"]+\.d\.ts/g));
    expect(paths.filter((path) => path.endsWith('.d.ts')).sort()).toEqual([...named].sort());
    console.log(`package: ${packed.size} bytes packed, ${packed.unpackedSize} unpacked, ${paths.length} files`);
    expect(packed.unpackedSize).toBeLessThan(sizes.unpacked.bytes);
    const declaration = statSync(join(project, 'node_modules/convlet/build/index.d.ts'));
    expect(declaration.size).toBeLessThan(sizes.declarations.bytes);
  });

  test('runs nothing when it is installed, and brings no native code', () => {
    const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean; os?: unknown; cpu?: unknown }>;
    };
    const names = Object.keys(packages).filter((name) => name !== '');
    expect(names).toContain('node_modules/convlet');
    for (const name of names) {
      const { hasInstallScript, os, cpu } = packages[name];
      expect({ name, hasInstallScript, os, cpu }).toEqual({ name });
    }
    const { scripts } = JSON.parse(readFileSync(join(project, 'node_modules/convlet/package.json'), 'utf8'));
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) expect(scripts).not.toHaveProperty(name);
  });

  test('every path of the exports map exists', () => {
    const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const paths = [exports, bin].flatMap(function leaves(value: unknown): string[] {
      return typeof value === 'string' ? [value] : Object.values(value as object).flatMap(leaves);
    });
    expect(paths.length).toBeGreaterThan(8);
    const files = filesOf(join(project, 'node_modules/convlet')).map((path) => `./${path}`);
    // A star stands for any text.
    const fits = (path: string, file: string) => {
      const [start, end] = path.split('*');
      return end === undefined ? file === path : file.startsWith(start) && file.endsWith(end);
    };
    expect(paths.filter((path) => !files.some((file) => fits(path, file)))).toEqual([]);
  });
});

describe('imported under Node', () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer((_, response) => response.end(readFileSync(model)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server?.close());

  test('loads a model by path, by URL and from bytes', async () => {
    const tensors = readSafetensors(readFileSync(join(models, 'espcn_bicubic.io.safetensors')));
    const { data, shape } = tensors.get('input')!;
    writeFileSync(join(project, 'input.json'), JSON.stringify({ data: [...(data as Float32Array)], shape }));
    writeFileSync(
      join(project, 'script.js'),
      `import { readFileSync } from 'node:fs';
import { load } from 'convlet';
const [path, url, http] = process.argv.slice(2);
const { data, shape } = JSON.parse(readFileSync('input.json', 'utf8'));
const bytes = readFileSync(path);
for (const source of [path, url, new URL(url), http, bytes, new Uint8Array(bytes).buffer]) {
  const model = await load(source);
  const [name] = model.inputs.map((input) => input.name);
  const { output } = await model.run({ [name]: { data: Float32Array.from(data), shape } });
  console.log(JSON.stringify({ shape: output.shape, data: [...output.data] }));
  model.dispose();
}
`,
    );
    const { port } = server.address() as AddressInfo;
    const sources = [model, pathToFileURL(model).href, `http://127.0.0.1:${port}/model.onnx`];
    const { code, stdout, stderr } = await run(process.execPath, ['script.js', ...sources], { cwd: project });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const results = stdout.trim().split('\n');
    expect(results.length).toBe(6);
    const expected = tensors.get('output')!;
    for (const line of results) {
      const output = JSON.parse(line) as { shape: number[]; data: number[] };
      expect(output.shape).toEqual(expected.shape);
      assertClose('output', output.data, expected.data as Float32Array, 1e-3, 4e-4);
    }
  });

  test('the kernels resolve to files, and load takes them compiled', async () => {
    const script = `
      import { readFileSync } from 'node:fs';
      import { load } from 'convlet';
      const file = new URL(import.meta.resolve('convlet/kernels/simd.wasm'));
      import.meta.resolve('convlet/kernels/relaxed.wasm');
      const kernels = new WebAssembly.Module(readFileSync(file));
      const model = await load(process.argv[1], { kernels });
      console.log(model.backend, model.variant, WebAssembly.Module.exports(kernels).some(({ name }) => name === 'conv'));
    `;
    const { code, stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', script, model], {
      cwd: project,
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'wasm simd true\n', stderr: '' });
  });
});

describe('npx convlet', () => {
  test('--version', async () => {
    const { code, stdout } = await npx('--version');
    expect(code).toBe(0);
    expect(stdout).toContain(`convlet ${packed.version} (kernels `);
  });

  test('inspect', async () => {
    const { code, stdout } = await npx('inspect', model);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^layer +op +output +parameters +MACs +est\. ms +runs$/m);
  });

  test('bench --json', async () => {
    const { code, stdout } = await npx('bench', model, '--seconds', '1', '--json');
    expect(code).toBe(0);
    const figures = JSON.parse(stdout);
    expect(figures).toMatchObject({ backend: 'wasm', node: process.version });
    expect(figures.median).toBeGreaterThan(0);
  });
});

describe('types', () => {
  const program = `import { ConvletError, load, type Model, tensor } from 'convlet';
import { decodeImage, imageToTensor } from 'convlet/images';
import relaxed from 'convlet/kernels/relaxed.wasm?module';
import simd from 'convlet/kernels/simd.wasm';
const models = [await load('model.onnx', { kernels: relaxed, variant: 'relaxed' }), await load('model.onnx', { kernels: simd })];
for (const other of models) other.dispose();
const model: Model = await load('model.onnx', { backend: 'wasm', variant: 'auto', threads: 1, maxMemoryBytes: 1e9 });
const picture = imageToTensor(await decodeImage(new Uint8Array(), { channels: 3 }));
const out = await model.run({ input: picture, more: tensor([1, 2], [2]) });
export const sum: number = out.logits.shape.reduce((a, b) => a + b, 0) + Number(out.logits.data[0]);
export const code = new ConvletError('shape', 'text').code satisfies string;
model.dispose();
`;
  const resolutions = [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ];

  test.each(resolutions)('module %s, moduleResolution %s', async (module, moduleResolution) => {
    // The declarations are checked as well, not skipped: an application may do so.
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2023',
      strict: true,
      noEmit: true,
      types: [],
      skipLibCheck: false,
    };
    writeFileSync(join(project, 'program.ts'), program);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    expect(await run(process.execPath, [tsc, '-p', project], { cwd: project })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    // And they are real types, not any.
    writeFileSync(join(project, 'program.ts'), program.replace("backend: 'wasm'", "backend: 'gpu'"));
    const wrong = await run(process.execPath, [tsc, '-p', project], { cwd: project });
    expect(wrong.stdout).toContain('TS2322');
  });
});
