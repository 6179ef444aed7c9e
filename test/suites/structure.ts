// npm run check: rules about files that neither the type checker nor the linter checks. Prints every violation and exits
// with status 1 if there is one. It scans import statements instead of parsing: the formatter gives them one form.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Family, type FamilyLayer, families, familyLayers, familyNames } from '../../scripts/families.ts';
import { layers } from '../../scripts/layers.ts';
import { docstringProblems } from './docstrings.ts';
import { findCycles, layerProblems, readModules, type SourceModule } from './imports.ts';
import { parameterProblems } from './parameters.ts';
import { wordProblems } from './words.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Entries that load no node: module and no package, except by a dynamic import in src/{runtime,data}/node*.ts. */
const pureEntries = ['src/index.ts', 'src/train.ts', 'src/runtime/workerd.ts', 'src/runtime/edge-light.ts'];
const nodeAdapter = /^src\/(?:runtime|data)\/node[^/]*\.ts$/;

/** Folders beside the families, which serve all of them. */
const servants: { readonly [layer in FamilyLayer]?: readonly string[] } = {
  'src/ops': ['core'],
  'src/backend/wasm': ['core'],
  assembly: ['common', 'micro', 'pack', 'tools'],
  bench: ['browser', 'peers', 'results', 'training'],
};

const maximumLines = 400;

const modules = readModules(root, 'src');
const problems = [
  ...layerProblems(layers, modules),
  ...cycleProblems(),
  ...purityProblems(),
  ...partProblems(),
  ...textProblems(),
  ...parameterProblems(root),
  ...docstringProblems(root),
];
for (const problem of problems) console.error(problem);
console.log(`structure: ${modules.size} modules, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;

function* cycleProblems(): Generator<string> {
  for (const cycle of findCycles(modules)) yield `import cycle: ${[...cycle, cycle[0]].join(' → ')}`;
}

/** Follows the static imports of each pure entry. */
function* purityProblems(): Generator<string> {
  const reported = new Set<string>();
  if (![...modules.keys()].some((path) => nodeAdapter.test(path))) yield `no file of src/ is like ${nodeAdapter}`;
  for (const entry of pureEntries) {
    const seen = new Set<string>();
    const queue: { module: SourceModule; via: string }[] = [];
    const visit = (path: string, via: string): void => {
      const module = modules.get(path);
      if (module === undefined || seen.has(path)) return;
      seen.add(path);
      queue.push({ module, via: via === '' ? path : `${via} → ${path}` });
    };
    if (!modules.has(entry)) yield `${entry}: this check guards it, and it is missing`;
    visit(entry, '');
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { module, via } = next;
      for (const { kind, target, specifier, line } of module.imports) {
        if (kind === 'type' || (kind === 'dynamic' && nodeAdapter.test(module.path))) continue;
        if (target !== undefined) {
          visit(target, via);
        } else if (!specifier.endsWith('.wasm') && !specifier.endsWith('.wasm?module')) {
          const problem = `${module.path}:${line}: imports '${specifier}'`;
          if (!reported.has(problem)) yield `${problem}, which an edge runtime need not have (${via})`;
          reported.add(problem);
        }
      }
    }
  }
}

/** One family, one folder (or one file), one name on every layer. */
function* partProblems(): Generator<string> {
  for (const [layer, names] of Object.entries(servants)) {
    for (const name of names) {
      if (!existsSync(join(root, layer, name))) yield `${layer}/${name}: this check knows it, and it is missing`;
    }
  }
  for (const layer of Object.keys(familyLayers) as FamilyLayer[]) {
    for (const family of familyNames) {
      const why = (families[family] as Family).without?.[layer];
      const there = listFiles(`${layer}/${family}`).length > 0 || existsSync(join(root, layer, `${family}.ts`));
      if (there && why !== undefined)
        yield `${layer}/${family} is there, scripts/families.ts says why it is not: ${why}`;
      if (!there && why === undefined) yield `${layer}/${family} is missing, and scripts/families.ts does not say why`;
    }
    const others = readdirSync(join(root, layer), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of others) {
      if (name in families || servants[layer]?.includes(name) || listFiles(`${layer}/${name}`).length === 0) continue;
      yield `${layer}/${name} is neither a family (scripts/families.ts) nor one of the folders that serve them`;
    }
  }
  for (const { path, text } of modules.values()) {
    const inFamily = /^src\/ops\/(?<family>\w+)\/(?<name>[\w-]+)\.ts$/.exec(path)?.groups;
    if (inFamily === undefined || inFamily.family === 'core' || !/\bdefineOp\s*[<(]/.test(text)) continue;
    const test = `test/ops/${inFamily.family}/${inFamily.name}.test.ts`;
    if (!existsSync(join(root, test))) yield `${path} defines ops, and ${test} is missing`;
  }
}

function* textProblems(): Generator<string> {
  const rules: { folders: string[]; pattern: RegExp; message: string }[] = [
    {
      folders: ['src'],
      pattern: /\bimport\('[^']*'\)\.[A-Z]/,
      message: 'an inline import of a type; use `import type`',
    },
    { folders: ['src', 'assembly'], pattern: /\b(?:TO(?:)DO|FIX(?:)ME)\b/, message: 'unfinished work is marked' },
    {
      folders: ['test'],
      pattern: /\b(?:it|test|describe|bench)(?:\.\w+)*\.only\b/,
      message: '.only hides the other tests',
    },
  ];
  for (const folder of ['src', 'assembly', 'scripts', 'test', 'bench', 'examples']) {
    const paths = listFiles(folder);
    if (paths.length === 0) yield `${folder}/: this check guards it, and it is missing`;
    for (const path of paths) {
      const text = readFileSync(join(root, path), 'utf8');
      const lines = text.trimEnd().split('\n');
      if (lines.length > maximumLines) yield `${path}: ${lines.length} lines, more than ${maximumLines}`;
      for (const { folders, pattern, message } of rules) {
        if (!folders.includes(folder)) continue;
        for (const [i, line] of lines.entries()) if (pattern.test(line)) yield `${path}:${i + 1}: ${message}`;
      }
      for (const { line, message } of wordProblems(text)) yield `${path}:${line}: ${message}`;
    }
  }
}

function listFiles(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll('\\', '/'))
    .filter((path) => !/\/(?:generated|node_modules)\//.test(path));
}
