import { byteLength, type DType, type TypedArray } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { bfloat16ToFloat32Bits, float16ToFloat32Bits } from '../../common/half.ts';
import { FileStorage, UnalignedStorage } from '../../memory/storage.ts';
import { constant, Tensor } from '../../tensor/tensor.ts';
import {
  countElements,
  decodeElements,
  type ElementType,
  elementTypes,
  int64Error,
  narrowInt64,
  plainBytes,
  type Source,
  type TensorValue,
} from '../elements.ts';
import { type ByteRange, bytesOf, ProtoReader, wireTypes } from './protobuf.ts';
import {
  dataTypes,
  type ExternalData,
  type OnnxTensor,
  onnxDType,
  onnxTypeName,
  readTensor,
  storageFields,
} from './tensor-proto.ts';

/** Bytes of the decoded tensor in memory, computed from its header. Throws `unsupported` as `decodeTensor` does. */
export function tensorByteLength(tensor: OnnxTensor): number {
  return byteLength(elementTypes[elementOf(tensor)].dtype, countElements(tensor.dims));
}

/** The most bytes of a dense copy of a sparse tensor, the only tensor that may be larger than its file. */
export const maxSparseBytes = 2 ** 28;

/**
 * The values of a tensor, in the storage of its dtype. Values that are aligned in the file are views, not copies, so
 * treat them as read-only. int64 becomes checked int32 (see `narrowInt64`), float16 and bfloat16 become float32.
 *
 * `readExternal` returns the bytes of a file beside the model, named by a relative path without `..`.
 * Throws `malformed` if the byte count does not match the shape, `unsupported` for types that convlet does not store.
 */
export function decodeTensor(
  tensor: OnnxTensor,
  readExternal?: (location: string) => Uint8Array,
): { dtype: DType; shape: number[]; data: TypedArray } {
  const element = elementOf(tensor);
  const source: Source = { format: 'onnx', what: tensor.label };
  const shape = [...tensor.dims];
  const { dtype } = elementTypes[element];
  let data: TypedArray;
  if (tensor.sparse !== null) data = densify(tensor, readExternal);
  else if (tensor.external !== null)
    data = decodeElements(element, externalBytes(tensor, element, readExternal), source);
  else if (tensor.raw !== null) data = decodeElements(element, rawBytes(tensor, element, tensor.raw), source);
  else data = decodeTyped(tensor, element, source);
  return { dtype, shape, data };
}

/** Weights of at least so many bytes stay in a file that is read on demand until they are needed. */
const lazyBytes = 1 << 14;

/** As `decodeTensor`, as a constant. Floats that are unaligned in the file, or not read yet, stay in the file until they are needed. */
export function decodeConstant(tensor: OnnxTensor, readExternal?: (location: string) => Uint8Array): Tensor {
  if (tensor.sparse === null && tensor.external === null && tensor.raw !== null && elementOf(tensor) === 'f32') {
    const { file, start, end } = tensor.raw;
    const lazy = file !== undefined && end - start >= lazyBytes;
    const bytes = rawBytes(tensor, 'f32', lazy ? { ...tensor.raw, file: undefined } : tensor.raw);
    if (lazy) return new Tensor('float32', [...tensor.dims], 'row', new FileStorage(file, bytes, start), true);
    if (bytes.byteOffset % 4 !== 0) {
      return new Tensor('float32', [...tensor.dims], 'row', new UnalignedStorage(bytes), true);
    }
  }
  const { data, shape, dtype } = decodeTensor(tensor, readExternal);
  return constant(data, shape, dtype);
}

/** Decodes the bytes of a bare TensorProto, the content of the ONNX backend tests' `input_0.pb`. */
export function decodeTensorProto(bytes: Uint8Array): TensorValue & { readonly name: string } {
  const file = plainBytes(bytes, 'onnx');
  const reader = new ProtoReader({ bytes: file, start: 0, end: file.byteLength }, 'TensorProto');
  const tensor = readTensor(reader, (name) => `tensor '${name}'`);
  return { name: tensor.name, ...decodeTensor(tensor) };
}

function elementOf(tensor: OnnxTensor): ElementType {
  const type = dataTypes[tensor.dataType];
  if (type === undefined) {
    throw new ConvletError(
      'malformed',
      `onnx: ${tensor.label} has data type ${tensor.dataType}, which ONNX does not define`,
    );
  }
  if (type.element === undefined) {
    throw new ConvletError(
      'unsupported',
      `onnx: ${tensor.label} has element type ${type.name}, which is not supported`,
    );
  }
  if (tensor.segmented) {
    throw new ConvletError('unsupported', `onnx: ${tensor.label} is stored in segments, which is not supported`);
  }
  return type.element;
}

function countError(tensor: OnnxTensor, unit: string, expected: number, actual: number): ConvletError {
  const type = onnxTypeName(tensor.dataType);
  return new ConvletError(
    'malformed',
    `onnx: ${tensor.label} of shape ${shapeText(tensor.dims)} and type ${type} expects ${expected} ${unit}, got ${actual}`,
  );
}

function rawBytes(tensor: OnnxTensor, element: ElementType, range: ByteRange): Uint8Array {
  const expected = countElements(tensor.dims) * elementTypes[element].bytes;
  const actual = range.end - range.start;
  if (actual !== expected) throw countError(tensor, 'bytes of raw_data', expected, actual);
  return bytesOf(range);
}

function externalBytes(
  tensor: OnnxTensor,
  element: ElementType,
  readExternal: ((location: string) => Uint8Array) | undefined,
): Uint8Array {
  const { location, offset, length } = tensor.external as ExternalData;
  if (readExternal === undefined) {
    throw new ConvletError('environment', `onnx: ${tensor.label} is in the file '${location}', which was not given`);
  }
  const expected = countElements(tensor.dims) * elementTypes[element].bytes;
  if (length !== null && length !== expected) throw countError(tensor, 'bytes of external data', expected, length);
  const file = plainBytes(readExternal(location), 'onnx');
  if (offset + expected > file.byteLength) {
    throw new ConvletError(
      'malformed',
      `onnx: ${tensor.label} expects bytes ${offset} to ${offset + expected} of '${location}', which has ${file.byteLength}`,
    );
  }
  return file.subarray(offset, offset + expected);
}

/** Values in float_data, int32_data, …: counted in a first pass over the message, so that a short file allocates nothing. */
function decodeTyped(tensor: OnnxTensor, element: ElementType, source: Source): TypedArray {
  const { field, min = -0x80000000, max = 0x7fffffff } = dataTypes[tensor.dataType];
  const count = countElements(tensor.dims);
  if (tensor.storage !== 0 && tensor.storage !== field) {
    const expected = storageFields[field as number];
    throw new ConvletError(
      'malformed',
      `onnx: ${tensor.label} of type ${onnxTypeName(tensor.dataType)} expects its values in raw_data or ${expected}, got ${storageFields[tensor.storage]}`,
    );
  }
  const fixed = element === 'f32' || element === 'f64';
  const wireType = { f32: wireTypes.fixed32, f64: wireTypes.fixed64 }[element as string] ?? wireTypes.varint;
  const each = (read: (reader: ProtoReader) => void) => {
    const reader = new ProtoReader(tensor.proto, 'TensorProto');
    while (reader.next()) {
      if (reader.field === field) reader.repeated(wireType, read);
      else reader.skip();
    }
  };
  let found = 0;
  let only: ByteRange | null = null;
  const size = elementTypes[element].bytes;
  const counter = new ProtoReader(tensor.proto, 'TensorProto');
  while (counter.next()) {
    if (counter.field !== field) counter.skip();
    else if (counter.wireType !== wireTypes.bytes) {
      counter.repeated(wireType, (reader) => reader.skip());
      found++;
    } else {
      const range = counter.slice();
      only = found === 0 ? range : null;
      found += fixed ? (range.end - range.start) / size : countVarints(range);
    }
  }
  const unit = `values in ${storageFields[field as number]}`;
  if (found !== count) throw countError(tensor, unit, count, found);
  // Packed floats, the usual case, have the same bytes as raw data.
  if (fixed && only !== null && (only.end - only.start) / size === count) {
    return decodeElements(element, bytesOf(only), source);
  }

  let at = 0;
  if (fixed) {
    const data = new (element === 'f32' ? Float32Array : Float64Array)(count);
    each((reader) => (data[at++] = element === 'f32' ? reader.float() : reader.double()));
    return data;
  }
  if (element === 'i64' || element === 'u64') {
    const signed = element === 'i64';
    const data = new (signed ? Int32Array : Uint32Array)(count);
    each((reader) => {
      reader.varint64();
      const value = narrowInt64(reader.low, reader.high, signed);
      if (Number.isNaN(value)) throw int64Error(reader.low, reader.high, signed, source);
      data[at++] = value;
    });
    return data;
  }
  const checked = (reader: ProtoReader): number => {
    const value = element === 'u32' ? reader.int64() : reader.int32();
    if (value < min || value > max) {
      reader.fail(`value ${value} of ${tensor.label} is outside ${onnxTypeName(tensor.dataType)}`);
    }
    return value;
  };
  if (element === 'f16' || element === 'bf16') {
    const toFloat = element === 'f16' ? float16ToFloat32Bits : bfloat16ToFloat32Bits;
    const bits = new Uint32Array(count);
    each((reader) => (bits[at++] = toFloat(checked(reader))));
    return new Float32Array(bits.buffer);
  }
  const data = new smallArrays[element](count);
  each((reader) => (data[at++] = checked(reader)));
  return data;
}

const smallArrays = {
  i32: Int32Array,
  u32: Uint32Array,
  i16: Int16Array,
  u16: Uint16Array,
  i8: Int8Array,
  u8: Uint8Array,
  bool: Uint8Array,
};

/** Counts the last bytes of varints, the only ones whose high bit is clear. */
function countVarints(range: ByteRange): number {
  const bytes = bytesOf(range);
  let count = 0;
  for (let at = 0; at < bytes.length; at++) count += (bytes[at] >>> 7) ^ 1;
  return count;
}

/** Dense values of a sparse tensor; indices are linear [nnz] or coordinates [nnz, rank], in ascending order. */
function densify(tensor: OnnxTensor, readExternal?: (location: string) => Uint8Array): TypedArray {
  const { values, indices } = tensor.sparse as { values: OnnxTensor; indices: OnnxTensor };
  const bad = (problem: string) => new ConvletError('malformed', `onnx: sparse ${tensor.label}: ${problem}`);
  const size = tensorByteLength(tensor);
  if (size > maxSparseBytes) {
    throw new ConvletError(
      'unsupported',
      `onnx: sparse ${tensor.label} of shape ${shapeText(tensor.dims)} takes ${size} bytes, at most ${maxSparseBytes} are supported`,
    );
  }
  const { dims } = tensor;
  const nnz = values.dims.length === 1 ? values.dims[0] : Number.NaN;
  const coordinates = indices.dims.length === 2;
  if (indices.dims[0] !== nnz || (coordinates ? indices.dims[1] !== dims.length : indices.dims.length !== 1)) {
    throw bad(`values of shape ${shapeText(values.dims)} do not fit indices of shape ${shapeText(indices.dims)}`);
  }
  if (onnxDType(indices.dataType) !== 'int64') throw bad('indices are not of type INT64');
  const index = decodeTensor(indices, readExternal).data;
  const value = decodeTensor(values, readExternal).data;
  const count = countElements(dims);
  const dense = new (value.constructor as new (length: number) => TypedArray)(count);
  let previous = -1;
  for (let i = 0; i < nnz; i++) {
    let at = coordinates ? 0 : index[i];
    for (let axis = 0; coordinates && axis < dims.length; axis++) {
      const coordinate = index[i * dims.length + axis];
      if (coordinate < 0 || coordinate >= dims[axis]) throw bad(`index ${coordinate} is outside axis ${axis}`);
      at = at * dims[axis] + coordinate;
    }
    if (at <= previous || at >= count) throw bad(`index ${at} is outside ${count} elements or out of order`);
    previous = at;
    dense[at] = value[i];
  }
  return dense;
}
