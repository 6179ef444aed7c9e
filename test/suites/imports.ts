// The import graph of a folder, by scanning import statements.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Layer } from '../../scripts/layers.ts';

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
// Excludes methods of that name: their calls follow a dot, and their declarations have a typed parameter.
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

/** The files that a file imports statically, values and types; dynamic imports do not count. */
function targetsOf(modules: ReadonlyMap<string, SourceModule>, path: string): string[] {
  return modules.get(path)!.imports.flatMap(({ kind, target }) => {
    return kind !== 'dynamic' && target !== undefined && modules.has(target) ? [target] : [];
  });
}

/**
 * Cycles of static imports, of values and types alike: one representative per strongly connected component (Tarjan 1972).
 */
export function findCycles(modules: ReadonlyMap<string, SourceModule>): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (path: string): void => {
    order.set(path, order.size);
    low.set(path, order.get(path)!);
    stack.push(path);
    const targets = targetsOf(modules, path);
    for (const target of targets) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) low.set(path, Math.min(low.get(path)!, low.get(target)!));
    }
    if (low.get(path) !== order.get(path)) return;
    const component = stack.splice(stack.indexOf(path));
    if (component.length > 1 || targets.includes(path)) cycles.push(component);
  };
  for (const path of modules.keys()) if (!order.has(path)) visit(path);
  return cycles;
}

type Layers = { readonly [name: string]: Layer };

/** Name of the layer of a file: the layer whose path names it most exactly. */
export function layerOf(layers: Layers, file: string): string | undefined {
  let found: string | undefined;
  let best = -1;
  for (const [name, { paths }] of Object.entries(layers)) {
    for (const path of paths) {
      const exactness = exactnessOf(path, file);
      if (exactness > best) [found, best] = [name, exactness];
    }
  }
  return found;
}

/** How exactly a path of a layer names a file: a literal folder counts 2, a * counts 1; −1 if it does not name it. */
function exactnessOf(path: string, file: string): number {
  if (!path.endsWith('/')) return path === file ? Number.MAX_SAFE_INTEGER : -1;
  const folders = path.split('/').slice(0, -1);
  const parts = file.split('/');
  if (parts.length <= folders.length) return -1;
  if (!folders.every((folder, i) => folder === '*' || folder === parts[i])) return -1;
  return folders.reduce((sum, folder) => sum + (folder === '*' ? 1 : 2), 0);
}

/** Imports that the table of layers does not allow, and rows of the table that are not true. */
export function* layerProblems(layers: Layers, modules: ReadonlyMap<string, SourceModule>): Generator<string> {
  const names = Object.keys(layers);
  const used = new Map(names.map((name) => [name, new Set<string>()]));
  const filled = new Set<string>();
  for (const { path, imports } of modules.values()) {
    const from = layerOf(layers, path);
    if (from === undefined) {
      yield `${path}: no row of scripts/layers.ts has a place for it`;
      continue;
    }
    for (const named of layers[from].paths) if (exactnessOf(named, path) >= 0) filled.add(`${from} ${named}`);
    const allowed = layers[from].imports;
    for (const { target, specifier, line } of imports) {
      if (target === undefined) continue;
      if (!modules.has(target)) {
        yield `${path}:${line}: imports '${specifier}', which does not exist in src/`;
        continue;
      }
      const to = layerOf(layers, target)!;
      used.get(from)!.add(to);
      if (to !== from && !allowed.includes(to)) {
        yield `${path}:${line}: layer ${from} may import ${allowed.join(', ') || 'nothing'}, not '${specifier}' (${to})`;
      }
    }
  }
  for (const [i, name] of names.entries()) {
    for (const path of layers[name].paths) {
      if (path.startsWith('src/') && !filled.has(`${name} ${path}`))
        yield `scripts/layers.ts: layer ${name} names ${path}, where no file is`;
    }
    for (const arrow of layers[name].imports) {
      const at = names.indexOf(arrow);
      if (at < 0 || at >= i) yield `scripts/layers.ts: layer ${name} may import only rows above it, not ${arrow}`;
      else if (!used.get(name)!.has(arrow)) yield `scripts/layers.ts: no file of layer ${name} imports ${arrow}`;
    }
  }
}
