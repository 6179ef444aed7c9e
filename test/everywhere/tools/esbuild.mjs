// node esbuild.mjs ENTRY OUTDIR OPTIONS: as the command line of esbuild does it.
import { build } from 'esbuild';

const [, , entry, outdir, options] = process.argv;
await build({
  entryPoints: { main: entry },
  outdir,
  bundle: true,
  minify: true,
  logLevel: 'warning',
  ...JSON.parse(options),
});
