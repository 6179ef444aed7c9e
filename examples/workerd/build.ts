// npx tsx examples/workerd/build.ts: bundles worker.ts into build/ beside it, and writes the configuration for workerd.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));

/** How workerd embeds a file, by its extension; the first entry of `modules` must be the Worker itself. */
const embeddings: Record<string, string> = { js: 'esModule', wasm: 'wasm', onnx: 'data' };

/** Bundles a Worker into `folder`; the kernels and the network stay files of their own. Returns the configuration's path. */
export async function buildWorker(folder: string, entry: string = join(here, 'worker.ts')): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: { worker: entry },
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2023',
    conditions: ['workerd'],
    loader: { '.wasm': 'copy', '.onnx': 'copy' },
    assetNames: '[name]',
    metafile: true,
    logLevel: 'warning',
  });
  const names = Object.keys(metafile.outputs).map((path) => basename(path));
  const modules = ['worker.js', ...names.filter((name) => name !== 'worker.js').sort()];
  const config = join(folder, 'config.capnp');
  writeFileSync(config, configuration(modules));
  return config;
}

/** What workerd reads: the Worker and the modules beside it. */
export function configuration(modules: readonly string[]): string {
  const rows = modules.map((name) => {
    const kind = embeddings[name.slice(name.lastIndexOf('.') + 1)];
    if (kind === undefined) throw new Error(`no kind of module for ${name}`);
    return `    (name = "${name}", ${kind} = embed "${name}"),`;
  });
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")],
);

const main :Workerd.Worker = (
  modules = [
${rows.join('\n')}
  ],
  compatibilityDate = "2025-06-01",
);
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`workerd serve ${await buildWorker(join(here, 'build'))}`);
}
