// The import graph of a folder, by scanning import statements.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

export interface Import {
  specifier: string;
  /** Path from the project root, for a relative import of a .ts file. */
  target?: string;
  /** 'type' imports are erased; 'dynamic' ones load later. */
  kind: 'value' | 'type' | 'dynamic';
  line: number;
}

export interface SourceModule {
  path: string;
  text: string;
  imports: Import[];
}

const names = String.raw`(?:[\w$]+\s*,?\s*)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})?`;
const staticImport = new RegExp(
  String.raw`^(?:import|export)\s+(?<type>type\s+(?!from\b))?(?:${names}\s*from\s*)?'(?<specifier>[^']+)'`,
  'gm',
);
// Not methods of that name: their calls follow a dot, their declarations have a typed parameter.
const dynamicImport =
  /(?<typeQuery>typeof\s+)?(?<![.\w$])import\(\s*(?:'(?<specifier>[^']*)'|(?<computed>[^):]+))\s*\)(?<member>\.[A-Z])?/g;

/** All .ts modules below `folder`, by path from `root`. */
export function readModules(root: string, folder: string): Map<string, SourceModule> {
  const modules = new Map<string, SourceModule>();
  const entries = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  for (const entry of entries.map((name) => name.replaceAll('\\', '/')).sort()) {
    if (!entry.endsWith('.ts')) continue;
    const path = `${folder}/${entry}`;
    const text = readFileSync(join(root, path), 'utf8');
    modules.set(path, { path, text, imports: scanImports(path, text) });
  }
  return modules;
}

export function scanImports(path: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, kind: Import['kind'], index: number): void => {
    const line = text.slice(0, index).split('\n').length;
    const relative = specifier.startsWith('.') && specifier.endsWith('.ts');
    const target = relative ? posix.join(posix.dirname(path), specifier) : undefined;
    found.push({ specifier, target, kind, line });
  };
  for (const { groups, index } of text.matchAll(staticImport)) {
    add(groups!.specifier, groups!.type ? 'type' : 'value', index);
  }
  for (const { groups, index } of text.matchAll(dynamicImport)) {
    if (/^\s*(?:\*|\/\/)/.test(text.slice(text.lastIndexOf('\n', index) + 1, index))) continue;
    const { specifier, computed, typeQuery, member } = groups!;
    add(specifier ?? computed, typeQuery || member ? 'type' : 'dynamic', index);
  }
  return found;
}

/** Cycles of static value imports: one representative per strongly connected component (Tarjan 1972). */
export function findCycles(modules: ReadonlyMap<string, SourceModule>): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const targets = (path: string): string[] =>
    modules.get(path)!.imports.flatMap(({ kind, target }) => {
      return kind === 'value' && target !== undefined && modules.has(target) ? [target] : [];
    });
  const visit = (path: string): void => {
    order.set(path, order.size);
    low.set(path, order.get(path)!);
    stack.push(path);
    for (const target of targets(path)) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) low.set(path, Math.min(low.get(path)!, low.get(target)!));
    }
    if (low.get(path) !== order.get(path)) return;
    const component = stack.splice(stack.indexOf(path));
    if (component.length > 1 || targets(path).includes(path)) cycles.push(component);
  };
  for (const path of modules.keys()) if (!order.has(path)) visit(path);
  return cycles;
}
