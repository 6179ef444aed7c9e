import type { DType } from '../../common/dtype.ts';
import type { FieldReaders, ProtoReader } from './protobuf.ts';
import { onnxDType } from './tensor-proto.ts';

export interface OnnxValueInfo {
  readonly name: string;
  readonly kind: 'tensor' | 'sequence' | 'map' | 'optional' | 'sparse' | 'unknown';
  /** TensorProto.DataType; 0 if it is not given. */
  readonly elementType: number;
  /** Null if it is not given, or not stored by convlet. */
  readonly dtype: DType | null;
  /** Null if the rank is not known; a dimension is a number, the name of a symbolic dimension, or null. */
  readonly shape: readonly (number | string | null)[] | null;
}

type ValueInfoDraft = { -readonly [K in keyof OnnxValueInfo]: OnnxValueInfo[K] };

const dimensionFields: FieldReaders<{ value: number | string | null }> = {
  1: (reader, dim) => {
    const value = reader.int64();
    dim.value = value < 0 ? null : value; // exporters write -1 for a dimension that is not fixed
  },
  2: (reader, dim) => (dim.value = reader.string() || null),
};

const shapeFields: FieldReaders<(number | string | null)[]> = {
  1: (reader, shape) => shape.push(reader.child('Dimension').read(dimensionFields, { value: null }).value),
};

const tensorTypeFields: FieldReaders<ValueInfoDraft> = {
  1: (reader, info) => (info.elementType = reader.int32()),
  2: (reader, info) => (info.shape = reader.child('TensorShapeProto').read(shapeFields, [])),
};

function readKind(kind: OnnxValueInfo['kind']): FieldReaders<ValueInfoDraft>[number] {
  return (reader, info) => {
    info.kind = kind;
    if (kind === 'tensor') reader.child('TypeProto.Tensor').read(tensorTypeFields, info);
    else reader.skip();
  };
}

const typeFields: FieldReaders<ValueInfoDraft> = {
  1: readKind('tensor'),
  4: readKind('sequence'),
  5: readKind('map'),
  8: readKind('sparse'),
  9: readKind('optional'),
};

const valueInfoFields: FieldReaders<ValueInfoDraft> = {
  1: (reader, info) => (info.name = reader.string()),
  2: (reader, info) => {
    reader.child('TypeProto').read(typeFields, info);
  },
};

/** Reads a ValueInfoProto; `what`: what it describes, for the error about a missing name. */
export function readValueInfo(reader: ProtoReader, what: string): OnnxValueInfo {
  const info = reader.child('ValueInfoProto').read<ValueInfoDraft>(valueInfoFields, {
    name: '',
    kind: 'unknown',
    elementType: 0,
    dtype: null,
    shape: null,
  });
  if (info.name === '') reader.fail(`${what} without a name`);
  info.dtype = onnxDType(info.elementType);
  return info;
}
