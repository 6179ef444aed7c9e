// Reads the declarations (.d.ts) of the package: the exports of an entry, and which of its functions, classes and methods take an
// object of options. The parser is that of vite, on which vitest depends.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAst } from 'vite';

/** A node of the syntax tree; fields by the names of typescript-estree. */
// biome-ignore lint/suspicious/noExplicitAny: the tree has some hundred types of nodes
type Node = any;

/** A declaration, and the module whose names it uses. */
interface Found {
  readonly node: Node;
  readonly module: Module;
  /** True if only its type is exported: it has methods, but users cannot construct it. */
  readonly isType?: boolean;
}

interface Module {
  readonly path: string;
  /** Declarations by name, exported or not. */
  readonly own: Map<string, Node[]>;
  readonly imported: Map<string, { readonly from: string; readonly name: string }>;
  readonly exported: Map<string, { readonly from: string | null; readonly name: string; readonly isType: boolean }>;
  /** `export * as name`, and `import * as name`. */
  readonly namespaces: Map<string, string>;
  readonly importedNamespaces: Map<string, string>;
  readonly stars: string[];
}

/** Something that can be called: its name in the package, and its parameters. */
export interface Callable {
  /** 'nn.Conv2d', 'data.MNIST.open', 'Variable#std'. */
  readonly path: string;
  readonly kind: 'function' | 'class' | 'method';
  readonly params: readonly Param[];
  /** For a method: the class that declares it; other classes may inherit it. */
  readonly owner?: string;
}

export interface Param {
  readonly name: string;
  readonly type: Node;
  readonly rest: boolean;
  /** Names of the options; null if the parameter is not an object of options. */
  readonly options: readonly string[] | null;
}

/** Objects that are data, not options, though some of their fields are optional. */
const data = new Set(['Values', 'Dataset', 'Callback', 'StateEntry', 'PlateauSchedule', 'OpDef', 'TapeNode']);

/** For a constant whose type maps all names of a namespace (`F`): the path of that namespace's module. */
function mappedNamespace([found]: readonly Found[]): string | null {
  const type = found?.node.id?.typeAnnotation?.typeAnnotation;
  if (type?.type !== 'TSMappedType') return null;
  const text = JSON.stringify(type);
  for (const [name, path] of found.module.importedNamespaces) if (text.includes(`"name":"${name}"`)) return path;
  return null;
}

export class Declarations {
  private readonly root: string;
  private readonly modules = new Map<string, Module>();

  constructor(root: string) {
    this.root = root;
  }

  /** Everything that an entry exports and that can be called, methods of exported classes and interfaces included. */
  callables(entry: string, prefix = ''): Callable[] {
    const found: Callable[] = [];
    const module = this.load(join(this.root, entry));
    for (const [name, exported] of this.exportsOf(module)) {
      const target = typeof exported === 'string' ? exported : (mappedNamespace(exported) ?? exported);
      if (typeof target === 'string')
        found.push(...this.callables(target.slice(this.root.length), `${prefix}${name}.`));
      else
        for (const { node, module: at, isType } of target)
          for (const callable of this.callablesOf(node, `${prefix}${name}`, at))
            if (!isType || callable.kind === 'method') found.push(callable);
    }
    return found;
  }

  private load(path: string): Module {
    const known = this.modules.get(path);
    if (known !== undefined) return known;
    const module: Module = {
      path,
      own: new Map(),
      imported: new Map(),
      exported: new Map(),
      namespaces: new Map(),
      importedNamespaces: new Map(),
      stars: [],
    };
    this.modules.set(path, module);
    const at = (source: Node): string => join(dirname(path), source.value.replace(/\.ts$/, '.d.ts'));
    const declare = (node: Node, isExported: boolean): void => {
      const names = node.type === 'VariableDeclaration' ? node.declarations : [node];
      for (const declared of names) {
        const { name } = declared.id;
        module.own.set(name, [...(module.own.get(name) ?? []), declared]);
        if (isExported) module.exported.set(name, { from: null, name, isType: false });
      }
    };
    const { body } = parseAst(readFileSync(path, 'utf8'), { lang: 'dts' } as never, path) as Node;
    for (const node of body) {
      if (node.type === 'ImportDeclaration') {
        if (!existsSync(at(node.source))) continue;
        for (const { local, imported } of node.specifiers) {
          if (imported) module.imported.set(local.name, { from: at(node.source), name: imported.name });
          else module.importedNamespaces.set(local.name, at(node.source));
        }
      } else if (node.type === 'ExportAllDeclaration') {
        if (node.exported) module.namespaces.set(node.exported.name, at(node.source));
        else module.stars.push(at(node.source));
      } else if (node.type === 'ExportNamedDeclaration') {
        if (node.declaration) declare(node.declaration, true);
        for (const { local, exported, exportKind } of node.specifiers) {
          const isType = node.exportKind === 'type' || exportKind === 'type';
          module.exported.set(exported.name, { from: node.source ? at(node.source) : null, name: local.name, isType });
        }
      } else if (node.id || node.declarations) declare(node, false);
    }
    return module;
  }

  /** Declarations by exported name, or the path of a namespace's module. */
  private exportsOf(module: Module): Map<string, Found[] | string> {
    const all = new Map<string, Found[] | string>();
    for (const star of module.stars) for (const [name, found] of this.exportsOf(this.load(star))) all.set(name, found);
    for (const [name, path] of module.namespaces) all.set(name, path);
    for (const [name, { from, name: own, isType }] of module.exported) {
      if (from === null) all.set(name, this.lookup(own, module));
      else all.set(name, this.exportsOf(this.load(from)).get(own) ?? []);
      const found = all.get(name);
      if (isType && typeof found !== 'string')
        all.set(
          name,
          found!.map((each) => ({ ...each, isType })),
        );
    }
    return all;
  }

  private lookup(name: string, module: Module): Found[] {
    const own = module.own.get(name);
    if (own !== undefined) return own.map((node) => ({ node, module }));
    const imported = module.imported.get(name);
    if (imported === undefined) return [];
    const found = this.exportsOf(this.load(imported.from)).get(imported.name);
    return typeof found === 'string' ? [] : (found ?? []);
  }

  private callablesOf(node: Node, path: string, module: Module): Callable[] {
    if (node.type === 'TSDeclareFunction') return [this.callable('function', path, node.params, module)];
    if (node.type === 'VariableDeclarator') return this.constant(node.id.typeAnnotation?.typeAnnotation, path, module);
    if (node.type === 'ClassDeclaration') return this.classMembers(node, path, module);
    if (node.type === 'TSInterfaceDeclaration') return this.interfaceMembers(node, path, module);
    return [];
  }

  /** A constant that is a function, a class of layers (LayerClass<arguments>), or an object of functions. */
  private constant(type: Node, path: string, module: Module): Callable[] {
    if (type?.type === 'TSFunctionType') return [this.callable('function', path, type.params, module)];
    const named = this.named(type, module);
    if (named === null) return [];
    if (named.name === 'LayerClass') {
      const tuple = this.resolved(named.args[0], module);
      // [size: number, options?: Options], or [] and number[], which have no options.
      const params = (tuple.node.elementTypes ?? []).map((entry: Node) => ({
        ...entry.label,
        typeAnnotation: { typeAnnotation: entry.elementType ?? entry },
      }));
      return [this.callable('class', path, params, tuple.module)];
    }
    return named.found.flatMap(({ node, module: at }) =>
      node.type === 'TSTypeAliasDeclaration' ? this.constant(node.typeAnnotation, path, at) : [],
    );
  }

  private classMembers(node: Node, path: string, module: Module): Callable[] {
    const found: Callable[] = [];
    const members = this.membersOf(node, module);
    const makers = members.filter(({ node: { kind } }) => kind === 'constructor');
    const own = makers.filter(({ node: { owner } }) => owner === makers[0]?.node.owner);
    for (const { node: maker, module: at } of own)
      if (!node.abstract && !maker.accessibility) found.push(this.callable('class', path, maker.value.params, at));
    for (const { node: member, module: at } of members) {
      if (member.kind !== 'method' || member.accessibility || member.computed) continue;
      const name = `${path}${member.static ? '.' : '#'}${member.key.name}`;
      found.push({ ...this.callable('method', name, member.value.params, at), owner: member.owner });
    }
    if (makers.length === 0 && !node.abstract) found.push({ path, kind: 'class', params: [] });
    return found;
  }

  /** The members of a class, including inherited ones. */
  private membersOf(node: Node, module: Module): Found[] {
    const own: Found[] = node.body.body.map((member: Node) => ({ node: { ...member, owner: node.id.name }, module }));
    const [above] = node.superClass?.name ? this.lookup(node.superClass.name, module) : [];
    return above === undefined ? own : [...own, ...this.membersOf(above.node, above.module)];
  }

  private interfaceMembers(node: Node, path: string, module: Module): Callable[] {
    return node.body.body.flatMap((member: Node) => {
      const type = member.typeAnnotation?.typeAnnotation;
      const params =
        member.type === 'TSMethodSignature' ? member.params : type?.type === 'TSFunctionType' ? type.params : null;
      return params === null ? [] : [this.callable('method', `${path}#${member.key.name}`, params, module)];
    });
  }

  private callable(kind: Callable['kind'], path: string, params: readonly Node[], module: Module): Callable {
    return {
      kind,
      path,
      params: params.map((param) => {
        const type = param.typeAnnotation?.typeAnnotation;
        const name = param.name ?? param.argument?.name ?? '';
        const members = this.options(type, module);
        const options = name === 'options' || members?.some(({ optional }) => optional) ? (members ?? []) : null;
        return {
          name,
          type,
          rest: param.type === 'RestElement',
          options: options?.map((option) => option.name) ?? null,
        };
      }),
    };
  }

  /** A type with a name: the name, its arguments and its declarations. */
  private named(type: Node, module: Module): { name: string; args: Node[]; found: Found[] } | null {
    const args = type?.typeArguments?.params ?? [];
    if (type?.type === 'TSTypeReference' || type?.type === 'TSInterfaceHeritage') {
      const { name, left, right } = type.typeName ?? type.expression;
      if (left === undefined) return { name, args, found: this.lookup(name, module) };
      const space = module.importedNamespaces.get(left.name);
      const found = space === undefined ? [] : this.exportsOf(this.load(space)).get(right.name);
      return { name: right.name, args, found: typeof found === 'string' ? [] : (found ?? []) };
    }
    if (type?.type !== 'TSImportType') return null;
    const from = this.load(join(dirname(module.path), type.source.value.replace(/\.ts$/, '.d.ts')));
    const found = this.exportsOf(from).get(type.qualifier.name);
    return { name: type.qualifier.name, args, found: typeof found === 'string' ? [] : (found ?? []) };
  }

  /** A type with its aliases replaced. */
  private resolved(type: Node, module: Module): Found {
    const [found] = this.named(type, module)?.found ?? [];
    if (found?.node.type !== 'TSTypeAliasDeclaration') return { node: type, module };
    return this.resolved(found.node.typeAnnotation, found.module);
  }

  /** The members of an object type; null for anything else, and for data. */
  private options(type: Node, module: Module): { name: string; optional: boolean }[] | null {
    if (type?.type === 'TSUnionType') {
      const rest = type.types.filter((t: Node) => t.type !== 'TSUndefinedKeyword' && t.type !== 'TSNullKeyword');
      return rest.length === 1 ? this.options(rest[0], module) : null;
    }
    if (type?.type === 'TSIntersectionType') {
      const parts = type.types.map((part: Node) => this.options(part, module));
      return parts.includes(null) ? null : parts.flat();
    }
    if (type?.type === 'TSTypeLiteral') return membersOf(type.members);
    const named = this.named(type, module);
    if (named === null || data.has(named.name)) return null;
    const { name, args } = named;
    const inner = args.length > 0 ? this.options(args[0], module) : null;
    const names = (args[1]?.types ?? [args[1]]).map((t: Node) => t?.literal?.value);
    if (name === 'Partial') return inner?.map((member) => ({ ...member, optional: true })) ?? null;
    if (name === 'Omit') return inner?.filter((member) => !names.includes(member.name)) ?? null;
    if (name === 'Pick') return inner?.filter((member) => names.includes(member.name)) ?? null;
    const [found] = named.found;
    if (found?.node.type === 'TSTypeAliasDeclaration') return this.options(found.node.typeAnnotation, found.module);
    if (found?.node.type !== 'TSInterfaceDeclaration') return null;
    const above = found.node.extends.flatMap((base: Node) => this.options(base, found.module) ?? []);
    return [...membersOf(found.node.body.body), ...above];
  }

  /** Methods that a table adds to a class: a constant that is an object of functions, whose first parameter is `this`. */
  methods(entry: string, constant: string, path: string): Callable[] {
    const module = this.load(join(this.root, entry));
    const [{ node }] = this.lookup(constant, module);
    return node.id.typeAnnotation.typeAnnotation.members.flatMap((member: Node) => {
      const type = member.typeAnnotation.typeAnnotation;
      const declared = type.type === 'TSTypeQuery' ? this.lookup(type.exprName.name, module)[0].node : type;
      return declared.params
        ? [this.callable('method', `${path}#${member.key.name}`, declared.params.slice(1), module)]
        : [];
    });
  }
}

const membersOf = (members: readonly Node[]): { name: string; optional: boolean }[] =>
  members
    .filter(({ key, computed }) => key && !computed)
    .map(({ key, optional }) => ({ name: key.name ?? key.value, optional: optional ?? false }));
