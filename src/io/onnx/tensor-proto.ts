import type { DType } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { maxRank } from '../../tensor/layout.ts';
import { countElements, type ElementType, elementTypes } from '../elements.ts';
import { type ByteRange, type FieldReaders, type ProtoReader, wireTypes } from './protobuf.ts';

/** Fields of TensorProto (onnx.proto) that hold values. */
export const storageFields: { readonly [field: number]: string } = {
  4: 'float_data',
  5: 'int32_data',
  6: 'string_data',
  7: 'int64_data',
  9: 'raw_data',
  10: 'double_data',
  11: 'uint64_data',
};
const rawData = 9;
const external = 1; // TensorProto.DataLocation.EXTERNAL

/** TensorProto.DataType: ONNX name, and for types that convlet stores, the element and the typed field. */
export const dataTypes: {
  readonly [dataType: number]: { name: string; element?: ElementType; field?: number; min?: number; max?: number };
} = {
  1: { name: 'FLOAT', element: 'f32', field: 4 },
  2: { name: 'UINT8', element: 'u8', field: 5, min: 0, max: 255 },
  3: { name: 'INT8', element: 'i8', field: 5, min: -128, max: 127 },
  4: { name: 'UINT16', element: 'u16', field: 5, min: 0, max: 65535 },
  5: { name: 'INT16', element: 'i16', field: 5, min: -32768, max: 32767 },
  6: { name: 'INT32', element: 'i32', field: 5 },
  7: { name: 'INT64', element: 'i64', field: 7 },
  8: { name: 'STRING' },
  9: { name: 'BOOL', element: 'bool', field: 5, min: 0, max: 1 },
  10: { name: 'FLOAT16', element: 'f16', field: 5, min: 0, max: 65535 },
  11: { name: 'DOUBLE', element: 'f64', field: 10 },
  12: { name: 'UINT32', element: 'u32', field: 11, min: 0, max: 0xffffffff },
  13: { name: 'UINT64', element: 'u64', field: 11 },
  14: { name: 'COMPLEX64' },
  15: { name: 'COMPLEX128' },
  16: { name: 'BFLOAT16', element: 'bf16', field: 5, min: 0, max: 65535 },
  17: { name: 'FLOAT8E4M3FN' },
  18: { name: 'FLOAT8E4M3FNUZ' },
  19: { name: 'FLOAT8E5M2' },
  20: { name: 'FLOAT8E5M2FNUZ' },
  21: { name: 'UINT4' },
  22: { name: 'INT4' },
  23: { name: 'FLOAT4E2M1' },
  24: { name: 'FLOAT8E8M0' },
  25: { name: 'UINT2' },
  26: { name: 'INT2' },
};

/** The dtype of a TensorProto.DataType; null for those that convlet does not store. */
export function onnxDType(dataType: number): DType | null {
  const element = dataTypes[dataType]?.element;
  return element === undefined ? null : elementTypes[element].dtype;
}

/** ONNX's name of a TensorProto.DataType: `FLOAT`. */
export function onnxTypeName(dataType: number): string {
  return dataTypes[dataType]?.name ?? `data type ${dataType}`;
}

/** The TensorProto.DataType of each dtype. */
export const onnxDataTypes = Object.fromEntries(
  Object.keys(dataTypes).flatMap((code) => {
    const dtype = onnxDType(Number(code));
    return dtype === null ? [] : [[dtype, Number(code)]];
  }),
) as Record<DType, number>;

/** The place of an EXTERNAL tensor's bytes; if `length` is null, there are as many as the shape needs. */
export interface ExternalData {
  readonly location: string;
  readonly offset: number;
  readonly length: number | null;
}

/** A tensor of a model, not decoded yet: its values stay in the file until `decodeTensor`. */
export interface OnnxTensor {
  readonly name: string;
  /** Its name in errors: `initializer 'conv1.weight'`, `attribute 'value' of node 'c' (Constant)`. */
  readonly label: string;
  /** TensorProto.DataType. */
  readonly dataType: number;
  readonly dims: readonly number[];
  /** The message itself, for values that are in typed fields. */
  readonly proto: ByteRange;
  /** Field that holds the values (`storageFields`), 0 if none does. */
  readonly storage: number;
  readonly raw: ByteRange | null;
  readonly external: ExternalData | null;
  /** Part of a tensor (the deprecated `segment` field). */
  readonly segmented: boolean;
  readonly sparse: { readonly values: OnnxTensor; readonly indices: OnnxTensor } | null;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };
type TensorDraft = Draft<OnnxTensor> & { dims: number[]; entries: Map<string, string>; location: number };

/** Notes which field contains the values. Empty fields do not count: some writers add an empty raw_data to typed data. */
function readStorage(reader: ProtoReader, tensor: TensorDraft): void {
  const { field, position: at } = reader;
  let range: ByteRange | null = null;
  if (reader.wireType === wireTypes.bytes) range = reader.slice();
  else reader.skip();
  if (field === rawData && range === null) reader.fail('raw_data that is not length-delimited', at);
  if (range !== null && range.start === range.end) {
    if (tensor.storage === 0 && field === rawData) tensor.raw = range;
    return;
  }
  if (tensor.storage !== 0 && tensor.storage !== field) {
    reader.fail(`values both in ${storageFields[tensor.storage]} and in ${storageFields[field]}`, at);
  }
  tensor.storage = field;
  tensor.raw = field === rawData ? range : null;
}

const entryFields: FieldReaders<{ key: string; value: string }> = {
  1: (reader, entry) => (entry.key = reader.string()),
  2: (reader, entry) => (entry.value = reader.string()),
};

/** Reads a StringStringEntryProto into `into`. */
export function readEntry(reader: ProtoReader, into: Map<string, string>): void {
  const { key, value } = reader.child('StringStringEntryProto').read(entryFields, { key: '', value: '' });
  into.set(key, value);
}

function readDims(reader: ProtoReader, dims: number[]): void {
  reader.int64s(dims);
}

const tensorFields: FieldReaders<TensorDraft> = {
  1: (reader, tensor) => readDims(reader, tensor.dims),
  2: (reader, tensor) => (tensor.dataType = reader.int32()),
  3: (reader, tensor) => {
    reader.skip();
    tensor.segmented = true;
  },
  4: readStorage,
  5: readStorage,
  6: readStorage,
  7: readStorage,
  8: (reader, tensor) => (tensor.name = reader.string()),
  9: readStorage,
  10: readStorage,
  11: readStorage,
  13: (reader, tensor) => readEntry(reader, tensor.entries),
  14: (reader, tensor) => (tensor.location = reader.int32()),
};

function emptyTensor(proto: ByteRange): TensorDraft {
  return {
    name: '',
    label: 'tensor',
    dataType: 0,
    dims: [],
    proto,
    storage: 0,
    raw: null,
    external: null,
    segmented: false,
    sparse: null,
    entries: new Map(),
    location: 0,
  };
}

function checkDims(dims: readonly number[], label: string): void {
  if (dims.length > maxRank) {
    throw new ConvletError('unsupported', `onnx: ${label} has ${dims.length} axes, at most ${maxRank} are supported`);
  }
  const negative = dims.find((dim) => dim < 0);
  if (negative !== undefined) {
    throw new ConvletError('malformed', `onnx: ${label} has a negative dimension ${negative} in ${shapeText(dims)}`);
  }
  if (Number.isNaN(countElements(dims))) {
    throw new ConvletError(
      'malformed',
      `onnx: ${label} of shape ${shapeText(dims)} has more elements than can be counted`,
    );
  }
}

/** Reads a TensorProto's header; values stay in the file. `label`: the name in errors, from the tensor's name. */
export function readTensor(reader: ProtoReader, label: (name: string) => string): OnnxTensor {
  const { entries, location, ...tensor } = reader.read(tensorFields, emptyTensor(reader.range));
  tensor.label = label(tensor.name);
  checkDims(tensor.dims, tensor.label);
  if (location === external) tensor.external = readExternal(entries, tensor.label);
  return tensor;
}

/** Reads a SparseTensorProto, whose name is that of its tensor of values. It becomes dense when it is decoded. */
export function readSparseTensor(reader: ProtoReader, label: (name: string) => string): OnnxTensor {
  const draft = { ...emptyTensor(reader.range), values: null as OnnxTensor | null, indices: null as OnnxTensor | null };
  reader.read(sparseFields, draft);
  const { entries: _entries, location: _location, values, indices, ...tensor } = draft;
  if (values === null || indices === null) return reader.fail('sparse tensor without values or indices');
  tensor.name = values.name;
  tensor.label = label(values.name);
  tensor.dataType = values.dataType;
  tensor.sparse = { values, indices };
  checkDims(tensor.dims, tensor.label);
  return tensor;
}

const sparseFields: FieldReaders<{ dims: number[]; values: OnnxTensor | null; indices: OnnxTensor | null }> = {
  1: (reader, sparse) => {
    sparse.values = readTensor(reader.child('TensorProto'), (name) => `values of sparse tensor '${name}'`);
  },
  2: (reader, sparse) => {
    sparse.indices = readTensor(reader.child('TensorProto'), (name) => `indices '${name}' of a sparse tensor`);
  },
  3: (reader, sparse) => readDims(reader, sparse.dims),
};

function readExternal(entries: Map<string, string>, label: string): ExternalData {
  const bad = (problem: string) => new ConvletError('malformed', `onnx: external data of ${label}: ${problem}`);
  const natural = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined) return null;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw bad(`${key} expects a natural number, got '${text}'`);
    return value;
  };
  const location = entries.get('location') ?? '';
  if (location === '') throw bad('no location');
  const parts = location.split(/[\\/]/);
  // The file must be in the model's directory or below. A colon would be a drive, an alternate stream or a URL's scheme.
  if (parts[0] === '' || parts.includes('..') || /[:\0]/.test(location)) {
    throw bad(`location '${location}' leaves the model's directory`);
  }
  return { location, offset: natural('offset') ?? 0, length: natural('length') };
}
