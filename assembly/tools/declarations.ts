// Reads descriptor classes and exported functions out of the AssemblyScript sources. A scanner of its own, because loading
// AssemblyScript's parser takes longer than everything else here; asc itself reports what is not valid AssemblyScript.
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

export interface Declarations {
  descriptors: DescriptorClass[];
  functions: ExportedFunction[];
}

interface Token {
  text: string;
  /** The doc comment directly in front of the token. */
  doc: string;
  line: number;
}

const fieldKinds: Record<string, FieldKind> = { usize: 'ptr', i32: 'i32', u32: 'u32', f32: 'f32' };

export function readDeclarations(sources: readonly Source[]): Declarations {
  const declarations: Declarations = { descriptors: [], functions: [] };
  for (const source of sources) new Reader(source).read(declarations);
  const names = new Set<string>();
  for (const { name } of declarations.descriptors) {
    if (names.has(name)) throw new Error(`${name}: declared twice`);
    names.add(name);
  }
  declarations.descriptors.sort((a, b) => (a.name < b.name ? -1 : 1));
  return declarations;
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

  /** Walks over the top level; bodies and initialisers in brackets are skipped as a whole. */
  read(into: Declarations): void {
    while (this.at < this.tokens.length) {
      const { doc } = this.peek();
      const decorators = this.decorators();
      const exported = this.accept('export');
      if (this.accept('class')) {
        if (this.peek().text.endsWith('Desc')) into.descriptors.push(this.descriptor(doc, decorators));
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

  private descriptor(doc: string, decorators: string[]): DescriptorClass {
    const { text: name } = this.next();
    if (!decorators.includes('unmanaged')) this.fail(`${name}: a *Desc class must be @unmanaged`);
    if (!this.accept('{')) this.fail(`${name}: a *Desc class must not extend, implement or be generic`);
    const fields: DescriptorClass['fields'] = [];
    while (!this.accept('}')) {
      const field = this.next();
      if (!this.accept(':')) this.fail(`${name}: a *Desc class has fields 'name: type;' only, got ${field.text}`);
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

  /** Nothing for a generic function: those cannot be exported from a module. */
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
