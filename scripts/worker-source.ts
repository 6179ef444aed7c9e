// npm run kernels: src/backend/wasm/core/team-worker.ts and what it imports → src/abi/generated/team-worker.ts, the text that
// worker threads run. So both halves of the thread protocol are the same code, and the package has no file for workers.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'src/abi/generated/team-worker.ts');

/** Writes the text, if it has changed. */
export async function writeWorkerSource(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src/backend/wasm/core/team-worker.ts')],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'es2023',
    // Nobody reads the text where it runs: short names too.
    minify: true,
    logLevel: 'warning',
  });
  const script = `(() => {${outputFiles[0].text.trim()}})();`;
  const text = `// Written by scripts/worker-source.ts.\nexport const workerSource = ${JSON.stringify(script)};\n`;
  if (existsSync(target) && readFileSync(target, 'utf8') === text) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeWorkerSource();
