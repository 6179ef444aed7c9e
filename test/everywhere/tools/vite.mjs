// node vite.mjs ENTRY OUTDIR OPTIONS: `vite build` of the page beside the entry; for Node, of the entry itself.
import { basename, dirname } from 'node:path';
import { build } from 'vite';

const [, , entry, outDir, options] = process.argv;
const ssr = basename(entry) === 'node.mjs' ? { ssr: entry } : { chunkSizeWarningLimit: 1000 };
await build({
  root: dirname(entry),
  configFile: false,
  logLevel: 'warn',
  ...JSON.parse(options),
  build: { outDir, ...ssr },
});
