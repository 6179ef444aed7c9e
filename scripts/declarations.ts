// npm run build, after tsc has written a declaration for each module into build/types/ (not in the package): one rolled-up
// declaration per entry, with the public names and what they mention alone, and build/api.json, the list of public names with
// signatures and docstrings that docs/ and the tests read. Nothing is done if no declaration has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  type IExtractorConfigPrepareOptions,
} from '@microsoft/api-extractor';
import { type TypeScript, ts, writeApi } from './api.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Modules whose declarations package.json names: `runtime/node-train` for ./build/runtime/node-train.d.ts. Those of files that
 * have no module in src/ are written by scripts/bundle.ts.
 */
const named = declarationsOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports);
const declared = named.filter((name) => existsSync(join(root, `src/${name}.ts`)));

function declarationsOf(value: unknown): string[] {
  if (typeof value === 'object') return [...new Set(Object.values(value!).flatMap(declarationsOf))];
  const [, name] = /^\.\/build\/(.+)\.d\.ts$/.exec(String(value)) ?? [];
  return name === undefined ? [] : [name];
}

/** What the compiler is told about the declarations of single modules; applications have settings of their own. */
const compilerOptions = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable', 'dom'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  strict: true,
  skipLibCheck: true,
  types: ['node'],
  allowImportingTsExtensions: true,
  noEmit: true,
};

/** Rolls up what is in `folder`/types/ into `folder`. */
export function rollUpDeclarations(folder: string): void {
  const stamp = join(folder, 'types/stamp');
  const state = fingerprint(folder);
  const outputs = [...declared.map((name) => `${name}.d.ts`), 'api.json'];
  const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === state;
  if (fresh && outputs.every((path) => existsSync(join(folder, path)))) return;
  removeOld(folder);
  mergeAugmentations(join(folder, 'types'));
  for (const path of typesIn(folder)) {
    const text = readFileSync(path, 'utf8');
    const stripped = strip(path, text);
    if (stripped !== text) writeFileSync(path, stripped);
  }
  const configs = declared.map((name) => configOf(folder, name));
  // One program for all entries: most of the time goes into reading and checking.
  const compilerState = CompilerState.create(configs[0], {
    additionalEntryPoints: configs.slice(1).map((config) => config.mainEntryPointFilePath),
  });
  for (const [i, config] of configs.entries()) {
    const { succeeded } = Extractor.invoke(config, {
      compilerState,
      localBuild: true,
      messageCallback(message) {
        if (message.logLevel === 'error' || message.logLevel === 'warning') console.error(message.text);
        message.handled = true;
      },
    });
    if (!succeeded) throw new Error(`no declaration of ${declared[i]} could be made`);
    const path = join(folder, `${declared[i]}.d.ts`);
    writeFileSync(path, withExportsOf(join(folder, `types/${declared[i]}.d.ts`), tidy(readFileSync(path, 'utf8'))));
  }
  writeApi(folder);
  writeFileSync(stamp, state);
}

function configOf(folder: string, name: string): ExtractorConfig {
  const entry = join(folder, `types/${name}.d.ts`);
  const output = join(folder, `${name}.d.ts`);
  mkdirSync(dirname(output), { recursive: true });
  const options: IExtractorConfigPrepareOptions = {
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: entry,
      compiler: {
        overrideTsconfig: { compilerOptions, files: declared.map((each) => join(folder, `types/${each}.d.ts`)) },
      },
      dtsRollup: { enabled: true, untrimmedFilePath: output },
      apiReport: { enabled: false },
      docModel: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        // tsc has checked the sources. Docstrings are plain text with some Markdown.
        extractorMessageReporting: { default: { logLevel: 'none' as never } },
        tsdocMessageReporting: { default: { logLevel: 'none' as never } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
    projectFolderLookupToken: root,
  };
  return ExtractorConfig.prepare(options);
}

/** Typed arrays have a type argument from TypeScript 5.7 on only. */
const tidy = (text: string): string =>
  text.replace(/\b((?:Big)?(?:Ui|I)nt\d+(?:Clamped)?Array|Float\d+Array)<ArrayBuffer(?:Like)?>/g, '$1');

/** Names that a module exports as types only, and as namespaces. */
function exportsOf(path: string): { types: Set<string>; namespaces: Set<string> } {
  const types = new Set<string>();
  const namespaces = new Set<string>();
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest);
  for (const node of source.statements) {
    if (!ts.isExportDeclaration(node)) continue;
    const { exportClause, moduleSpecifier, isTypeOnly } = node;
    if (exportClause === undefined) {
      const from = (moduleSpecifier as TypeScript.StringLiteral).text.replace(/\.ts$/, '.d.ts');
      const all = exportsOf(join(dirname(path), from));
      for (const name of all.types) types.add(name);
      for (const name of all.namespaces) namespaces.add(name);
    } else if (ts.isNamespaceExport(exportClause)) {
      namespaces.add(exportClause.name.text);
    } else {
      for (const each of exportClause.elements) if (isTypeOnly || each.isTypeOnly) types.add(each.name.text);
    }
  }
  return { types, namespaces };
}

/**
 * api-extractor exports a class of which an entry exports the type alone, which is no class at run time, and the namespaces
 * inside of namespaces (`prune` of `nn.prune`).
 */
function withExportsOf(entry: string, text: string): string {
  const { types, namespaces } = exportsOf(entry);
  const classes: string[] = [];
  const declared = text
    .replace(/^export (declare (?:abstract )?class (\w+))/gm, (all, rest: string, name: string) => {
      if (!types.has(name)) return all;
      classes.push(name);
      return rest;
    })
    .replace(/^export (declare namespace (\w+))/gm, (all, rest: string, name: string) =>
      namespaces.has(name) ? all : rest,
    );
  return classes.length === 0
    ? declared
    : declared.replace(/^export \{ \}\n?$/m, `export type { ${classes.join(', ')} };\n`);
}

/** Of optimizers: what the kernels' optimizers share with each other, and no other optimizer. */
const kernelHooks = new Set(['kind', 'numbers', 'has', 'initial']);

/**
 * Declarations without what is nobody's business. Private members make a class nominal: two copies of the package, or two
 * of its entries, would have types that exclude each other. A private constructor stays: such a class is not made with `new`.
 */
function strip(path: string, text: string): string {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const cuts: [from: number, to: number, instead: string][] = [];
  const imports = new Set<string>();
  const visit = (node: TypeScript.Node): void => {
    if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
      for (const member of node.members) {
        const flags = ts.getCombinedModifierFlags(member as TypeScript.Declaration);
        const isInternal = ts.getJSDocTags(member).some((tag) => tag.tagName.text === 'internal');
        const isPrivate = (flags & ts.ModifierFlags.Private) !== 0;
        const isInspect = member.name?.getText() === '[inspect]';
        const isHook = (flags & ts.ModifierFlags.Protected) !== 0 && kernelHooks.has(member.name?.getText() ?? '');
        if (ts.isConstructorDeclaration(member)) {
          // Without a constructor a class would have one without arguments.
          if (isInternal) cuts.push([member.pos, member.end, '\n    protected constructor();']);
        } else if (isInternal || isPrivate || isInspect || (isHook && path.includes('optim'))) {
          cuts.push([member.pos, member.end, '']);
        }
      }
    }
    if (ts.isClassDeclaration(node)) {
      // An interface that nobody can name says nothing to a user.
      for (const clause of node.heritageClauses ?? [])
        if (clause.token === ts.SyntaxKind.ImplementsKeyword) cuts.push([clause.pos, clause.end, '']);
    }
    // api-extractor makes a type of `typeof import('./x.ts').name`.
    if (ts.isImportTypeNode(node) && node.isTypeOf && node.qualifier !== undefined) {
      const name = node.qualifier.getText();
      cuts.push([node.getStart(), node.end, `typeof ${name}`]);
      imports.add(`import { ${name} } from ${node.argument.getText()};\n`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const stripped = cuts
    .sort(([a], [b]) => b - a)
    .reduce((left, [from, to, instead]) => left.slice(0, from) + instead + left.slice(to), text);
  return [...imports].join('') + stripped;
}

/**
 * `declare module './variable.ts' { interface Variable extends VariableMethods {} }` is nothing that api-extractor reads. The
 * interface moves into the module that it is added to (in the sources that would be an import cycle).
 */
function mergeAugmentations(types: string): void {
  const pattern = /^declare module '(\.[^']+)\.ts' \{\s*interface (\w+) extends (\w+) \{\s*\}\s*\}/gm;
  for (const path of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.d.ts')) continue;
    for (const [, module, name, added] of readFileSync(join(types, path), 'utf8').matchAll(pattern)) {
      const target = join(types, dirname(path), `${module}.d.ts`);
      const text = readFileSync(target, 'utf8');
      const from = relative(dirname(target), join(types, path)).replace(/\.d\.ts$/, '.ts');
      const merged = `import type { ${added} } from './${from}';\nexport interface ${name} extends ${added} {}\n`;
      if (!text.includes(merged)) writeFileSync(target, `${text}${merged}`);
    }
  }
}

/** Declarations of earlier builds would go into the package. */
function removeOld(folder: string): void {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const [, name] = /^(?!types\b)(.+)\.d\.ts$/.exec(path) ?? [];
    if (name !== undefined && !named.includes(name)) rmSync(join(folder, path));
  }
}

function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  const own = ['declarations.ts', 'api.ts'].map((name) => join(root, 'scripts', name));
  for (const path of [...own, ...typesIn(folder)]) hash.update(readFileSync(path));
  return hash.digest('hex');
}

const typesIn = (folder: string): string[] =>
  readdirSync(join(folder, 'types'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.d.ts'))
    .sort()
    .map((path) => join(folder, 'types', path));

if (process.argv[1] === fileURLToPath(import.meta.url)) rollUpDeclarations(join(root, 'build'));
