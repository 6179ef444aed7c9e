import { JsBackend } from '../../backend/js/backend.ts';
import { jsPrims } from '../../backend/js/prims.ts';
import type { DType } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { FoldCache } from '../../graph/fold-cache.ts';
import { newValue, type Value } from '../../graph/graph.ts';
import { checkShape, type Tensor } from '../../tensor/tensor.ts';
import type { OnnxFunction, OnnxModel, OnnxValueInfo } from './model.ts';
import { latestOpset } from './ops/index.ts';
import { orderNodes } from './structure.ts';
import { type Specialized, Tail } from './tail.ts';
import { decodeConstant } from './tensor.ts';
import { type OnnxTensor, onnxTypeName } from './tensor-proto.ts';
import { findUnsupported, type UnsupportedNode } from './unsupported.ts';
import { type Binding, type DeferredNode, functionKey, Known, type ModelParts, present, Scope, Walk } from './walk.ts';

/** An input or output as the file declares it; null stands for anything that is open. */
export interface Declared {
  readonly name: string;
  readonly dtype: DType | null;
  /** Null dimensions are free; a null shape has a free rank too. */
  readonly shape: readonly (number | null)[] | null;
}

export interface DeclaredInput extends Declared {
  readonly dtype: DType;
  /** True if the file has a default value, which is used if the caller gives none; else absent. */
  readonly optional?: boolean;
}

/** An ONNX model, checked as far as it can be without input shapes. Its constants are shared by all specializations. */
export class OnnxProgram {
  /**
   * The inputs that the caller gives, optional ones (those with an initializer) last. Before IR version 4 all initializers were listed
   * as inputs; they are constants here.
   */
  readonly inputs: readonly DeclaredInput[];
  readonly outputs: readonly Declared[];
  /** Closes the model's file; parts that have not been read can no longer be read. */
  readonly close: () => void;
  /** The contents of the file: versions, producer, metadata, names of free dimensions. */
  readonly model: OnnxModel;
  private readonly parts: ModelParts;

  /**
   * `readExternal` returns the bytes of a file beside the model; `close` is called when nothing more will be read. Throws `malformed`
   * for invalid graphs and `unsupported` for inputs that are not tensors of a known element type.
   */
  constructor(model: OnnxModel, readExternal?: (location: string) => Uint8Array, close?: () => void) {
    this.model = model;
    this.close = close ?? (() => {});
    const { graph } = model;
    const preset = (info: OnnxValueInfo) => graph.initializers.has(info.name);
    const optional = model.irVersion >= 4 ? graph.inputs.filter(preset) : [];
    this.inputs = [
      ...graph.inputs.filter((info) => !preset(info)).map(declaredInput),
      ...optional.map((info) => ({ ...declaredInput(info), optional: true })),
    ];
    this.outputs = graph.outputs.map(declared);
    const decoded = new Map<OnnxTensor, Tensor>();
    const folding = new JsBackend({ prims: jsPrims, maxMemoryBytes: Number.POSITIVE_INFINITY });
    const folded = new FoldCache();
    this.parts = {
      builder: (limit) => new GraphBuilder(folding, { limit, cache: folded }),
      functions: functionTable(model.functions),
      decode(tensor) {
        let known = decoded.get(tensor);
        if (known === undefined) {
          known = decodeConstant(tensor, readExternal);
          decoded.set(tensor, known);
        }
        return known;
      },
    };
    this.ordered();
  }

  /** All nodes that convlet does not implement, in subgraphs and functions too. */
  unsupported(): UnsupportedNode[] {
    return findUnsupported(this.model, this.parts.functions);
  }

  /** If there are nodes that cannot be run, throws `unsupported` with the list of them. */
  check(): void {
    const opset = this.model.opsetImports.get('') ?? 0;
    if (opset > latestOpset) {
      throw new ConvletError('unsupported', `the model has opset ${opset}, convlet knows opsets up to ${latestOpset}`);
    }
    const nodes = this.unsupported();
    if (nodes.length === 0) return;
    const lines = nodes.map(
      ({ node, opType, domain, opset: version, reason }) =>
        `\n  node '${node}' (${opType}, domain ${domain || 'ai.onnx'}, opset ${version}): ${reason}`,
    );
    const subject = nodes.length === 1 ? '1 node' : `${nodes.length} nodes`;
    throw new ConvletError('unsupported', `${subject} cannot be run:${lines.join('')}`);
  }

  /**
   * The graph for these input shapes (by name; optional inputs may be absent). Throws what `check` throws, `missing-input` and
   * `unknown-name` for names, `shape` for a shape that contradicts the file's declaration, and errors of ops about their
   * inputs, with the node's name. `limit`: the most bytes of a tensor (`memory`).
   */
  specialize(inputShapes: ReadonlyMap<string, readonly number[]>, limit?: number): Specialized {
    this.check();
    const { graph } = this.model;
    const builder = this.parts.builder(limit);
    const scope = new Scope(null, this.model.opsetImports, null, graph.initializers, this.parts.decode);
    const inputs = this.inputs
      .filter((info) => !info.optional || inputShapes.has(info.name))
      .map((info) => inputValue(info, inputShapes.get(info.name)));
    for (const name of inputShapes.keys()) {
      if (!this.inputs.some((info) => info.name === name)) {
        const names = this.inputs.map((info) => `'${info.name}'`).join(', ');
        throw new ConvletError('unknown-name', `the model has no input '${name}' (it has ${names || 'none'})`);
      }
    }
    for (const value of inputs) scope.define(value.name, { name: value.name, value });
    const deferred: DeferredNode[] = [];
    const walk = new Walk({ parts: this.parts, builder, defer: (node) => deferred.push(node), count: { nodes: 0 } });
    walk.nodes(this.ordered(), scope);

    const outputs: { name: string; value: Value }[] = [];
    const open = new Map<string, Binding>();
    for (const info of this.outputs) {
      const binding = present(scope.lookup(info.name));
      if (binding.value === null) open.set(info.name, binding);
      else outputs.push({ name: info.name, value: checkOutput(info, binding.value) });
    }
    const tail = Tail.of(this.parts, new Known(), deferred, open, outputs);
    return { graph: builder.finish(inputs, outputs), tail };
  }

  private ordered() {
    const { graph } = this.model;
    const known = new Set([...this.inputs.map((info) => info.name), ...graph.initializers.keys()]);
    const outputs = graph.outputs.map((info) => info.name);
    return orderNodes(graph.nodes, known, outputs, `graph '${graph.name}'`);
  }
}

function functionTable(functions: readonly OnnxFunction[]): Map<string, OnnxFunction> {
  const table = new Map<string, OnnxFunction>();
  for (const definition of functions) {
    const key = functionKey(definition.domain, definition.name, definition.overload);
    if (table.has(key)) throw new ConvletError('malformed', `function '${definition.name}' is defined twice`);
    table.set(key, definition);
  }
  return table;
}

function declared(info: OnnxValueInfo): Declared {
  const shape = info.shape?.map((d) => (typeof d === 'number' ? d : null)) ?? null;
  return { name: info.name, dtype: info.dtype, shape };
}

function declaredInput(info: OnnxValueInfo): DeclaredInput {
  const { dtype, ...rest } = declared(info);
  if (info.kind !== 'tensor') {
    throw new ConvletError(
      'unsupported',
      `input '${info.name}' expects a tensor type, the model declares ${info.kind}`,
    );
  }
  if (dtype === null) {
    const type = onnxTypeName(info.elementType);
    throw new ConvletError('unsupported', `input '${info.name}' has element type ${type}, which is not supported`);
  }
  return { ...rest, dtype };
}

function inputValue(info: DeclaredInput, given: readonly number[] | undefined): Value {
  if (given === undefined) throw new ConvletError('missing-input', `input '${info.name}' is missing`);
  const shape = checkShape(`input '${info.name}'`, given);
  const fits =
    info.shape === null ||
    (info.shape.length === shape.length && info.shape.every((d, i) => d === null || d === shape[i]));
  if (!fits) {
    const expected = shapeText(info.shape ?? []);
    throw new ConvletError('shape', `input '${info.name}' expects shape ${expected}, got ${shapeText(shape)}`);
  }
  return newValue(info.name, info.dtype, shape);
}

function checkOutput(info: Declared, value: Value): Value {
  if (info.dtype === null || info.dtype === value.dtype) return value;
  throw new ConvletError('malformed', `output '${info.name}' is declared ${info.dtype}, its node gives ${value.dtype}`);
}
