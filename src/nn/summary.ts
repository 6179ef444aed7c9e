// What a network is made of: torchinfo's table, from a trace in which nothing is computed.
import { dtypeKind, engine, noGrad, recordKeys, traceWith, Variable } from '../autograd/index.ts';
import { type DType, dtypes } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { checkOptions, type KnownOf, shown } from '../common/options.ts';
import { defaultGenerator } from '../common/random.ts';
import { mapStructure, type Structure } from '../common/structure.ts';
import type { TensorInfo } from '../ops/core/op.ts';
import { inspect } from '../tensor/text.ts';
import { forwardBatch } from './call.ts';
import { isShape } from './compile-model.ts';
import { type AnyModule, Module } from './module.ts';
import { Parameter } from './parameter.ts';
import { Trace } from './traced.ts';
import { watchForward } from './watch.ts';

/** Of summary. */
export interface SummaryOptions {
  /** Of the inputs; default float32. */
  readonly dtype?: DType;
}

const summaryKnown: KnownOf<SummaryOptions> = { dtype: dtypeKind };

/** One call of one module. */
export interface LayerSummary {
  /** Where it stands in the model: '0.conv1'; '' for the model itself. */
  readonly name: string;
  /** The module's class. */
  readonly type: string;
  /** 0 for the model, 1 for its children, … */
  readonly depth: number;
  /** Of what its forward returned; of several outputs the first. */
  readonly outputShape: readonly number[];
  /** Elements of its own parameters, without those of modules in it; 0 in calls after the first. */
  readonly parameters: number;
  /** Those of `parameters` that require gradients. */
  readonly trainableParameters: number;
  /** Multiply–accumulates of its own ops, without those of modules in it. */
  readonly macs: number;
  /** Whether an earlier row is the same module. */
  readonly repeated: boolean;
}

/** What `summary` finds; `toString()` gives it as a table. */
export interface ModelSummary {
  /** In the order in which the modules are called, containers before what they call. */
  readonly layers: readonly LayerSummary[];
  /** Shapes that it was made for. */
  readonly inputShapes: readonly (readonly number[])[];
  /** Of everything once, also of modules that are not called. */
  readonly parameters: number;
  /** Those that require gradients. */
  readonly trainableParameters: number;
  /** Multiply–accumulates of one forward. */
  readonly macs: number;
  /** Bytes of all parameters. */
  readonly parameterBytes: number;
  /** Bytes of what the layers without children return: what training keeps for the backward pass, roughly. */
  readonly activationBytes: number;
  /** A table for a terminal. */
  toString(): string;
}

type Draft = { -readonly [K in keyof LayerSummary]: LayerSummary[K] } & { isContainer: boolean; bytes: number };

/**
 * Output shapes, parameters and multiply–accumulates of every layer for an input shape. A product and its addition count as one;
 * ops without products (activations, pooling, normalisation) count as none.
 *
 * The model is traced in evaluation mode: nothing is computed, and buffers, modes and the random generator stay as they are.
 *
 * ```ts
 * console.log(String(summary(model, [1, 3, 224, 224])));
 * ```
 *
 * @param inputShape the input's, or for a model of several inputs an array or record of shapes
 * @throws ConvletError `argument` for what is no model or no shape, `shape` where the layers do not fit, `unsupported` where shapes depend on data
 */
export function summary(
  model: AnyModule,
  inputShape: Structure<readonly number[]>,
  options: SummaryOptions = {},
): ModelSummary {
  checkOptions('summary', options, summaryKnown);
  if (!(model instanceof Module))
    throw new ConvletError('argument', `summary: model expects a module, got ${shown(model)}`);
  const { dtype = 'float32' } = options;
  const inputShapes: (readonly number[])[] = [];
  const infos = mapStructure(
    inputShape,
    isShape,
    (shape: readonly number[]): TensorInfo => {
      inputShapes.push(shape);
      return { dtype, shape };
    },
    (path) => `summary: inputShape${path} expects a shape, or an array or record of shapes`,
  );
  const layers = traceLayers(model, infos);
  const all = [...model.parameters()];
  const count = (list: readonly Variable[]): number => list.reduce((sum, { size }) => sum + size, 0);
  const sum = (of: (layer: Draft) => number): number => layers.reduce((total, layer) => total + of(layer), 0);
  const found = {
    layers: layers.map(({ isContainer: _, bytes: __, ...layer }): LayerSummary => layer),
    inputShapes,
    parameters: count(all),
    trainableParameters: count(all.filter(({ requiresGrad }) => requiresGrad)),
    macs: sum(({ macs }) => macs),
    parameterBytes: all.reduce((bytes, { dtype: type, size }) => bytes + size * dtypes[type].bytes, 0),
    activationBytes: sum(({ isContainer, bytes }) => (isContainer ? 0 : bytes)),
  };
  const text = (): string => tableOf(found);
  return Object.defineProperties(found, {
    toString: { value: text },
    [inspect]: { value: text },
  });
}

function traceLayers(model: AnyModule, infos: Structure<TensorInfo>): Draft[] {
  const layers: Draft[] = [];
  const calls: Draft[] = [];
  const seen = new Set<AnyModule>();
  const trace = new Trace(engine(), false);
  trace.executor.onApply = (outputs, op, inputs, attrs) => {
    const owner = calls.at(-1);
    if (owner !== undefined) owner.macs += op.macs?.(inputs, outputs, attrs) ?? 0;
  };
  const unwatch = watchForward(model, (name, module, forward) => {
    const layer = draftOf(name, module, seen.has(module));
    seen.add(module);
    layers.push(layer);
    calls.push(layer);
    try {
      const output = forward();
      const outputs: Variable[] = [];
      mapStructure(
        output,
        (value) => value instanceof Variable,
        (variable: Variable) => void outputs.push(variable),
        () => 'summary: what forward returns',
      );
      layer.outputShape = outputs[0]?.shape ?? [];
      layer.bytes = outputs.reduce((bytes, { dtype, size }) => bytes + size * dtypes[dtype].bytes, 0);
      return output;
    } finally {
      calls.pop();
    }
  });
  const modes = [...model.modules()].map((module) => [module, module.training] as const);
  const random = defaultGenerator.state;
  try {
    model.eval();
    const operands = trace.operands([infos], isInfo);
    traceWith(trace.executor, () => noGrad(() => recordKeys([], () => forwardBatch(model, operands[0]))));
  } finally {
    unwatch();
    for (const [module, mode] of modes) module.training = mode;
    defaultGenerator.state = random;
  }
  return layers;
}

const isInfo = (value: unknown): boolean => Array.isArray((value as Partial<TensorInfo> | null)?.shape);

function draftOf(name: string, module: AnyModule, repeated: boolean): Draft {
  const own = repeated
    ? []
    : [...module.namedState()].map(([, state]) => state).filter((state) => state instanceof Parameter);
  const count = (list: readonly Variable[]): number => list.reduce((sum, { size }) => sum + size, 0);
  return {
    name,
    type: module.constructor.name.replace(/^_/, ''),
    depth: name === '' ? 0 : name.split('.').length,
    outputShape: [],
    parameters: count(own),
    trainableParameters: count(own.filter(({ requiresGrad }) => requiresGrad)),
    macs: 0,
    repeated,
    isContainer: !module.children().next().done,
    bytes: 0,
  };
}

function tableOf({ layers, inputShapes, ...totals }: Omit<ModelSummary, 'toString'>): string {
  const number = (value: number): string => (value === 0 ? '' : value.toLocaleString('en-US'));
  const rows = layers.map(({ name, type, outputShape, parameters, macs, repeated }) => [
    name,
    type,
    shapeText(outputShape),
    repeated ? '(repeated)' : number(parameters),
    number(macs),
  ]);
  const table = [['layer', 'type', 'output', 'parameters', 'MACs'], ...rows];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MB`;
  const frozen = totals.parameters - totals.trainableParameters;
  return [
    line(table[0]),
    rule,
    ...rows.map(line),
    '',
    `input ${inputShapes.map(shapeText).join(', ')}`,
    `${totals.parameters.toLocaleString('en-US')} parameters (${megabytes(totals.parameterBytes)}), ${frozen === 0 ? 'all of which learn' : `${frozen.toLocaleString('en-US')} of them frozen`}`,
    `${totals.macs.toLocaleString('en-US')} MACs, ${megabytes(totals.activationBytes)} of activations`,
  ].join('\n');
}
