/**
 * The kernels have no state except the imported memory, so a build for threads would differ only in the type of that import.
 * Instead of shipping a second pair of builds, this function declares the memory as shared in a copy of the module's bytes.
 */
export function withSharedMemory(module: Uint8Array, maximumPages: number): Uint8Array<ArrayBuffer> {
  const reader = new SectionReader(module);
  for (let at = 8; at < module.length; ) {
    const id = module[at];
    const { value: size, next: body } = reader.unsigned(at + 1);
    if (id === importSection) {
      const patched = shareImport(reader, body, maximumPages);
      const section = [importSection, ...unsignedBytes(patched.length), ...patched];
      const out = new Uint8Array(at + section.length + module.length - (body + size));
      out.set(module.subarray(0, at));
      out.set(section, at);
      out.set(module.subarray(body + size), at + section.length);
      return out;
    }
    at = body + size;
  }
  throw new Error('the kernel module imports no memory');
}

const importSection = 2;
const memoryKind = 2;
/** Limits flags of the binary format: shared, with a maximum. */
const sharedWithMaximum = 3;

/** The body of an import section whose one entry is the memory, declared as shared. */
function shareImport(reader: SectionReader, body: number, maximumPages: number): number[] {
  const count = reader.unsigned(body);
  const moduleEnd = reader.skipName(count.next);
  const nameEnd = reader.skipName(moduleEnd);
  if (count.value !== 1 || reader.bytes[nameEnd] !== memoryKind)
    throw new Error('the kernel module imports more than a memory');
  const initial = reader.unsigned(nameEnd + 2);
  const head = reader.bytes.subarray(body, nameEnd + 1);
  return [...head, sharedWithMaximum, ...unsignedBytes(initial.value), ...unsignedBytes(maximumPages)];
}

/** Reads LEB128 numbers and names of a module that this package built, and therefore without checks. */
class SectionReader {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  unsigned(at: number): { value: number; next: number } {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return { value: value >>> 0, next: at };
    }
  }

  skipName(at: number): number {
    const { value, next } = this.unsigned(at);
    return next + value;
  }
}

function unsignedBytes(value: number): number[] {
  const out: number[] = [];
  do {
    out.push(value > 127 ? (value & 127) | 128 : value);
    value >>>= 7;
  } while (value > 0);
  return out;
}
