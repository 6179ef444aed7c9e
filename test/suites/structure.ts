// npm run check: the rules about files that neither the type checker nor the linter knows. Prints every violation and exits
// with status 1 if there is one. It scans import statements instead of parsing: the formatter keeps them in one shape.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCycles, readModules, type SourceModule } from './imports.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Folder of src/ → the folders it may import beside itself. '*': all of them. Files of src/ itself are the folder ''. */
const arrows: Record<string, readonly string[] | '*'> = {
  common: [],
  abi: ['common'],
  memory: ['abi', 'common'],
  tensor: ['memory', 'common'],
  backend: ['abi', 'memory', 'tensor', 'common'],
  ops: ['backend', 'tensor', 'memory', 'common'],
  autograd: ['ops', 'backend', 'tensor', 'memory', 'common'],
  nn: ['autograd', 'optim', 'compile', 'graph', 'ops', 'backend', 'tensor', 'common'],
  optim: ['autograd', 'ops', 'backend', 'tensor', 'common'],
  graph: ['ops', 'backend', 'tensor', 'common'],
  compile: ['graph', 'ops', 'backend', 'tensor', 'memory', 'common'],
  io: ['graph', 'ops', 'backend', 'tensor', 'memory', 'common'],
  data: ['ops', 'tensor', 'io', 'common'],
  train: ['data', 'nn', 'optim', 'autograd', 'io', 'tensor', 'common'],
  runtime: '*',
  cli: '*',
  '': '*',
};

/** Entries that load no node: module and no package, except by a dynamic import in src/{runtime,data}/node*.ts. */
const pureEntries = [
  'src/index.ts',
  'src/train.ts',
  'src/runtime/workerd.ts',
  'src/runtime/edge-light.ts',
  'src/runtime/browser.ts',
];
const nodeAdapter = /^src\/(?:runtime|data)\/node[^/]*\.ts$/;

/**
 * Families of src/backend/js: 'hot' ones have a kernel, a wasm binding, a benchmark and a test of the family's name, 'plain'
 * ones have no hot loop or are measured as whole training steps; 'lowered' ones are hot, and run on the kernels of another family.
 */
const families: Record<string, 'hot' | 'lowered' | 'plain'> = {
  conv: 'hot',
  'conv-transpose': 'lowered',
  'conv-weight-grad': 'hot',
  pool: 'hot',
  norm: 'hot',
  interpolate: 'hot',
  unary: 'hot',
  binary: 'hot',
  softmax: 'hot',
  reduce: 'hot',
  matmul: 'hot',
  copy: 'hot',
  where: 'plain',
  fill: 'plain',
  take: 'plain',
  cast: 'plain',
  host: 'plain',
  loss: 'plain',
  'norm-grad': 'plain',
  optimizer: 'plain',
  'pool-grad': 'plain',
  'softmax-grad': 'plain',
  'unary-grad': 'plain',
};
const jsBackendFiles = ['backend', 'prims', 'training-prims'];

const maximumLines = 400;

const modules = readModules(root, 'src');
const problems = [...arrowProblems(), ...cycleProblems(), ...purityProblems(), ...partProblems(), ...textProblems()];
for (const problem of problems) console.error(problem);
console.log(`structure: ${modules.size} modules, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;

function folderOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1] : '';
}

function* arrowProblems(): Generator<string> {
  for (const { path, imports } of modules.values()) {
    const from = folderOf(path);
    const allowed = arrows[from];
    if (allowed === undefined) {
      yield `${path}: src/${from} has no row in the table of layers (test/suites/structure.ts)`;
      continue;
    }
    for (const { target, specifier, line } of imports) {
      if (target === undefined) continue;
      if (!target.startsWith('src/')) {
        yield `${path}:${line}: imports '${specifier}', which lies outside src/`;
        continue;
      }
      if (!modules.has(target)) {
        yield `${path}:${line}: imports '${specifier}', which does not exist`;
        continue;
      }
      const to = folderOf(target);
      if (to !== from && allowed !== '*' && !allowed.includes(to)) {
        yield `${path}:${line}: ${from} may import ${allowed.join(', ') || 'nothing'}, not '${specifier}'`;
      }
    }
  }
}

function* cycleProblems(): Generator<string> {
  for (const cycle of findCycles(modules)) yield `import cycle: ${[...cycle, cycle[0]].join(' → ')}`;
}

/** Follows what is loaded together with each pure entry. */
function* purityProblems(): Generator<string> {
  const reported = new Set<string>();
  for (const entry of pureEntries) {
    const seen = new Set<string>();
    const queue: { module: SourceModule; via: string }[] = [];
    const visit = (path: string, via: string): void => {
      const module = modules.get(path);
      if (module === undefined || seen.has(path)) return;
      seen.add(path);
      queue.push({ module, via: via === '' ? path : `${via} → ${path}` });
    };
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

/** One op, one place: every family has all its parts, under one name. */
function* partProblems(): Generator<string> {
  // conv-transpose.ts is a kernel of conv-transpose, not one of conv: the longest name wins.
  const longestFirst = Object.keys(families).sort((a, b) => b.length - a.length);
  const withKernel = new Set(
    listFiles('assembly').map((path) => longestFirst.find((name) => basename(path).startsWith(name))),
  );
  const need = function* (family: string, path: string): Generator<string> {
    if (!existsSync(join(root, path))) yield `${family}: ${path} is missing`;
  };
  for (const [family, kind] of Object.entries(families)) {
    if (kind === 'plain') continue;
    yield* need(family, `src/backend/js/${family}.ts`);
    yield* need(family, `src/backend/wasm/${family}.ts`);
    yield* need(family, `bench/${family}.ts`);
    yield* need(family, `test/ops/${family}.test.ts`);
    if (kind === 'hot' && !withKernel.has(family)) yield `${family}: no kernel assembly/**/${family}*.ts`;
  }
  for (const { path, text } of modules.values()) {
    const name = basename(path, '.ts');
    if (/^src\/ops\/[^/]+\.ts$/.test(path) && /\bdefineOp\s*[<(]/.test(text) && name !== 'op') {
      yield* need(name, `test/ops/${name}.test.ts`);
    }
  }
  const tables = ['src/backend/js/prims.ts', 'src/backend/js/training-prims.ts'];
  for (const { target, line } of tables.flatMap((path) => modules.get(path)?.imports ?? [])) {
    const name = basename(target ?? '', '.ts');
    if (target?.startsWith('src/backend/js/') && !jsBackendFiles.includes(name) && families[name] === undefined) {
      yield `src/backend/js/prims.ts:${line}: family ${name} is neither hot nor plain (table in test/suites/structure.ts)`;
    }
  }
}

function* textProblems(): Generator<string> {
  const rules: { folders: string[]; pattern: RegExp; message: string }[] = [
    { folders: ['src', 'assembly'], pattern: /\b(?:TO(?:)DO|FIX(?:)ME)\b/, message: 'unfinished work is marked' },
    {
      folders: ['test'],
      pattern: /\b(?:it|test|describe|bench)(?:\.\w+)*\.only\b/,
      message: '.only hides the other tests',
    },
  ];
  for (const folder of ['src', 'assembly', 'test', 'bench', 'examples']) {
    for (const path of listFiles(folder)) {
      const lines = readFileSync(join(root, path), 'utf8').trimEnd().split('\n');
      if (lines.length > maximumLines) yield `${path}: ${lines.length} lines, more than ${maximumLines}`;
      for (const { folders, pattern, message } of rules) {
        if (!folders.includes(folder)) continue;
        for (const [i, line] of lines.entries()) if (pattern.test(line)) yield `${path}:${i + 1}: ${message}`;
      }
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
