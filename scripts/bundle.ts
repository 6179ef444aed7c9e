// npm run build, after tsc has written the declarations: src/ → the few files that the package's entries load. Hundreds of
// small modules cost 100 ms and more to import, and what V8 has to read costs in proportion to its length (Node 24, importing
// the core: as written 74 ms, without whitespace 62, names shortened as well 57). The maps lead back from stack traces.
// Half of the rest is V8 looking through the functions once; an application that turns on Node's compile cache
// (module.enableCompileCache, NODE_COMPILE_CACHE) saves a third of the new pages of the import (1460 → 970). It is theirs to turn on.
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object };

/** Files of src/ that package.json, or a Worker, names. What several of them need goes into build/chunks/. */
const entries = [
  'index',
  'train',
  'runtime/node',
  'runtime/node-train',
  'runtime/workerd',
  'runtime/workerd-train',
  'runtime/edge-light',
  'runtime/edge-light-train',
  'io/images/index',
  'io/images/node',
  'cli/main',
];

/**
 * For bench/peers, which must not load more than this for engines that have no ONNX reader. They share nothing with the
 * package's entries and are not in the package (its `files`): the more entries, the more chunks, and each file that an entry loads costs 1 to 2 ms.
 */
const readers = ['io/onnx/model', 'io/onnx/tensor', 'io/onnx/protobuf-writer'];

/** Writes the JavaScript of the package into `folder`, and returns the paths in it. */
export async function bundlePackage(folder: string): Promise<string[]> {
  writeLicences(folder);
  return [...(await bundle(folder, entries, 'chunk')), ...(await bundle(folder, readers, 'reader'))];
}

/**
 * jpeg-js makes Node's Buffer where there is one. Bundlers that see the name put a package in its place, or look for one, and
 * edge runtimes have none; a Uint8Array is as good.
 */
const withoutBuffer: Plugin = {
  name: 'jpeg-js without Buffer',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]jpeg-js[\\/]lib[\\/]\w+\.js$/ }, ({ path }) => ({
      contents: `var Buffer = Uint8Array;${readFileSync(path, 'utf8')}`,
    }));
  },
};

/** In front of a module's name that is made up when the program runs: what bundlers are not to look for, in the words of each. */
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
    // Not jpeg-js, a CommonJS module: not every bundler can import it. It is in the package, with its licence.
    external: ['node:*', '*.wasm', '*.wasm?module', ...Object.keys(dependencies)],
    // package.json's sideEffects speak of the built files.
    ignoreAnnotations: true,
    // Names of classes, which errors, summaries and checkpoints show, are written out in the classes.
    minify: true,
    // Node prints the whole line of an uncaught error: a file of one line hides the message behind 300 KB.
    lineLimit: 160,
    // Beside the package (its `files` leave them out), to read stack traces of users by.
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
    // The minifier drops the comments that the sources have there.
    const marked = text.replace(/\bimport\((?=[A-Za-z_$])/g, `import(${ignore}`);
    if (marked !== text) writeFileSync(path, marked);
  }
  return paths.map((path) => path.slice(join(folder, '/').length));
}

/** Removes the JavaScript of earlier builds, which would go into the package. */
function removeOthers(folder: string, written: readonly string[]): void {
  const kept = new Set(written);
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, entry);
    if (/\.js(\.map)?$/.test(entry) && !kept.has(entry) && statSync(file).isFile()) rmSync(file);
  }
}

/** Licences of what is packed into the chunks. */
function writeLicences(folder: string): void {
  const licence = readFileSync(join(root, 'node_modules/jpeg-js/LICENSE'), 'utf8').trim();
  // Its decoder is older than it and has a licence of its own, in a comment at the top.
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
