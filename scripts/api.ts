// build/api.json: every public name of the package's entries as the rolled-up declarations have it, for docs/ (tables) and
// tests (docstrings, the list of names). TypeScript 7 has no compiler API; api-extractor brings one that has.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as TypeScript from '../node_modules/@microsoft/api-extractor/node_modules/typescript/lib/typescript.d.ts';

const extractor = createRequire(createRequire(import.meta.url).resolve('@microsoft/api-extractor'));
export const ts = extractor('typescript') as typeof TypeScript;
export type { TypeScript };

/** One public name. */
export interface ApiName {
  /** `load`, `nn.Linear`, `Model#run` (of instances), `data.MNIST.open` (static), `F.relu`. */
  readonly path: string;
  readonly kind:
    | 'function'
    | 'class'
    | 'constructor'
    | 'interface'
    | 'type'
    | 'constant'
    | 'namespace'
    | 'method'
    | 'property';
  /** As TypeScript writes it: `(x: Variable, dim: number) => Variable`; '' for what has none. Overloads are joined by ' & '. */
  readonly signature: string;
  /** The docstring without its tags; '' where there is none. */
  readonly doc: string;
  /** `@param`, `@returns`, `@throws` and others, in their order: [tag, text]. */
  readonly tags: readonly (readonly [tag: string, text: string])[];
  /** The class that declares an inherited member. */
  readonly from?: string;
}

export interface Api {
  readonly convlet: readonly ApiName[];
  /** As Node, Deno and Bun have it: with `data.ImageFolder`. */
  readonly 'convlet/train': readonly ApiName[];
  readonly 'convlet/images': readonly ApiName[];
}

const entries = {
  convlet: 'index.d.ts',
  'convlet/train': 'runtime/node-train.d.ts',
  'convlet/images': 'io/images/index.d.ts',
} as const satisfies { readonly [entry in keyof Api]: string };

/** Reads the rolled-up declarations in `folder`, and writes api.json beside them. */
export function writeApi(folder: string): void {
  const files = Object.values(entries).map((path) => join(folder, path));
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    types: [],
    noEmit: true,
  });
  const api = Object.fromEntries(
    Object.entries(entries).map(([entry, path]) => [entry, namesOf(program, join(folder, path))]),
  );
  writeFileSync(join(folder, 'api.json'), `${JSON.stringify(api, null, 1)}\n`);
}

function namesOf(program: TypeScript.Program, path: string): ApiName[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path)!;
  const names: ApiName[] = [];
  const format = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;

  /** `declared` in the type of an object, `F`, whose members are those of another by `typeof`: there their docstrings are. */
  function declaredIn(symbol: TypeScript.Symbol, declared: TypeScript.Type | null): TypeScript.Symbol {
    const found = declared?.getProperty(symbol.name) ?? symbol;
    return found.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(found) : found;
  }

  const docOf = (symbol: TypeScript.Symbol) => ({
    doc: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    tags: symbol.getJsDocTags(checker).map(({ name, text }) => [name, ts.displayPartsToString(text)] as const),
  });
  const signatures = (list: readonly TypeScript.Signature[]): string =>
    [
      ...new Set(
        list.map((each) =>
          checker.signatureToString(each, source, format | ts.TypeFormatFlags.WriteArrowStyleSignature),
        ),
      ),
    ].join(' & ');
  const add = (
    path: string,
    kind: ApiName['kind'],
    signature: string,
    symbol: TypeScript.Symbol,
    from?: string,
  ): void => {
    names.push({
      path,
      kind,
      signature: plain(signature),
      ...docOf(symbol),
      ...(from === undefined ? {} : { from: plain(from) }),
    });
  };

  /** Members of a class, an interface or an object type, by `path` and their names. */
  function addMembers(
    type: TypeScript.Type,
    path: string,
    owner: string | null,
    declared: TypeScript.Type | null = null,
  ): void {
    for (const member of type.getProperties()) {
      const declaration = member.declarations?.[0];
      if (declaration === undefined || fromLibrary(program, declaration)) continue;
      const flags = ts.getCombinedModifierFlags(declaration);
      if (flags & ts.ModifierFlags.Private || member.name === 'prototype' || member.name.startsWith('__@')) continue;
      const memberType = checker.getTypeOfSymbol(member);
      const calls = memberType.getNonNullableType().getCallSignatures();
      const method = calls.length > 0;
      const parent = ts.isClassDeclaration(declaration.parent) ? declaration.parent.name?.text : undefined;
      add(
        path + member.name,
        method ? (owner === null && path.endsWith('.') ? 'function' : 'method') : 'property',
        method ? signatures(calls) : checker.typeToString(memberType, source, format),
        declaredIn(member, declared),
        owner !== null && parent !== undefined && parent !== owner ? parent : undefined,
      );
    }
  }

  function addSymbol(exported: TypeScript.Symbol, path: string): void {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const { flags } = symbol;
    if (flags & ts.SymbolFlags.Module) {
      add(path, 'namespace', '', symbol);
      for (const member of checker.getExportsOfModule(symbol)) addSymbol(member, `${path}.${member.name}`);
    } else if (flags & ts.SymbolFlags.Class) {
      // What is exported as a type only has no constructor and no static members for its users.
      const isType = exported.declarations?.some(
        (each) => ts.isExportSpecifier(each) && ts.isTypeOnlyExportDeclaration(each),
      );
      const made = checker.getTypeOfSymbol(symbol);
      add(path, 'class', isType ? '' : signatures(made.getConstructSignatures()), symbol);
      addMembers(checker.getDeclaredTypeOfSymbol(symbol), `${path}#`, symbol.name);
      if (!isType) addMembers(made, `${path}.`, symbol.name);
    } else if (flags & ts.SymbolFlags.Interface) {
      add(path, 'interface', '', symbol);
      addMembers(checker.getDeclaredTypeOfSymbol(symbol), `${path}#`, null);
    } else if (flags & ts.SymbolFlags.TypeAlias) {
      const type = checker.getDeclaredTypeOfSymbol(symbol);
      const declaration = symbol.declarations!.find(ts.isTypeAliasDeclaration)!;
      add(path, 'type', declaration.type.getText().replace(/\s+/g, ' '), symbol);
      if (ts.isTypeLiteralNode(declaration.type)) addMembers(type, `${path}#`, null);
    } else {
      addValue(symbol, path);
    }
  }

  function addValue(symbol: TypeScript.Symbol, path: string): void {
    const type = checker.getTypeOfSymbol(symbol);
    const [makes, calls] = [type.getConstructSignatures(), type.getCallSignatures()];
    const callable = makes.length > 0 ? makes : calls;
    if (callable.length > 0) {
      add(path, makes.length > 0 ? 'class' : 'function', signatures(callable), symbol);
      return;
    }
    add(path, 'constant', '', symbol);
    // An object of functions (`F`) is a namespace to its users; an object of a named class has its members there.
    if (type.symbol === undefined || !(type.symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)))
      addMembers(type, `${path}.`, null, queried(symbol.valueDeclaration));
  }

  /** The type that a declaration takes by `typeof`. */
  function queried(node: TypeScript.Node | undefined): TypeScript.Type | null {
    if (node === undefined) return null;
    if (ts.isTypeQueryNode(node)) return checker.getTypeFromTypeNode(node);
    return ts.forEachChild(node, (child) => queried(child) ?? undefined) ?? null;
  }

  for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(source)!)) {
    addSymbol(exported, exported.name);
  }
  return names;
}

/** Without what only the compiler needs: the numbers of names that occur twice, the rest that catches surplus arguments. */
const plain = (text: string): string =>
  text.replace(/\b([A-Z]\w*?)_\d\b/g, '$1').replace(/(, )?\.\.\.surplus: never\[\]/g, '');

const fromLibrary = (program: TypeScript.Program, node: TypeScript.Node): boolean =>
  program.isSourceFileDefaultLibrary(node.getSourceFile());
