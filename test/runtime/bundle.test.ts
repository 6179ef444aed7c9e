// What an application's bundler makes of `import { load } from 'convlet'`: its size, and that it runs with nothing beside it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type OutputFile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sizes as limits } from '../../scripts/sizes.ts';
import relaxed from '../../src/abi/generated/kernels.relaxed.ts';
import simd from '../../src/abi/generated/kernels.simd.ts';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { assertClose } from '../networks/engines.ts';
import { buildPackage, models, root, run } from './package.ts';

const application = `import { load } from 'convlet';
export default load;`;

interface Bundle {
  readonly files: OutputFile[];
  /** What the files import from each other, and what is left for the runtime to find. */
  readonly imports: string[];
}

async function bundle(options: BuildOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: application, resolveDir: root, sourcefile: 'application.js' },
    outdir: join(root, 'build/bundle'),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2023',
    write: false,
    metafile: true,
    logLevel: 'warning',
    ...options,
  });
  const imports = Object.values(metafile!.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return { files: outputFiles!, imports };
}

function expectSmall(name: string, files: readonly OutputFile[]): void {
  const sizes = files.map(({ path, contents }) => ({
    name: basename(path),
    raw: contents.length,
    gzip: gzipSync(contents, { level: 9 }).length,
    isKernels: path.endsWith('.wasm') || isWasmText(contents),
  }));
  const code = sizes.filter(({ isKernels }) => !isKernels).reduce((sum, file) => sum + file.gzip, 0);
  const parts = sizes.map((file) => `${file.name} ${file.raw} → ${file.gzip}`).join(', ');
  console.log(`${name}: JavaScript ${code} bytes gzip of at most ${limits.javascript.bytes} (${parts})`);
  expect(code).toBeLessThanOrEqual(limits.javascript.bytes);
  for (const { name: file, gzip, isKernels } of sizes)
    if (isKernels) expect(gzip, file).toBeLessThanOrEqual(limits.kernels.bytes);
}

beforeAll(() => buildPackage());

describe('bundle of the inference entry', () => {
  test('browser, kernels in chunks that are loaded on demand', async () => {
    const { files } = await bundle({ platform: 'browser', splitting: true });
    // One kernel build is fetched, not both: each lies in a chunk of its own.
    const kernels = files.filter(({ contents }) => isWasmText(contents));
    expect(kernels.length).toBe(2);
    expect(kernels.some(({ path }) => basename(path) === 'stdin.js')).toBe(false);
    expectSmall('browser', files);
  });

  test('workerd, kernels as modules', async () => {
    const { files } = await bundle({ conditions: ['workerd'], loader: { '.wasm': 'copy' }, assetNames: '[name]' });
    expect(files.map(({ path }) => basename(path)).sort()).toEqual([
      'kernels.relaxed.wasm',
      'kernels.simd.wasm',
      'stdin.js',
    ]);
    // The bytes in base64 would be dead weight beside the modules.
    expect(files.some(({ contents }) => isWasmText(contents))).toBe(false);
    expectSmall('workerd', files);
  });

  test('the same without neighbours', async () => {
    const { files, imports } = await bundle({ platform: 'browser' });
    expect(files.length).toBe(1);
    expect(imports).toEqual([]);
    // Workers come from a Blob: no file is looked for.
    const forbidden = ['import.meta', 'new URL', 'eval(', 'new Function', 'createRequire'];
    expect(forbidden.filter((text) => files[0].text.includes(text))).toEqual([]);
  });
});

describe('the bundle runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'convlet-bundle-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // From a data: URL, which has no siblings: whatever the bundle does not carry is not there.
  const program = `
    import { readFileSync } from 'node:fs';
    const { code, model, input, shape, options } = JSON.parse(readFileSync(0, 'utf8'));
    const { default: load } = await import('data:text/javascript;base64,' + code);
    const network = await load(Uint8Array.from(Buffer.from(model, 'base64')), options);
    const { output } = await network.run({ input: { data: Float32Array.from(input), shape } });
    console.log(JSON.stringify({ variant: network.variant, data: [...output.data] }));`;

  for (const backend of ['wasm', 'js'] as const) {
    test(`resnet_tiny on ${backend}`, async () => {
      const { files } = await bundle({ platform: 'browser' });
      const tensors = readSafetensors(readFileSync(join(models, 'resnet_tiny.io.safetensors')));
      const { data, shape } = tensors.get('input')!;
      const input = JSON.stringify({
        code: Buffer.from(files[0].contents).toString('base64'),
        model: readFileSync(join(models, 'resnet_tiny.onnx')).toString('base64'),
        input: [...(data as Float32Array)],
        shape,
        options: { backend },
      });
      const { code, stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program], {
        cwd: folder,
        input,
      });
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const result = JSON.parse(stdout) as { variant: string; data: number[] };
      expect(result.variant).toMatch(backend === 'js' ? /^plain$/ : /^(simd|relaxed)$/);
      assertClose('output', result.data, tensors.get('output')!.data as Float32Array, 1e-3, 1e-4);
    });
  }
});

/** Whether a file holds a kernel module as text. */
function isWasmText(contents: Uint8Array): boolean {
  return [simd, relaxed].some((text) => Buffer.from(contents).includes(text));
}
