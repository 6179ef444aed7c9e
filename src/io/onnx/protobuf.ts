import { ConvletError } from '../../common/error.ts';
import type { LazyFile } from '../../common/lazy-file.ts';

/** Wire types of the protobuf encoding (https://protobuf.dev/programming-guides/encoding). */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

const wireNames = ['varint', 'fixed64', 'length-delimited', 'group start', 'group end', 'fixed32', '6', '7'];

/** The nesting limit that Google's readers use too; an ONNX subgraph costs three levels. */
export const maxMessageDepth = 100;

/** Well below the longest string of any engine; an engine throws its own error for a longer string. */
const maxTextBytes = 2 ** 27;

const twoTo32 = 2 ** 32;
/** An array for the characters of a short text, by its length. */
const asciiCodes = Array.from({ length: 65 }, (_, length) => new Array<number>(length).fill(0));
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A part of a file: `bytes` is the whole file, so that positions in errors are positions in the file. */
export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** The file from which `bytes` are filled on demand; absent if all bytes are present. */
  readonly file?: LazyFile;
}

/** The bytes of a range; reads them from the file if necessary. */
export function bytesOf({ bytes, start, end, file }: ByteRange): Uint8Array {
  file?.need(start, end);
  return bytes.subarray(start, end);
}

/** What to do with each field of a message: field number -> reader. Fields that are not listed are skipped. */
export type FieldReaders<T> = { readonly [field: number]: (reader: ProtoReader, message: T) => void };

/**
 * A bounded reader of one protobuf message. Every read is checked against the end of the message; a read beyond it throws
 * a ConvletError of code `malformed` that names the message and the byte. No memory is allocated by a declared length:
 * bytes are views of the file.
 */
export class ProtoReader {
  readonly bytes: Uint8Array;
  readonly message: string;
  /** Next byte to read, from the start of the file. */
  position: number;
  /** Field number and wire type of the last tag. */
  field = 0;
  wireType = 0;
  /** The last varint or fixed64: low word unsigned, high word signed. */
  low = 0;
  high = 0;
  #end: number;
  readonly #depth: number;
  readonly #view: DataView;
  readonly #file: LazyFile | undefined;
  /** The end of the bytes that are present from `position` on; a reader only goes forward. */
  #ready: number;

  constructor(range: ByteRange, message: string, depth = 0, view?: DataView) {
    this.bytes = range.bytes;
    this.message = message;
    this.position = range.start;
    this.#end = range.end;
    this.#depth = depth;
    this.#file = range.file;
    this.#ready = range.file === undefined ? range.end : range.start;
    this.#view = view ?? new DataView(range.bytes.buffer, range.bytes.byteOffset, range.bytes.byteLength);
    if (depth > maxMessageDepth) this.fail(`messages nested more than ${maxMessageDepth} deep`);
  }

  get range(): ByteRange {
    return { bytes: this.bytes, start: this.position, end: this.#end, file: this.#file };
  }

  fail(problem: string, at = this.position): never {
    const where = this.field === 0 ? this.message : `${this.message} field ${this.field}`;
    throw new ConvletError('malformed', `onnx: ${where}: ${problem} at byte ${at}`);
  }

  /** Reads the next tag; false at the end of the message. */
  next(): boolean {
    this.field = 0;
    if (this.position >= this.#end) return false;
    const at = this.position;
    this.#varint();
    if (this.high !== 0) this.fail('tag of more than 32 bits', at);
    this.wireType = this.low & 7;
    this.field = this.low >>> 3;
    if (this.field === 0) this.fail('field number 0', at);
    return true;
  }

  /** Reads the fields that `fields` names, skips the others. */
  read<T>(fields: FieldReaders<T>, message: T): T {
    while (this.next()) {
      const readField = fields[this.field];
      if (readField === undefined) this.skip();
      else readField(this, message);
    }
    return message;
  }

  skip(): void {
    if (this.wireType === wireTypes.varint) this.#varint();
    else if (this.wireType === wireTypes.fixed64) this.#take(8);
    else if (this.wireType === wireTypes.bytes) this.#take(this.#length());
    else if (this.wireType === wireTypes.fixed32) this.#take(4);
    else this.fail(`unsupported wire type ${wireNames[this.wireType]}`);
  }

  /** An int64 field as a number, saturated to ±(2^53-1) (exporters write int64's limits for "the end"). */
  int64(): number {
    this.varint64();
    return this.signed64();
  }

  /** Reads an int64 field exactly, into `low` and `high`. */
  varint64(): void {
    this.#expect(wireTypes.varint);
    this.#varint();
  }

  /** `low` and `high` as a number, saturated to ±(2^53-1). */
  signed64(): number {
    const value = this.high * twoTo32 + this.low;
    return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  }

  /** An int32 or enum field: the low 32 bits, as protobuf defines. */
  int32(): number {
    this.varint64();
    return this.low | 0;
  }

  float(): number {
    this.#expect(wireTypes.fixed32);
    return this.#view.getFloat32(this.#need(4), true);
  }

  double(): number {
    this.#expect(wireTypes.fixed64);
    return this.#view.getFloat64(this.#need(8), true);
  }

  /** The range of a length-delimited field. */
  slice(): ByteRange {
    this.#expect(wireTypes.bytes);
    const start = this.#take(this.#length());
    return { bytes: this.bytes, start, end: this.position, file: this.#file };
  }

  /** The bytes of a length-delimited field: a view, not a copy. */
  view(): Uint8Array {
    return bytesOf(this.slice());
  }

  /** A name. It must be valid UTF-8, so that two different names in the file are different strings. */
  string(): string {
    const { start, end } = this.slice();
    if (end - start > maxTextBytes) this.fail(`text of ${end - start} bytes, at most ${maxTextBytes}`, start);
    this.#fetch(start, end);
    if (end - start <= 64) {
      // Names are mostly short and ASCII: this is several times faster than TextDecoder. Appending characters one by one would
      // allocate a string for each, a MB for a few hundred nodes.
      const { bytes } = this;
      const codes = asciiCodes[end - start];
      let at = start;
      for (; at < end && bytes[at] < 0x80; at++) codes[at - start] = bytes[at];
      if (at === end) return String.fromCharCode.apply(null, codes);
    }
    try {
      // TextDecoder needs a copy, since some runtimes refuse shared memory.
      return strictUtf8.decode(new Uint8Array(this.bytes.subarray(start, end)));
    } catch {
      return this.fail('text is not valid UTF-8', start);
    }
  }

  /** A value that is text by convention only (`bytes` in the schema): invalid UTF-8 becomes U+FFFD. */
  text(): string {
    const range = this.slice();
    const length = range.end - range.start;
    if (length > maxTextBytes) this.fail(`text of ${length} bytes, at most ${maxTextBytes}`);
    return lenientUtf8.decode(new Uint8Array(bytesOf(range)));
  }

  /** A reader of the message in this field. */
  child(message: string): ProtoReader {
    const child = new ProtoReader(this.slice(), message, this.#depth + 1, this.#view);
    child.#ready = this.#ready;
    return child;
  }

  /** Calls `read` for each value of a repeated scalar field, packed or not. */
  repeated(elementWireType: number, read: (reader: ProtoReader) => void): void {
    if (this.wireType !== wireTypes.bytes) {
      this.#expect(elementWireType);
      read(this);
      return;
    }
    const { start, end } = this.slice();
    const outerEnd = this.#end;
    this.position = start;
    this.#end = end;
    this.wireType = elementWireType;
    while (this.position < end) read(this);
    this.#end = outerEnd;
  }

  /** Appends the values of a repeated int64 field (see `int64`). */
  int64s(into: number[]): void {
    this.repeated(wireTypes.varint, (reader) => into.push(reader.int64()));
  }

  /** Appends the values of a repeated float field. */
  floats(into: number[]): void {
    this.repeated(wireTypes.fixed32, (reader) => into.push(reader.float()));
  }

  #expect(wireType: number): void {
    if (this.wireType === wireType) return;
    this.fail(`wire type ${wireNames[this.wireType]}, expected ${wireNames[wireType]}`);
  }

  #length(): number {
    const at = this.position;
    this.#varint();
    if (this.high < 0) this.fail('negative length', at);
    return this.high * twoTo32 + this.low;
  }

  /** Checks that `count` bytes are left and skips them; returns where they start. */
  #take(count: number): number {
    const start = this.position;
    const left = this.#end - start;
    if (count > left) this.fail(`truncated: ${count} bytes expected, ${left} left`);
    this.position = start + count;
    return start;
  }

  /** As `#take`, for bytes whose values are read. */
  #need(count: number): number {
    const start = this.#take(count);
    this.#fetch(start, this.position);
    return start;
  }

  #fetch(start: number, end: number): void {
    if (end > this.#ready && this.#file !== undefined) this.#ready = this.#file.need(start, end);
  }

  #varint(): void {
    const { bytes } = this;
    const start = this.position;
    const end = this.#end;
    // A short path for varints of one byte, which nearly all are (tags, types, lengths of names): models are parsed in code that V8
    // has not optimised yet.
    if (start < end && start < this.#ready && bytes[start] < 0x80) {
      this.position = start + 1;
      this.low = bytes[start];
      this.high = 0;
      return;
    }
    this.#fetch(start, Math.min(start + 10, end));
    let low = 0;
    let high = 0;
    for (let index = 0; index < 10; index++) {
      if (start + index >= end) this.fail('truncated varint', start);
      const byte = bytes[start + index];
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        if (index === 9 && byte > 1) this.fail('varint of more than 64 bits', start);
        this.position = start + index + 1;
        this.low = low >>> 0;
        this.high = high | 0;
        return;
      }
    }
    this.fail('varint of more than 10 bytes', start);
  }
}
