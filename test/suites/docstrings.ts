// Every public name has a docstring: read from build/api.json, which the build writes from the rolled-up declarations.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Api, ApiName } from '../../scripts/api.ts';

/** `name` of classes is there for minifiers; of a namespace the page about it says what it is. */
const isExcused = ({ path, kind, from }: ApiName): boolean =>
  from !== undefined || kind === 'namespace' || /[.#]name$/.test(path) || /^(?:nn\.)?(?:Parameter|Buffer)#/.test(path);

/** Public names without a docstring. */
export function* docstringProblems(root: string): Generator<string> {
  const api = JSON.parse(readFileSync(join(root, 'build/api.json'), 'utf8')) as Api;
  for (const [entry, names] of Object.entries(api) as [string, readonly ApiName[]][]) {
    const documented = new Set(names.filter(({ doc }) => doc !== '').map(({ path }) => path));
    if (documented.size === 0) yield `build/api.json has no docstrings of ${entry}`;
    for (const name of names) {
      // A function of F that is a method too has its docstring there.
      const method = name.path.replace(/^F\./, 'Variable#');
      if (name.doc === '' && !isExcused(name) && !documented.has(method))
        yield `${entry}: ${name.path} (${name.kind}) has no docstring`;
    }
  }
}
