import type { DType } from '../../src/common/dtype.ts';
import { ProtoWriter } from '../../src/io/onnx/protobuf-writer.ts';
import { onnxDataTypes } from '../../src/io/onnx/tensor-proto.ts';

/** Builders of small ONNX messages for tests. */

export type Dim = number | string | null;

export function message(write: (writer: ProtoWriter) => void): ProtoWriter {
  const writer = new ProtoWriter();
  write(writer);
  return writer;
}

/** A TensorProto with raw_data. */
export function rawTensor(name: string, dataType: number, dims: readonly number[], raw: Uint8Array): ProtoWriter {
  return message((w) => w.packedInts(1, dims).int(2, dataType).string(8, name).bytes(9, raw));
}

export function floatTensor(name: string, dims: readonly number[], values: readonly number[]): ProtoWriter {
  return rawTensor(name, 1, dims, new Uint8Array(Float32Array.from(values).buffer));
}

export function int64Tensor(name: string, dims: readonly number[], values: readonly number[]): ProtoWriter {
  return rawTensor(name, 7, dims, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
}

export function valueInfo(name: string, dtype: DType, shape: readonly Dim[]): ProtoWriter {
  const dims = message((w) => {
    for (const dim of shape) {
      const value = new ProtoWriter();
      if (typeof dim === 'number') value.int(1, dim);
      else if (dim !== null) value.string(2, dim);
      w.message(1, value);
    }
  });
  const tensorType = message((w) => w.int(1, onnxDataTypes[dtype]).message(2, dims));
  return message((w) =>
    w.string(1, name).message(
      2,
      message((type) => type.message(1, tensorType)),
    ),
  );
}

export type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | ProtoWriter
  | { float: number }
  | { floats: readonly number[] }
  | { graph: GraphSpec }
  | { ref: string };

/**
 * Attributes: number -> INT, {float} -> FLOAT, {floats} -> FLOATS, string -> STRING, arrays -> INTS or STRINGS, writer -> TENSOR,
 * {graph} -> GRAPH, {ref} -> reference to an attribute of the function's call.
 */
function attribute(name: string, value: AttributeValue): ProtoWriter {
  return message((w) => {
    w.string(1, name);
    if (typeof value === 'number') w.int(3, value).int(20, 2);
    else if (typeof value === 'string') w.string(4, value).int(20, 3);
    else if (value instanceof ProtoWriter) w.message(5, value).int(20, 4);
    else if ('float' in value) w.float(2, value.float).int(20, 1);
    else if ('floats' in value) {
      for (const item of value.floats) w.float(7, item);
      w.int(20, 6);
    } else if ('graph' in value) w.message(6, graph(value.graph)).int(20, 5);
    else if ('ref' in value) w.string(21, value.ref).int(20, 2);
    else if (typeof value[0] === 'string') {
      for (const text of value) w.string(9, text as string);
      w.int(20, 8);
    } else {
      for (const item of value) w.int(8, item as number);
      w.int(20, 7);
    }
  });
}

export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: { readonly [name: string]: AttributeValue };
}

export function node(spec: NodeSpec): ProtoWriter {
  return message((w) => {
    for (const input of spec.inputs) w.string(1, input);
    for (const output of spec.outputs) w.string(2, output);
    if (spec.name !== undefined) w.string(3, spec.name);
    w.string(4, spec.op);
    for (const [name, value] of Object.entries(spec.attributes ?? {})) w.message(5, attribute(name, value));
    if (spec.domain !== undefined) w.string(7, spec.domain);
  });
}

export interface GraphSpec {
  readonly nodes?: readonly NodeSpec[];
  /** TensorProto messages. */
  readonly initializers?: readonly ProtoWriter[];
  readonly sparseInitializers?: readonly ProtoWriter[];
  readonly inputs?: readonly ProtoWriter[];
  readonly outputs?: readonly ProtoWriter[];
}

export function graph(spec: GraphSpec): ProtoWriter {
  return message((w) => {
    for (const item of spec.nodes ?? []) w.message(1, node(item));
    w.string(2, 'test');
    for (const item of spec.initializers ?? []) w.message(5, item);
    for (const item of spec.inputs ?? []) w.message(11, item);
    for (const item of spec.outputs ?? []) w.message(12, item);
    for (const item of spec.sparseInitializers ?? []) w.message(15, item);
  });
}

export interface FunctionSpec {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeSpec[];
  readonly attributes?: readonly string[];
  readonly defaults?: { readonly [name: string]: AttributeValue };
}

const opsetImport = (domain: string, version: number) => message((o) => o.string(1, domain).int(2, version));

/** A model-local function of domain 'test'. */
function localFunction(spec: FunctionSpec, opset: number): ProtoWriter {
  return message((w) => {
    w.string(1, spec.name);
    for (const input of spec.inputs) w.string(4, input);
    for (const output of spec.outputs) w.string(5, output);
    for (const name of spec.attributes ?? []) w.string(6, name);
    for (const item of spec.nodes) w.message(7, node(item));
    w.message(9, opsetImport('', opset)).message(9, opsetImport('test', 1));
    w.string(10, 'test');
    for (const [name, value] of Object.entries(spec.defaults ?? {})) w.message(11, attribute(name, value));
  });
}

/** The bytes of a model file. */
export function model(spec: GraphSpec, opset = 17, functions: readonly FunctionSpec[] = []): Uint8Array<ArrayBuffer> {
  return message((w) => {
    w.int(1, 8).string(2, 'convlet-test').message(7, graph(spec));
    w.message(8, opsetImport('', opset));
    if (functions.length > 0) w.message(8, opsetImport('test', 1));
    for (const item of functions) w.message(25, localFunction(item, opset));
  }).finish();
}
