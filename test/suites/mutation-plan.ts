// The sources of a mutation run, their order, and the tests that are likely to notice a fault in each.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Generator } from '../../src/common/random.ts';
import { readModules, type SourceModule } from './imports.ts';

/** Sources below a path, or the file itself, without generated ones. */
export function listSources(root: string, path: string): string[] {
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((name) => name.endsWith('.ts') && !/\/generated\/|-cases\.ts$|\/cases\.ts$/.test(name))
    .sort();
}

export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const generator = new Generator(seed);
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = generator.below(i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

let modules: ReadonlyMap<string, SourceModule> | null = null;

/**
 * The test files that reach a source by imports, the nearest ones first; those in the folder of its name (test/graph for
 * src/graph) are before others. No import reaches kernels: their tests are those of their family.
 */
export function testsOf(root: string, path: string, most: number): string[] {
  const [top, folder, family] = path.split('/');
  if (top === 'assembly') {
    const folders = [`test/kernels/${folder}`, `test/ops/${folder}`].filter((name) => existsSync(join(root, name)));
    return folders.length > 0 ? folders : ['test/kernels'];
  }
  modules ??= new Map([...readModules(root, 'src'), ...readModules(root, 'test')]);
  const users = new Map<string, string[]>();
  for (const module of modules.values()) {
    for (const { target, kind } of module.imports) {
      if (target === undefined || kind === 'type') continue;
      users.set(target, [...(users.get(target) ?? []), module.path]);
    }
  }
  const distance = new Map([[path, 0]]);
  for (const [at, steps] of distance) {
    for (const user of users.get(at) ?? []) if (!distance.has(user)) distance.set(user, steps + 1);
  }
  const near = (test: string): number => {
    const same = test.startsWith(`test/${folder}/`) || test.startsWith(`test/${folder}/${family}/`);
    return distance.get(test)! - (same ? 3 : 0);
  };
  return [...distance.keys()]
    .filter((name) => name.endsWith('.test.ts'))
    .sort((a, b) => near(a) - near(b) || a.localeCompare(b))
    .slice(0, most);
}
