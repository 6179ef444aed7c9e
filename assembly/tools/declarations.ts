// Reads from the AssemblyScript sources what the host has to know: descriptor classes (*Desc), exported functions, and the
// numbers that both sides use. Such a number is a constant or a const enum whose doc comment has the tag `@abi`:
//
//   /** Where rows of A are read. @abi */             /** Bytes before a workspace. @abi at least offsetof<Tile>() + 6 * 32 */
//   export const enum Addressing { byTap, byRun }     export const workspaceHead: usize = 256;
//
// An enum's members count from 0 or have explicit integers; a constant is an integer. The build checks `at least`: sums and
// products of integers, other constants with the tag, and sizes of @unmanaged classes. Do not export a marked constant from a file
// that assembly/index.ts or training.ts re-exports as a whole: asc crashes on exports of inlined constants.
// This file has its own scanner, because loading AssemblyScript's parser takes longer than everything else here; asc itself
// reports what is not valid AssemblyScript.
import type { FieldKind } from '../../src/abi/descriptor.ts';
import type { Source } from './sources.ts';

export interface DescriptorClass {
  name: string;
  doc: string;
  fields: { name: string; kind: FieldKind; doc: string }[];
}

export interface ExportedFunction {
  name: string;
  doc: string;
  parameters: { name: string; type: string }[];
  result: string;
  path: string;
}

/** A number that the host refers to by its name. */
export interface Constant {
  name: string;
  doc: string;
  value: number;
}

export interface Enumeration {
  name: string;
  doc: string;
  members: Constant[];
}

export interface Declarations {
  descriptors: DescriptorClass[];
  functions: ExportedFunction[];
  constants: Constant[];
  enumerations: Enumeration[];
}

/** What the reader finds in addition to the declarations: lower bounds of constants, and sizes of classes in bytes. */
interface Found extends Declarations {
  bounds: { name: string; formula: string; where: string }[];
  classes: Map<string, number>;
}

interface Token {
  text: string;
  /** The doc comment directly before the token. */
  doc: string;
  line: number;
}

const abiTag = /\s*@abi\b(?: at least ([^\n]*))?/;
const fieldKinds: Record<string, FieldKind> = { usize: 'ptr', i32: 'i32', u32: 'u32', f32: 'f32' };

export function readDeclarations(sources: readonly Source[]): Declarations {
  const found: Found = {
    ...{ descriptors: [], functions: [], constants: [], enumerations: [] },
    ...{ bounds: [], classes: new Map() },
  };
  for (const source of sources) new Reader(source).read(found);
  const { descriptors, functions, enumerations, constants } = found;
  const names = new Set<string>();
  for (const { name } of [...descriptors, ...enumerations, ...constants]) {
    if (names.has(name)) throw new Error(`${name}: declared twice`);
    names.add(name);
  }
  checkBounds(found);
  for (const list of [descriptors, enumerations, constants]) list.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { descriptors, functions, enumerations, constants };
}

function checkBounds({ bounds, constants, classes }: Found): void {
  const values = new Map(constants.map(({ name, value }) => [name, value]));
  for (const { name, formula, where } of bounds) {
    const factorOf = (text: string): number => {
      if (/^\d+$/.test(text)) return Number(text);
      const value = values.get(text) ?? classes.get(text.match(/^offsetof<(\w+)>\(\)$/)?.[1] ?? '');
      if (value === undefined) throw new Error(`${where}: ${name}: at least what? Nothing is known of ${text}`);
      return value;
    };
    const productOf = (term: string): number => term.split('*').reduce((n, text) => n * factorOf(text.trim()), 1);
    const least = formula.split('+').reduce((n, term) => n + productOf(term), 0);
    const value = values.get(name) ?? 0;
    if (value < least) throw new Error(`${where}: ${name} is ${value}, must be at least ${formula} = ${least}`);
  }
}

const lexeme = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|[\w$]+|\S/g;

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  let doc = '';
  let line = 1;
  let counted = 0;
  for (const { 0: piece, index } of text.matchAll(lexeme)) {
    if (piece.startsWith('/**')) {
      doc = docText(piece);
    } else if (!piece.startsWith('/*') && !piece.startsWith('//')) {
      for (; counted < index; counted++) if (text[counted] === '\n') line++;
      tokens.push({ text: piece, doc, line });
      doc = '';
    }
  }
  return tokens;
}

function docText(comment: string): string {
  const lines = comment.slice(3, -2).split('\n');
  return lines
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
    .join('\n')
    .trim();
}

const closers: Record<string, string> = { '{': '}', '(': ')', '[': ']' };
const end: Token = { text: 'the end of the file', doc: '', line: 0 };

class Reader {
  private readonly path: string;
  private readonly tokens: Token[];
  private at = 0;

  constructor({ path, text }: Source) {
    this.path = path;
    this.tokens = scan(text);
  }

  /** Reads the top level; bodies and initialisers in brackets are skipped. */
  read(into: Found): void {
    while (this.at < this.tokens.length) {
      const { doc } = this.peek();
      const decorators = this.decorators();
      const exported = this.accept('export');
      if (this.accept('class')) {
        const isDescriptor = this.peek().text.endsWith('Desc');
        if (!isDescriptor && !decorators.includes('unmanaged')) continue;
        const found = this.fields(doc, decorators);
        if (isDescriptor) into.descriptors.push(found);
        into.classes.set(found.name, found.fields.length * 4);
      } else if (abiTag.test(doc)) {
        this.marked(doc, into);
      } else if (this.accept('function')) {
        const found = this.functionHeader(doc);
        if (exported && found) into.functions.push(found);
      } else if (!exported && decorators.length === 0) {
        this.skip();
      }
    }
  }

  private decorators(): string[] {
    const names: string[] = [];
    while (this.accept('@')) {
      names.push(this.next().text);
      if (this.peek().text === '(') this.skip();
    }
    return names;
  }

  /** Reads the declaration after a doc comment with @abi. */
  private marked(comment: string, into: Found): void {
    const doc = comment.replace(abiTag, '');
    if (!this.accept('const')) this.fail(`@abi marks constants and const enums, got ${this.peek().text}`);
    if (this.accept('enum')) {
      into.enumerations.push(this.enumeration(doc));
      return;
    }
    const { text: name, line } = this.next();
    if (this.accept(':')) this.next();
    const value = this.accept('=') ? Number(this.next().text) : Number.NaN;
    if (!Number.isInteger(value) || !this.accept(';')) this.fail(`${name}: expected '= INTEGER;'`);
    into.constants.push({ name, doc, value });
    const formula = comment.match(abiTag)?.[1];
    if (formula !== undefined) into.bounds.push({ name, formula, where: `${this.path}:${line}` });
  }

  private enumeration(doc: string): Enumeration {
    const { text: name } = this.next();
    if (!this.accept('{')) this.fail(`${name}: expected a body`);
    const members: Constant[] = [];
    while (!this.accept('}')) {
      const member = this.next();
      const value = this.accept('=') ? Number(this.next().text) : (members.at(-1)?.value ?? -1) + 1;
      if (!Number.isInteger(value)) this.fail(`${name}.${member.text}: expected an integer`);
      members.push({ name: member.text, doc: member.doc, value });
      if (!this.accept(',') && this.peek().text !== '}') this.fail(`${name}: cannot read member ${member.text}`);
    }
    return { name, doc, members };
  }

  private fields(doc: string, decorators: string[]): DescriptorClass {
    const { text: name } = this.next();
    if (!decorators.includes('unmanaged')) this.fail(`${name}: a *Desc class must be @unmanaged`);
    if (!this.accept('{')) this.fail(`${name}: an @unmanaged class must not extend, implement or be generic`);
    const fields: DescriptorClass['fields'] = [];
    while (!this.accept('}')) {
      const field = this.next();
      if (!this.accept(':')) this.fail(`${name}: an @unmanaged class has fields 'name: type;' only, got ${field.text}`);
      const type = this.next().text;
      const kind = fieldKinds[type];
      if (!this.accept(';') || kind === undefined) {
        this.fail(
          `${name}.${field.text}: expected usize, i32, u32 or f32 and a semicolon, got ${type} ${this.peek().text}`,
        );
      }
      fields.push({ name: field.text, kind, doc: field.doc });
    }
    if (fields.length === 0) this.fail(`${name}: no fields`);
    return { name, doc, fields };
  }

  /** Undefined for a generic function, which cannot be exported from a module. */
  private functionHeader(doc: string): ExportedFunction | undefined {
    const { text: name } = this.next();
    if (!this.accept('(')) return undefined;
    const parameters: ExportedFunction['parameters'] = [];
    while (!this.accept(')')) {
      const parameter = this.next().text;
      parameters.push({ name: parameter, type: this.accept(':') ? this.type() : '' });
      if (!this.accept(',') && this.peek().text !== ')') this.fail(`${name}: cannot read parameter ${parameter}`);
    }
    const result = this.accept(':') ? this.type() : 'void';
    return { name, doc, parameters, result, path: this.path };
  }

  private type(): string {
    let type = this.next().text;
    while (![',', ')', '{', ';', end.text].includes(this.peek().text)) type += this.next().text;
    return type;
  }

  private skip(): void {
    const opener = this.next();
    const closer = closers[opener.text];
    if (closer === undefined) return;
    while (!this.accept(closer)) {
      if (this.at >= this.tokens.length) this.fail(`'${opener.text}' of line ${opener.line} is not closed`);
      this.skip();
    }
  }

  private peek(): Token {
    return this.tokens[this.at] ?? end;
  }

  private next(): Token {
    const token = this.peek();
    if (token === end) this.fail('unexpected end of the file');
    this.at++;
    return token;
  }

  private accept(text: string): boolean {
    if (this.tokens[this.at]?.text !== text) return false;
    this.at++;
    return true;
  }

  private fail(message: string): never {
    const { line } = this.tokens[Math.max(0, Math.min(this.at, this.tokens.length) - 1)] ?? end;
    throw new Error(`${this.path}:${line}: ${message}`);
  }
}
