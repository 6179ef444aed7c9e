// npm run kernels: bundles the modules of worker threads into strings that worker threads run. So neither the package nor an
// application's bundle needs a file for workers, and both sides of the thread protocol are the same code.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Module of a thread → the file that gets its text. */
const workers = {
  'src/backend/wasm/core/team-worker-node.ts': 'src/abi/generated/node-worker.ts',
  'src/backend/wasm/core/team-worker-web.ts': 'src/abi/generated/web-worker.ts',
  'src/data/node-image-worker.ts': 'src/data/generated/image-worker.ts',
} as const;

/** Writes the texts that have changed. */
export async function writeWorkerSources(): Promise<void> {
  for (const [source, target] of Object.entries(workers)) await writeWorkerSource(source, join(root, target));
}

async function writeWorkerSource(source: string, target: string): Promise<void> {
  const script = await workerText(source);
  // The script contains a hash of itself, so that a page can detect a worker.js of another version.
  const version = createHash('sha256').update(script).digest('hex').slice(0, 12);
  const text = `// Written by scripts/worker-source.ts.
export const workerSource: string = ${JSON.stringify(script.replaceAll('WORKER_VERSION', JSON.stringify(version)))};
export const workerVersion: string = '${version}';
`;
  if (existsSync(target) && readFileSync(target, 'utf8') === text) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}

async function workerText(source: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, source)],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'es2023',
    // The text is not for readers, so names are shortened too.
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return `(() => {${outputFiles[0].text.trim()}})();`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeWorkerSources();
