import type { OnnxTensor } from './tensor-proto.ts';
import type { OnnxValueInfo } from './value-info.ts';

/** The parts of ModelProto that are needed to run and describe a model. The domain '' is ai.onnx. */
export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  /** Reverse DNS name of the model's author. */
  readonly domain: string;
  readonly modelVersion: number;
  readonly docString: string;
  /** Domain -> opset version. */
  readonly opsetImports: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly docString: string;
  readonly nodes: readonly OnnxNode[];
  /** By name, sparse initializers included. */
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** In files before IR version 4 the initializers are listed among the inputs too. */
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly valueInfo: readonly OnnxValueInfo[];
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  /** Distinguishes functions of the same name. */
  readonly overload: string;
  /** '' stands for an optional input that is absent. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** Attribute values, in fields named as in AttributeProto. Ints beyond ±(2^53-1) are saturated. */
export type OnnxAttribute =
  | { readonly type: 'FLOAT'; readonly f: number }
  | { readonly type: 'INT'; readonly i: number }
  | { readonly type: 'STRING'; readonly s: string }
  | { readonly type: 'TENSOR'; readonly t: OnnxTensor }
  | { readonly type: 'GRAPH'; readonly g: OnnxGraph }
  | { readonly type: 'FLOATS'; readonly floats: readonly number[] }
  | { readonly type: 'INTS'; readonly ints: readonly number[] }
  | { readonly type: 'STRINGS'; readonly strings: readonly string[] }
  | { readonly type: 'TENSORS'; readonly tensors: readonly OnnxTensor[] }
  | { readonly type: 'GRAPHS'; readonly graphs: readonly OnnxGraph[] }
  | { readonly type: 'SPARSE_TENSOR'; readonly sparseTensor: OnnxTensor }
  /** In a function's body: the value is the attribute `refAttrName` of the calling node. */
  | { readonly type: 'REF'; readonly refAttrName: string }
  /** SPARSE_TENSORS, TYPE_PROTO, TYPE_PROTOS: no op that convlet runs has one. */
  | { readonly type: 'OTHER'; readonly attributeType: number };

/** A model-local function. */
export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of attributes without a default. */
  readonly attributes: readonly string[];
  readonly attributeDefaults: ReadonlyMap<string, OnnxAttribute>;
  readonly opsetImports: ReadonlyMap<string, number>;
  readonly nodes: readonly OnnxNode[];
}
