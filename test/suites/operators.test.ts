// The cases of other projects' tests, in ../shared: plain JavaScript in every mode, each kernel build in one mode per case, and a
// part of the cases with settings that take longer or differ less.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LoadOptions } from '../../src/runtime/load.ts';
import { engines } from '../networks/engines.ts';
import { describeShared } from '../shared.ts';
import { caseFailure, caseLabel, knownDifferences, modesOf, readCases } from './operator-cases.ts';

interface Round {
  readonly name: string;
  readonly options: LoadOptions;
  /** One case out of so many is run. */
  readonly every: number;
}

const rounds: readonly Round[] = [
  ...engines.map((engine) => ({ ...engine, every: 1 })),
  { name: 'channels last', options: { layout: 'channels-last' }, every: 5 },
  { name: 'exact', options: { precision: 'exact' }, every: 5 },
  { name: 'two threads', options: { threads: 2 }, every: 60 },
];

describeShared('operator cases', (shared) => {
  const folder = join(shared, 'suites');
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

  test('are all there, and the known differences among them', () => {
    const labels = files.flatMap((file) => readCases(join(folder, file)).map(caseLabel));
    expect(labels.length).toBe(7043);
    for (const label of knownDifferences.keys()) expect(labels).toContain(label);
  });

  describe.each(files)('%s', (file) => {
    test.each(rounds)('$name', { timeout: 300_000 }, async ({ options, every }) => {
      const failures: string[] = [];
      const cases = readCases(join(folder, file));
      for (let i = 0; i < cases.length; i += every) {
        const all = modesOf(cases[i]);
        const modes = options.backend === 'js' ? all : [all[i % all.length]];
        const failure = await caseFailure(cases[i], options, modes);
        // A known difference that no longer exists is a failure too: its entry has to be removed.
        const known = knownDifferences.has(caseLabel(cases[i]));
        if ((failure !== null) !== known) failures.push(`${caseLabel(cases[i])}: ${failure}`);
      }
      expect(failures).toEqual([]);
    });
  });
});
