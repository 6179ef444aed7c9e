import type { OnnxModel } from './model.ts';

/** The metadata of a model file. A text that is absent is ''. */
export interface ModelMetadata {
  /** Version of the file format (ir_version). */
  readonly irVersion: number;
  /** Version of ONNX's own operators; 0 for a model without any. */
  readonly opset: number;
  /** Version of every set of operators, by domain. */
  readonly opsets: { readonly [domain: string]: number };
  /** Name and version of the program that wrote the file: 'pytorch 2.6.0'. */
  readonly producer: string;
  /** Reverse DNS name of the model's author. */
  readonly domain: string;
  /** Version of the model itself (model_version); 0 where the file says none. */
  readonly version: number;
  /** The graph's name. */
  readonly graph: string;
  /** The model's doc_string, else the graph's. */
  readonly doc: string;
  /** `metadata_props`: further properties from the exporter. */
  readonly properties: { readonly [key: string]: string };
  /** Shapes of inputs and outputs with the names of free dimensions; null for a dimension without a name, and for an open shape. */
  readonly shapes: { readonly [name: string]: readonly (number | string | null)[] | null };
}

/** The metadata of a parsed file. */
export function readMetadata(model: OnnxModel): ModelMetadata {
  const { irVersion, opsetImports, graph } = model;
  // Before IR version 4 all initializers were listed as inputs.
  const inputs = graph.inputs.filter(({ name }) => irVersion >= 4 || !graph.initializers.has(name));
  return {
    irVersion,
    opset: opsetImports.get('') ?? 0,
    opsets: Object.fromEntries([...opsetImports].map(([domain, version]) => [domain || 'ai.onnx', version])),
    producer: [model.producerName, model.producerVersion].filter((text) => text !== '').join(' '),
    domain: model.domain,
    version: model.modelVersion,
    graph: graph.name,
    doc: model.docString || graph.docString,
    properties: Object.fromEntries(model.metadata),
    shapes: Object.fromEntries([...inputs, ...graph.outputs].map(({ name, shape }) => [name, shape])),
  };
}
