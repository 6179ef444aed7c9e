import { wireTypes } from './protobuf.ts';

const utf8 = new TextEncoder();
const copyBelow = 256;

/**
 * Writes one protobuf message. Large byte fields are kept by reference until `finish`, so that a model's weights are
 * copied once. Fields are written in the order of the calls.
 */
export class ProtoWriter {
  #chunks: Uint8Array[] = [];
  #pending: number[] = [];
  #chunkBytes = 0;

  get length(): number {
    return this.#chunkBytes + this.#pending.length;
  }

  /** A varint field: int32, int64, uint64, bool or enum. Numbers must be safe integers; use bigint beyond. */
  int(field: number, value: number | bigint): this {
    this.#tag(field, wireTypes.varint);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#tag(field, wireTypes.fixed32);
    return this.#append(new Uint8Array(new Float32Array([value]).buffer));
  }

  double(field: number, value: number): this {
    this.#tag(field, wireTypes.fixed64);
    return this.#append(new Uint8Array(new Float64Array([value]).buffer));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, wireTypes.bytes);
    this.#varint(value.byteLength);
    return this.#append(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  message(field: number, value: ProtoWriter): this {
    this.#tag(field, wireTypes.bytes);
    this.#varint(value.length);
    value.#flush();
    for (const chunk of value.#chunks) this.#append(chunk);
    return this;
  }

  packedInts(field: number, values: Iterable<number | bigint>): this {
    const payload = new ProtoWriter();
    for (const value of values) payload.#varint(value);
    return this.message(field, payload);
  }

  packedFloats(field: number, values: ArrayLike<number>): this {
    return this.bytes(field, new Uint8Array(Float32Array.from(values).buffer));
  }

  packedDoubles(field: number, values: ArrayLike<number>): this {
    return this.bytes(field, new Uint8Array(Float64Array.from(values).buffer));
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#flush();
    const out = new Uint8Array(this.#chunkBytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      out.set(chunk, at);
      at += chunk.byteLength;
    }
    return out;
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) {
      let rest = value;
      for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#pending.push((rest % 0x80) | 0x80);
      this.#pending.push(rest);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value)); // negative numbers take ten bytes
    for (; rest >= 0x80n; rest >>= 7n) this.#pending.push(Number(rest & 0x7fn) | 0x80);
    this.#pending.push(Number(rest));
  }

  #append(bytes: Uint8Array): this {
    if (bytes.byteLength <= copyBelow) {
      for (let at = 0; at < bytes.byteLength; at++) this.#pending.push(bytes[at]);
      return this;
    }
    this.#flush();
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.byteLength;
    return this;
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    this.#chunks.push(Uint8Array.from(this.#pending));
    this.#chunkBytes += this.#pending.length;
    this.#pending = [];
  }
}
