// Checks the contents of a kernel module. Every thread has its own instance over one memory, and the host assigns all addresses of
// that memory: a module must not initialise memory at instantiation, have state or have other imports. The binary
// is read here and not through WebAssembly.Module, since Node 20 refuses to compile relaxed SIMD.

const sectionIds = { import: 2, table: 4, global: 6, export: 7, start: 8, element: 9, data: 11 };
const externKinds = ['function', 'table', 'memory', 'global', 'tag'];

const forbidden: Record<number, string> = {
  [sectionIds.table]: 'a function table',
  [sectionIds.global]: 'global variables',
  [sectionIds.start]: 'a start function',
  [sectionIds.element]: 'table elements',
  [sectionIds.data]: 'data segments (a static array or a string?)',
};

/** The names of the exported functions, sorted. Throws an Error that lists everything a kernel module must not have. */
export function checkModule(variant: string, bytes: Uint8Array): string[] {
  const problems: string[] = [];
  const exported: string[] = [];
  const reader = new BinaryReader(bytes, 8);
  while (!reader.done) {
    const id = reader.byte();
    const size = reader.unsigned();
    const body = reader.sub(size);
    if (id === sectionIds.import) {
      problems.push(...checkImports(body));
    } else if (id === sectionIds.export) {
      for (let count = body.unsigned(); count > 0; count--) {
        const name = body.name();
        const kind = externKinds[body.byte()];
        body.unsigned();
        if (kind === 'function') exported.push(name);
        else problems.push(`exports ${kind} ${name}`);
      }
    } else if (id === sectionIds.start || (id in forbidden && body.unsigned() > 0)) {
      problems.push(`has ${forbidden[id]}`);
    }
  }
  if (problems.length > 0) throw new Error(`kernels.${variant}.wasm ${problems.join('; ')}`);
  return exported.sort();
}

/** Only env.memory may be imported; a module whose functions use no memory has no import. */
function checkImports(body: BinaryReader): string[] {
  const problems: string[] = [];
  // After an import of another kind the rest of the section cannot be read, but then the build has already failed.
  for (let count = body.unsigned(); count > 0 && problems.length === 0; count--) {
    const name = `${body.name()}.${body.name()}`;
    const kind = externKinds[body.byte()];
    if (kind !== 'memory' || name !== 'env.memory') {
      problems.push(`imports ${kind} ${name}`);
    } else {
      const hasMaximum = (body.byte() & 1) !== 0;
      body.unsigned();
      if (hasMaximum) body.unsigned();
    }
  }
  return problems;
}

class BinaryReader {
  private readonly bytes: Uint8Array;
  private at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    if (this.done) throw new Error('the module ends in the middle of a section');
    return this.bytes[this.at++];
  }

  /** LEB128. */
  unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  name(): string {
    const { bytes } = this.sub(this.unsigned());
    return new TextDecoder().decode(bytes);
  }

  sub(size: number): BinaryReader {
    const part = new BinaryReader(this.bytes.subarray(this.at, this.at + size));
    this.at += size;
    return part;
  }
}
