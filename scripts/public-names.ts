// npm run docs: test/fixtures/public-names.txt, the list of everything that the package makes public, which is reviewed like code: a
// name on it is a promise. A test compares it with the declarations.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Api } from './api.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
export const namesFile: string = join(root, 'test/fixtures/public-names.txt');

/** The list by build/api.json: every name with its kind, members where they are declared. */
export function publicNames(): string {
  const api = JSON.parse(readFileSync(join(root, 'build/api.json'), 'utf8')) as Api;
  const lines = Object.entries<Api[keyof Api]>({ ...api }).flatMap(([entry, names]) => [
    `# ${entry}`,
    ...names
      .filter(({ from }) => from === undefined)
      .map(({ path, kind }) => `${path} ${kind}`)
      .sort(),
    '',
  ]);
  return lines.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(namesFile, publicNames());
