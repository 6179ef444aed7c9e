import { ConvletError, shapeText } from '../common/error.ts';
import {
  checkTensor,
  countElements,
  decodeElements,
  type ElementType,
  elementTypeOf,
  elementTypes,
  encodeElements,
  plainBytes,
  type TensorValue,
} from './elements.ts';
import { foreignError } from './foreign.ts';

/** The format's names of element types: https://github.com/huggingface/safetensors */
const safeTypes: { readonly [name: string]: ElementType } = {
  BOOL: 'bool',
  U8: 'u8',
  I8: 'i8',
  I16: 'i16',
  U16: 'u16',
  F16: 'f16',
  BF16: 'bf16',
  I32: 'i32',
  U32: 'u32',
  F32: 'f32',
  F64: 'f64',
  I64: 'i64',
  U64: 'u64',
};
/** Types that the format defines and convlet does not store. */
const otherTypes = new Set(['F4', 'F6_E2M3', 'F6_E3M2', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0', 'C64']);
/** The reference implementation writes wide types first, in the reverse of this order. */
const safeNames = Object.keys(safeTypes);

/** The reference implementation's limit. */
const maxHeaderBytes = 100_000_000;
const prefixBytes = 8;

interface Entry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file: name -> tensor, in file order. It is as strict as the reference implementation: tensors must cover
 * the data section without gaps or overlaps, and byte counts must match shapes. Aligned data is viewed, not copied; int64
 * becomes checked int32, half floats become float32. Throws `malformed` or `unsupported`.
 */
export function readSafetensors(bytes: Uint8Array): Map<string, TensorValue> {
  const { entries, data } = parse(bytes);
  const tensors = new Map<string, TensorValue>();
  for (const { name, type, shape, begin, end } of entries) {
    const source = { format: 'safetensors', what: `tensor '${name}'` };
    const values = decodeElements(type, data.subarray(begin, end), source);
    tensors.set(name, { dtype: elementTypes[type].dtype, shape, data: values });
  }
  return tensors;
}

/** The `__metadata__` of a safetensors file: text by key; empty if there is none. */
export function readSafetensorsMetadata(bytes: Uint8Array): Map<string, string> {
  return parse(bytes).metadata;
}

/**
 * Writes a safetensors file in the order of the reference implementation: element types from wide to narrow, then
 * names. Spaces pad the header, so that the data starts at a multiple of 8. Throws `dtype`, `shape` or `argument`.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, TensorValue]>,
  metadata?: Iterable<readonly [string, string]>,
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors].map(([name, tensor]) => {
    checkTensor(tensor, { format: 'safetensors', what: `tensor '${name}'` });
    const type = elementTypeOf[tensor.dtype];
    const rank = safeNames.findIndex((safeName) => safeTypes[safeName] === type);
    return { name, type, rank, shape: tensor.shape, data: tensor.data };
  });
  entries.sort((a, b) => b.rank - a.rank || (a.name < b.name ? -1 : 1));
  const parts: string[] = [];
  // The JSON is built by hand: as keys of an object, names that look like integers would change their order.
  if (metadata !== undefined) parts.push(`"__metadata__":${JSON.stringify(Object.fromEntries(metadata))}`);
  const seen = new Set(['__metadata__']);
  let end = 0;
  for (const { name, type, rank, shape, data } of entries) {
    if (seen.has(name)) throw new ConvletError('argument', `safetensors: name '${name}' is taken`);
    seen.add(name);
    const begin = end;
    end += data.length * elementTypes[type].bytes;
    parts.push(
      `${JSON.stringify(name)}:{"dtype":"${safeNames[rank]}","shape":[${shape}],"data_offsets":[${begin},${end}]}`,
    );
  }
  const text = new TextEncoder().encode(`{${parts.join(',')}}`);
  const headerBytes = Math.ceil(text.byteLength / 8) * 8;
  const out = new Uint8Array(prefixBytes + headerBytes + end);
  new DataView(out.buffer).setUint32(0, headerBytes, true);
  out.fill(0x20, prefixBytes, prefixBytes + headerBytes);
  out.set(text, prefixBytes);
  let at = prefixBytes + headerBytes;
  for (const { type, data } of entries) {
    const encoded = encodeElements(type, data);
    out.set(encoded, at);
    at += encoded.byteLength;
  }
  return out;
}

function malformed(problem: string, cause?: unknown): ConvletError {
  return new ConvletError('malformed', `safetensors: ${problem}`, { cause });
}

interface Parsed {
  readonly entries: Entry[];
  readonly metadata: Map<string, string>;
  readonly data: Uint8Array;
}

function parse(bytes: Uint8Array): Parsed {
  const file = plainBytes(bytes, 'safetensors');
  try {
    return parseFile(file);
  } catch (error) {
    throw foreignError(file, 'safetensors', 'a safetensors file', error);
  }
}

function parseFile(file: Uint8Array): Parsed {
  if (file.byteLength < prefixBytes) {
    throw malformed(`a file has at least ${prefixBytes} bytes, this one has ${file.byteLength}`);
  }
  const view = new DataView(file.buffer, file.byteOffset, prefixBytes);
  const headerBytes = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (headerBytes > maxHeaderBytes) throw malformed(`header of ${headerBytes} bytes, at most ${maxHeaderBytes}`);
  const left = file.byteLength - prefixBytes;
  if (headerBytes > left) throw malformed(`header of ${headerBytes} bytes, ${left} are left`);
  const data = file.subarray(prefixBytes + headerBytes);
  const header = parseHeader(file.subarray(prefixBytes, prefixBytes + headerBytes));

  const entries: Entry[] = [];
  let metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = readMetadata(value);
    else entries.push(readEntry(name, value));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered) throw malformed(`tensor '${name}' expects to begin at byte ${covered}, got ${begin}`);
    covered = end;
  }
  if (covered !== data.byteLength) throw malformed(`tensors cover ${covered} bytes of data, got ${data.byteLength}`);
  return { entries, metadata, data };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw malformed(`header does not begin with '{'`);
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
    header = JSON.parse(text);
  } catch (cause) {
    throw malformed(`header is not JSON in UTF-8`, cause);
  }
  return header as Record<string, unknown>;
}

function readMetadata(value: unknown): Map<string, string> {
  const entries = isObject(value) ? Object.entries(value) : null;
  if (entries === null || entries.some(([, text]) => typeof text !== 'string')) {
    throw malformed(`__metadata__ is not an object of strings`);
  }
  return new Map(entries as [string, string][]);
}

function readEntry(name: string, value: unknown): Entry {
  const what = `tensor '${name}'`;
  if (!isObject(value)) throw malformed(`${what} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  const type = typeof dtype === 'string' && Object.hasOwn(safeTypes, dtype) ? safeTypes[dtype] : undefined;
  if (type === undefined) {
    if (otherTypes.has(dtype as string)) {
      throw new ConvletError('unsupported', `safetensors: ${what} has dtype ${dtype}, which is not supported`);
    }
    throw malformed(`${what} has unknown dtype ${JSON.stringify(dtype)}`);
  }
  if (!isNaturals(shape)) throw malformed(`${what} expects a shape of natural numbers, got ${JSON.stringify(shape)}`);
  const count = countElements(shape);
  if (Number.isNaN(count))
    throw malformed(`${what} of shape ${shapeText(shape)} has more elements than can be counted`);
  if (!isNaturals(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw malformed(`${what} expects data_offsets [begin, end], got ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets;
  const expected = count * elementTypes[type].bytes;
  if (end - begin !== expected) {
    throw malformed(
      `${what} of shape ${shapeText(shape)} and dtype ${dtype} expects ${expected} bytes, got ${end - begin}`,
    );
  }
  return { name, type, shape, begin, end };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNaturals(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
