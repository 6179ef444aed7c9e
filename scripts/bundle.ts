// npm run build, after tsc has written the declarations: src/ → the few files that the package's entries load. Hundreds of
// small modules take 100 ms and more to import, and V8's time to read a file is proportional to its length (Node 24, importing
// the core: as written 74 ms, without whitespace 62, with short names as well 57). The source maps serve to read stack traces.
// Half of the remaining time V8 scans the functions. An application that enables Node's compile cache
// (module.enableCompileCache, NODE_COMPILE_CACHE) saves a third of the new pages of the import (1460 → 970).
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { workerSource } from '../src/abi/generated/web-worker.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object };

/** Files of src/ that package.json, or a Worker, names. Code that several of them need is put into build/chunks/. */
const entries = [
  'index',
  'train',
  'runtime/node',
  'runtime/node-train',
  'runtime/workerd',
  'runtime/workerd-train',
  'runtime/edge-light',
  'runtime/edge-light-train',
  'runtime/static',
  'io/images/index',
  'io/images/node',
  'cli/main',
];

/**
 * For bench/peers, which must not load more than this for engines that have no ONNX reader. They share no chunks with the
 * package's entries and are not in the package (its `files`): more entries make more chunks, and each file that an entry loads costs
 * 1 to 2 ms.
 */
const readers = ['io/onnx/model', 'io/onnx/tensor', 'io/onnx/protobuf-writer'];

/** Writes the JavaScript of the package into `folder`, and returns the paths in it. */
export async function bundlePackage(folder: string): Promise<string[]> {
  writeLicences(folder);
  writeFileSync(join(folder, 'wasm.d.ts'), wasmDeclaration);
  return [
    writeWorker(folder),
    ...(await bundle(folder, entries, 'chunk')),
    ...(await bundle(folder, readers, 'reader')),
  ];
}

/**
 * jpeg-js allocates a Buffer if the runtime has one. Bundlers that see that name add a package for it, or search for one, and
 * edge runtimes have no Buffer; a Uint8Array serves as well.
 */
const withoutBuffer: Plugin = {
  name: 'jpeg-js without Buffer',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]jpeg-js[\\/]lib[\\/]\w+\.js$/ }, ({ path }) => ({
      contents: `var Buffer = Uint8Array;${readFileSync(path, 'utf8')}`,
    }));
  },
};

/** Comments before a module name that is computed at run time: they tell each bundler not to search for the module. */
const ignore = '/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ ';

async function bundle(folder: string, names: readonly string[], chunk: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => `src/${name}.ts`),
    outbase: 'src',
    outdir: folder,
    chunkNames: `chunks/${chunk === 'chunk' ? '[name]' : chunk}-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2023',
    // jpeg-js is not external: it is a CommonJS module, which not every bundler can import. The package contains it, with its licence.
    external: ['node:*', '*.wasm', '*.wasm?module', ...Object.keys(dependencies)],
    // package.json's sideEffects are about the built files, not about src/.
    ignoreAnnotations: true,
    // Classes whose names appear in errors, summaries and checkpoints define them as a static `name`, which minifying keeps.
    minify: true,
    // Node prints the whole line of an uncaught error: with a file of one line, 300 KB of code would precede the message.
    lineLimit: 160,
    // Source maps are not in the package (its `files`); they serve to read stack traces of users.
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    plugins: [withoutBuffer],
  });
  chmodSync(join(folder, 'cli/main.js'), 0o755);
  const paths = Object.keys(metafile.outputs).map((path) => join(root, path));
  for (const path of paths) {
    if (!path.endsWith('.js')) continue;
    const text = readFileSync(path, 'utf8');
    // The minifier removes these comments from the sources.
    const marked = text.replace(/\bimport\((?=[A-Za-z_$])/g, `import(${ignore}`);
    if (marked !== text) writeFileSync(path, marked);
  }
  return paths.map((path) => path.slice(join(folder, '/').length));
}

/** Removes the JavaScript of earlier builds, which would otherwise be packed. */
function removeOthers(folder: string, written: readonly string[]): void {
  const kept = new Set(written);
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, entry);
    if (/\.js(\.map)?$/.test(entry) && !kept.has(entry) && statSync(file).isFile()) rmSync(file);
  }
}

/**
 * The type of `import kernels from 'convlet/kernels/simd.wasm'`. It is not WebAssembly.Module, since that type is unknown without the
 * types of a browser or of Node.
 */
const wasmDeclaration = `/** A WebAssembly.Module, for the option \`kernels\` of \`load\` and \`init\`. */
declare const kernels: object;
export default kernels;
`;

/** A script for Web Workers, for pages that may not start one from a Blob: their option workerUrl names this file. */
function writeWorker(folder: string): string {
  writeFileSync(join(folder, 'worker.js'), `${workerSource}\n`);
  writeFileSync(join(folder, 'worker.d.ts'), 'export {};\n');
  return 'worker.js';
}

/** Licences of the packages whose code is in the chunks. */
function writeLicences(folder: string): void {
  const licence = readFileSync(join(root, 'node_modules/jpeg-js/LICENSE'), 'utf8').trim();
  // The decoder of jpeg-js has a separate licence, in a comment at its top.
  const [, decoder] = readFileSync(join(root, 'node_modules/jpeg-js/lib/decoder.js'), 'utf8').match(
    /\/\*\s*(Copyright[\s\S]*?)\*\//,
  )!;
  const text = `convlet/images contains jpeg-js.\n\n${licence}\n\nIts decoder:\n\n${decoder.trim()}\n`;
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(root, 'build');
  removeOthers(folder, await bundlePackage(folder));
}
