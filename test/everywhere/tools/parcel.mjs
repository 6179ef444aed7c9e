// node parcel.mjs ENTRY OUTDIR OPTIONS: `parcel build` of the page beside the entry; for Node, of the entry itself. Without a cache.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

const [, , entry, outDir] = process.argv;
const source = basename(entry) === 'node.mjs' ? entry : join(dirname(entry), 'index.html');
const cli = createRequire(import.meta.url).resolve('parcel/lib/bin.js');
const flags = ['--no-cache', '--no-source-maps', '--no-autoinstall', '--log-level', 'warn'];
execFileSync(process.execPath, [cli, 'build', source, '--dist-dir', outDir, ...flags], { stdio: 'inherit' });
