// node wrangler.mjs ENTRY OUTDIR OPTIONS: `wrangler deploy --dry-run`, with nothing but a name and a date in its configuration.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const [, , main, outdir, options] = process.argv;
const config = join(dirname(main), 'wrangler.json');
writeFileSync(
  config,
  JSON.stringify({ name: 'application', main, compatibility_date: '2025-06-01', ...JSON.parse(options) }),
);
const cli = join(dirname(createRequire(import.meta.url).resolve('wrangler/package.json')), 'bin/wrangler.js');
execFileSync(process.execPath, [cli, 'deploy', '--dry-run', '--outdir', outdir, '--config', config], {
  stdio: 'inherit',
});
