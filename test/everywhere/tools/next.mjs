// node next.mjs FOLDER - OPTIONS: `next build` in the folder.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const [, , folder, , options] = process.argv;
const next = join(folder, 'node_modules/next/dist/bin/next');
const { status, stdout, stderr } = spawnSync(process.execPath, [next, 'build', ...JSON.parse(options).flags], {
  cwd: folder,
  encoding: 'utf8',
  // Less than the test waits for this script, so that nothing is left running.
  timeout: 300_000,
});
// That the edge runtime is deprecated, and what it costs, is known.
const rest = stderr.split('\n').filter((line) => line !== '' && !/edge runtime|Serializing big strings/i.test(line));
console.log(stdout);
if (rest.length > 0) console.error(rest.join('\n'));
process.exitCode = status ?? 1;
