// Times from process start to the first result, for all engines alternately, and for a process that does nothing.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from './engines/index.mjs';
import { median } from './rounds.mjs';

const child = fileURLToPath(new URL('startup-child.mjs', import.meta.url));

/** By engine ('bare' among them): { imported, first, peakMB } as medians, or { failure }. */
export function measureStartup(names, model, { threads, node, major, rounds }, log) {
  const given = JSON.stringify({ ...model, expected: { output: model.expected.output }, threads });
  const samples = new Map(['bare', ...names].map((name) => [name, []]));
  const failures = new Map();
  for (let round = 0; round <= rounds; round++) {
    for (const [name, list] of samples) {
      const flags = name === 'bare' ? [] : nodeFlags(name, major);
      const { stdout, stderr } = spawnSync(node, [...flags, child, name, given], { encoding: 'utf8' });
      const line = stdout.split('\n').find((text) => text.startsWith('{'));
      if (line === undefined) {
        failures.set(name, stderr.trim().split('\n').at(-1) ?? 'no answer');
        samples.delete(name);
        log(`  ${name}: ${failures.get(name)}`);
      } else if (round > 0) {
        list.push(JSON.parse(line)); // round 0 fills the caches of files
      }
    }
  }
  const results = Object.fromEntries([...failures].map(([name, failure]) => [name, { failure }]));
  for (const [name, list] of samples) {
    const of = (key) => median(list.map((sample) => sample[key]));
    results[name] = { imported: of('imported'), first: of('first'), peakMB: of('peakMB') };
  }
  return results;
}
