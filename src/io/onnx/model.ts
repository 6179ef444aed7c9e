import { ConvletError } from '../../common/error.ts';
import type { LazyFile } from '../../common/lazy-file.ts';
import { plainBytes } from '../elements.ts';
import { foreignError } from '../foreign.ts';
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode } from './model-types.ts';
import { type FieldReaders, ProtoReader } from './protobuf.ts';
import { type OnnxTensor, readEntry, readSparseTensor, readTensor } from './tensor-proto.ts';
import { type OnnxValueInfo, readValueInfo } from './value-info.ts';

export type * from './model-types.ts';
export type { OnnxTensor } from './tensor-proto.ts';
export type { OnnxValueInfo } from './value-info.ts';

/**
 * Parses the bytes of an .onnx file. Tensors stay in the file (views) until `decodeTensor`. `lazy`: the file from which `bytes`
 * are filled on demand. Throws `malformed`, with the message and byte, for anything that is not a well-formed ModelProto with a graph.
 */
export function parseModel(bytes: Uint8Array, lazy?: LazyFile): OnnxModel {
  const file = plainBytes(bytes, 'onnx');
  try {
    return readModel(file, lazy);
  } catch (error) {
    lazy?.need(0, Math.min(file.byteLength, 4096));
    throw foreignError(file, 'onnx', 'an ONNX model', error);
  }
}

function readModel(file: Uint8Array, lazy: LazyFile | undefined): OnnxModel {
  const reader = new ProtoReader({ bytes: file, start: 0, end: file.byteLength, file: lazy }, 'ModelProto');
  const model = reader.read(modelFields, {
    irVersion: 0,
    producerName: '',
    producerVersion: '',
    domain: '',
    modelVersion: 0,
    docString: '',
    opsetImports: new Map<string, number>(),
    metadata: new Map<string, string>(),
    graph: null,
    functions: [],
  });
  const { graph, opsetImports } = model;
  if (graph === null) throw malformed(`the file (${file.byteLength} bytes) has no graph`);
  if (opsetImports.size === 0) {
    if (model.irVersion >= 3) throw malformed(`IR version ${model.irVersion} needs an opset_import, the file has none`);
    opsetImports.set('', 1); // files without opset_import are of version 1
  }
  return { ...model, graph };
}

function malformed(problem: string): ConvletError {
  return new ConvletError('malformed', `onnx: ${problem}`);
}

/** 'ai.onnx' is another name of the default domain ''. */
function domainOf(reader: ProtoReader): string {
  const domain = reader.string();
  return domain === 'ai.onnx' ? '' : domain;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };
type GraphDraft = Draft<OnnxGraph> & {
  nodes: OnnxNode[];
  initializers: Map<string, OnnxTensor>;
  inputs: OnnxValueInfo[];
  outputs: OnnxValueInfo[];
  valueInfo: OnnxValueInfo[];
};

interface ModelDraft {
  irVersion: number;
  producerName: string;
  producerVersion: string;
  domain: string;
  modelVersion: number;
  docString: string;
  opsetImports: Map<string, number>;
  metadata: Map<string, string>;
  graph: OnnxGraph | null;
  functions: OnnxFunction[];
}

const modelFields: FieldReaders<ModelDraft> = {
  1: (reader, model) => (model.irVersion = reader.int64()),
  2: (reader, model) => (model.producerName = reader.string()),
  3: (reader, model) => (model.producerVersion = reader.string()),
  4: (reader, model) => (model.domain = reader.text()),
  5: (reader, model) => (model.modelVersion = reader.int64()),
  6: (reader, model) => (model.docString = reader.text()),
  7: (reader, model) => {
    if (model.graph !== null) reader.fail('second graph');
    model.graph = readGraph(reader.child('GraphProto'));
  },
  8: (reader, model) => readOpset(reader, model.opsetImports),
  14: (reader, model) => readEntry(reader, model.metadata),
  25: (reader, model) => model.functions.push(readFunction(reader.child('FunctionProto'))),
};

const opsetFields: FieldReaders<{ domain: string; version: number }> = {
  1: (reader, opset) => (opset.domain = domainOf(reader)),
  2: (reader, opset) => (opset.version = reader.int64()),
};

function readOpset(reader: ProtoReader, imports: Map<string, number>): void {
  const { domain, version } = reader.child('OperatorSetIdProto').read(opsetFields, { domain: '', version: 0 });
  if (version < 1) reader.fail(`opset version ${version} of domain '${domain}'`);
  if (imports.has(domain)) reader.fail(`second opset version of domain '${domain}'`);
  imports.set(domain, version);
}

const graphFields: FieldReaders<GraphDraft> = {
  1: (reader, graph) => graph.nodes.push(readNode(reader.child('NodeProto'))),
  2: (reader, graph) => (graph.name = reader.string()),
  10: (reader, graph) => (graph.docString = reader.text()),
  5: (reader, graph) => addInitializer(reader, graph, readTensor(reader.child('TensorProto'), initializerLabel)),
  11: (reader, graph) => graph.inputs.push(readValueInfo(reader, 'graph input')),
  12: (reader, graph) => graph.outputs.push(readValueInfo(reader, 'graph output')),
  13: (reader, graph) => graph.valueInfo.push(readValueInfo(reader, 'value_info')),
  15: (reader, graph) => {
    addInitializer(reader, graph, readSparseTensor(reader.child('SparseTensorProto'), initializerLabel));
  },
};

function readGraph(reader: ProtoReader): OnnxGraph {
  const graph = reader.read(graphFields, {
    name: '',
    docString: '',
    nodes: [],
    initializers: new Map<string, OnnxTensor>(),
    inputs: [],
    outputs: [],
    valueInfo: [],
  });
  checkUnique(graph.inputs, 'input', graph.name);
  checkUnique(graph.outputs, 'output', graph.name);
  return graph;
}

function checkUnique(infos: readonly OnnxValueInfo[], what: string, graph: string): void {
  const seen = new Set<string>();
  for (const { name } of infos) {
    if (seen.has(name)) throw malformed(`graph '${graph}' has two ${what}s named '${name}'`);
    seen.add(name);
  }
}

function initializerLabel(name: string): string {
  return `initializer '${name}'`;
}

function addInitializer(reader: ProtoReader, graph: GraphDraft, tensor: OnnxTensor): void {
  if (tensor.name === '') reader.fail('initializer without a name');
  if (graph.initializers.has(tensor.name)) reader.fail(`second initializer '${tensor.name}'`);
  graph.initializers.set(tensor.name, tensor);
}

const nodeFields: FieldReaders<{
  name: string;
  opType: string;
  domain: string;
  overload: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, OnnxAttribute>;
}> = {
  1: (reader, node) => node.inputs.push(reader.string()),
  2: (reader, node) => node.outputs.push(reader.string()),
  3: (reader, node) => (node.name = reader.string()),
  4: (reader, node) => (node.opType = reader.string()),
  5: (reader, node) => readAttribute(reader, node.attributes),
  7: (reader, node) => (node.domain = domainOf(reader)),
  8: (reader, node) => (node.overload = reader.string()),
};

function readNode(reader: ProtoReader): OnnxNode {
  const node = reader.read(nodeFields, {
    name: '',
    opType: '',
    domain: '',
    overload: '',
    inputs: [],
    outputs: [],
    attributes: new Map<string, OnnxAttribute>(),
  });
  if (node.opType === '') reader.fail(`node '${node.name}' has no op_type`);
  node.attributes.forEach((attribute, name) => {
    if (attribute.type !== 'TENSOR') return;
    const label = `attribute '${name}' of node '${node.name || (node.outputs[0] ?? '')}' (${node.opType})`;
    node.attributes.set(name, { type: 'TENSOR', t: { ...attribute.t, label } });
  });
  return node;
}

interface AttributeDraft {
  name: string;
  refAttrName: string;
  type: number;
  /** Type implied by the last value field, for files without `type` (before IR version 2). */
  implied: number;
  f: number;
  i: number;
  s: string;
  t: OnnxTensor | null;
  g: OnnxGraph | null;
  sparseTensor: OnnxTensor | null;
  /** An attribute has at most one of these lists, so they are made on demand: a model has hundreds of attributes. */
  floats: number[] | null;
  ints: number[] | null;
  strings: string[] | null;
  tensors: OnnxTensor[] | null;
  graphs: OnnxGraph[] | null;
}

function attributeLabel(name: string): string {
  return `attribute tensor '${name}'`;
}

/** Field number -> AttributeProto.AttributeType that it implies, and how to read it. */
const attributeValues: { [field: number]: [type: number, read: FieldReaders<AttributeDraft>[number]] } = {
  2: [1, (reader, attribute) => (attribute.f = reader.float())],
  3: [2, (reader, attribute) => (attribute.i = reader.int64())],
  4: [3, (reader, attribute) => (attribute.s = reader.text())],
  5: [4, (reader, attribute) => (attribute.t = readTensor(reader.child('TensorProto'), attributeLabel))],
  6: [5, (reader, attribute) => (attribute.g = readGraph(reader.child('GraphProto')))],
  7: [6, (reader, attribute) => reader.floats((attribute.floats ??= []))],
  8: [7, (reader, attribute) => reader.int64s((attribute.ints ??= []))],
  9: [8, (reader, attribute) => (attribute.strings ??= []).push(reader.text())],
  10: [
    9,
    (reader, attribute) => (attribute.tensors ??= []).push(readTensor(reader.child('TensorProto'), attributeLabel)),
  ],
  11: [10, (reader, attribute) => (attribute.graphs ??= []).push(readGraph(reader.child('GraphProto')))],
  22: [
    11,
    (reader, attribute) => {
      attribute.sparseTensor = readSparseTensor(reader.child('SparseTensorProto'), attributeLabel);
    },
  ],
};

const attributeFields: FieldReaders<AttributeDraft> = {
  1: (reader, attribute) => (attribute.name = reader.string()),
  20: (reader, attribute) => (attribute.type = reader.int32()),
  21: (reader, attribute) => (attribute.refAttrName = reader.string()),
  ...Object.fromEntries(
    Object.entries(attributeValues).map(([field, [type, read]]) => [
      field,
      (reader: ProtoReader, attribute: AttributeDraft) => {
        attribute.implied = type;
        read(reader, attribute);
      },
    ]),
  ),
};

/** AttributeProto.AttributeType -> the attribute, or null if the value is missing. */
const attributeTypes: { [type: number]: (attribute: AttributeDraft) => OnnxAttribute | null } = {
  1: ({ f }) => ({ type: 'FLOAT', f }),
  2: ({ i }) => ({ type: 'INT', i }),
  3: ({ s }) => ({ type: 'STRING', s }),
  4: ({ t }) => t && { type: 'TENSOR', t },
  5: ({ g }) => g && { type: 'GRAPH', g },
  6: ({ floats }) => ({ type: 'FLOATS', floats: floats ?? [] }),
  7: ({ ints }) => ({ type: 'INTS', ints: ints ?? [] }),
  8: ({ strings }) => ({ type: 'STRINGS', strings: strings ?? [] }),
  9: ({ tensors }) => ({ type: 'TENSORS', tensors: tensors ?? [] }),
  10: ({ graphs }) => ({ type: 'GRAPHS', graphs: graphs ?? [] }),
  11: ({ sparseTensor }) => sparseTensor && { type: 'SPARSE_TENSOR', sparseTensor },
  12: ({ type }) => ({ type: 'OTHER', attributeType: type }),
  13: ({ type }) => ({ type: 'OTHER', attributeType: type }),
  14: ({ type }) => ({ type: 'OTHER', attributeType: type }),
};

function readAttribute(reader: ProtoReader, into: Map<string, OnnxAttribute>): void {
  const child = reader.child('AttributeProto');
  const draft = child.read<AttributeDraft>(attributeFields, {
    name: '',
    refAttrName: '',
    type: 0,
    implied: 0,
    f: 0,
    i: 0,
    s: '',
    t: null,
    g: null,
    sparseTensor: null,
    floats: null,
    ints: null,
    strings: null,
    tensors: null,
    graphs: null,
  });
  const { name, refAttrName } = draft;
  if (name === '') child.fail('attribute without a name');
  if (into.has(name)) child.fail(`second attribute '${name}'`);
  if (refAttrName !== '') {
    into.set(name, { type: 'REF', refAttrName });
    return;
  }
  const type = draft.type || draft.implied;
  const attribute = attributeTypes[type]?.(draft);
  if (attribute === undefined) child.fail(`attribute '${name}' has type ${type}, which ONNX does not define`);
  if (attribute === null) child.fail(`attribute '${name}' of type ${type} has no value`);
  else into.set(name, attribute);
}

const functionFields: FieldReaders<{
  name: string;
  domain: string;
  overload: string;
  inputs: string[];
  outputs: string[];
  attributes: string[];
  attributeDefaults: Map<string, OnnxAttribute>;
  opsetImports: Map<string, number>;
  nodes: OnnxNode[];
}> = {
  1: (reader, definition) => (definition.name = reader.string()),
  4: (reader, definition) => definition.inputs.push(reader.string()),
  5: (reader, definition) => definition.outputs.push(reader.string()),
  6: (reader, definition) => definition.attributes.push(reader.string()),
  7: (reader, definition) => definition.nodes.push(readNode(reader.child('NodeProto'))),
  9: (reader, definition) => readOpset(reader, definition.opsetImports),
  10: (reader, definition) => (definition.domain = domainOf(reader)),
  11: (reader, definition) => readAttribute(reader, definition.attributeDefaults),
  13: (reader, definition) => (definition.overload = reader.string()),
};

function readFunction(reader: ProtoReader): OnnxFunction {
  const definition = reader.read(functionFields, {
    name: '',
    domain: '',
    overload: '',
    inputs: [],
    outputs: [],
    attributes: [],
    attributeDefaults: new Map<string, OnnxAttribute>(),
    opsetImports: new Map<string, number>(),
    nodes: [],
  });
  if (definition.name === '') reader.fail('function without a name');
  return definition;
}
