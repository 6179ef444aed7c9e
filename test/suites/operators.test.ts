// The cases of other projects' tests beside the project: plain JavaScript in every mode, each kernel build in one mode a case, and a
// part of the cases with what costs more or changes less.
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
  /** One case of so many is run. */
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
        // A known difference that is none any more is wrong as well: its entry has to go.
        const known = knownDifferences.has(caseLabel(cases[i]));
        if ((failure !== null) !== known) failures.push(`${caseLabel(cases[i])}: ${failure}`);
      }
      expect(failures).toEqual([]);
    });
  });
});
