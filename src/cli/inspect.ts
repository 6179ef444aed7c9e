import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { shapeText } from '../common/error.ts';
import type { Graph } from '../graph/graph.ts';
import { optimize } from '../graph/passes/index.ts';
import type { OnnxProgram } from '../io/onnx/import.ts';
import { readMetadata } from '../io/onnx/metadata.ts';
import type { UnsupportedNode } from '../io/onnx/unsupported.ts';
import { describeLayers, type LayerReport } from '../runtime/inspect.ts';
import { openProgram } from '../runtime/load.ts';
import { measure, type StepTiming, seededInputs } from '../runtime/measure.ts';
import type { Model } from '../runtime/model.ts';
import { nodePlatform } from '../runtime/node-platform.ts';
import { attributesText, plainAttributes } from './attributes.ts';
import { drawNetwork, pageOf } from './draw.ts';
import { partsOf } from './estimate.ts';
import { modelOf } from './open.ts';
import { addEngineOptions, collect, type EngineFlags, engineOptions, parseShapes } from './options.ts';
import { startProgress } from './progress.ts';
import { chooseShapes, declaredText, type NamedInput, namedInputs } from './shapes.ts';
import { bytesText, formatTable, grouped, shortened } from './table.ts';

export function inspectCommand(program: Command): void {
  addEngineOptions(
    program
      .command('inspect')
      .description('inputs, layers, parameters, multiply–accumulates, memory and estimated time of a model')
      .argument('<model>', 'path or URL of an .onnx file')
      .option('--shape <name=dims>', 'shape of an input, e.g. input=1x3x224x224; may be repeated', collect)
      .option('--attributes', 'the attributes of each layer')
      .option('--kernels', 'what runs each layer, how it was chosen, and what the other ways would cost')
      .option('--profile', 'measured times of the layers in place of estimates')
      .option('--svg <file>', 'draw the network into this file, with --profile coloured by time')
      .option('--html <file>', 'the same as a page to move, zoom and click')
      .option('--json', 'all of it as JSON'),
  ).action(inspect);
}

interface InspectFlags extends EngineFlags {
  readonly shape?: string[];
  readonly attributes?: boolean;
  readonly kernels?: boolean;
  readonly profile?: boolean;
  readonly svg?: string;
  readonly html?: string;
  readonly json?: boolean;
}

async function inspect(path: string, flags: InspectFlags): Promise<void> {
  const options = engineOptions(flags);
  const given = parseShapes(flags.shape ?? []);
  const program = await openProgram(nodePlatform, path);
  try {
    const unsupported = program.unsupported();
    if (unsupported.length > 0) {
      process.exitCode = 1;
      printUnsupported(unsupported, flags.json ?? false);
      return;
    }
    const inputs = namedInputs(program);
    const { shapes, batchOne } = chooseShapes('inspect', inputs, given);
    const { graph, tail } = program.specialize(shapes);
    const layers = describeLayers(optimize(graph));
    const model = await modelOf(program, options);
    try {
      const plan = model.plan(Object.fromEntries(shapes));
      const times = flags.profile ? (await profile(model, shapes)).map(({ median }) => median) : null;
      const report = {
        ...{ program, inputs, shapes, batchOne, layers },
        ...partsOf(layers, plan.steps, times, model.backend === 'wasm'),
        timed: times !== null,
        late:
          tail?.nodes.map(({ node }) => ({ name: node.name || (node.outputs[0] ?? ''), opType: node.opType })) ?? [],
        activations: plan.memory.arenaBytes,
      };
      draw(path, graph, report, flags);
      if (flags.json) console.log(JSON.stringify(jsonOf(report), null, 2));
      else print(report, flags);
    } finally {
      model.dispose();
    }
  } finally {
    program.close();
  }
}

/** Times whole runs for a second, and single layers for another. */
async function profile(model: Model, shapes: ReadonlyMap<string, readonly number[]>): Promise<readonly StepTiming[]> {
  const progress = startProgress();
  try {
    const show = (what: string, done: number): void => progress.show(what, done);
    return (await measure(model, seededInputs(model, shapes), { seconds: 1, progress: show })).steps;
  } finally {
    progress.end();
  }
}

function draw(path: string, graph: Graph, { layers, parts, timed }: Report, { svg, html }: InspectFlags): void {
  if (svg === undefined && html === undefined) return;
  const drawn = layers.map((layer, i) => ({ ...layer, ...parts[i] }));
  const picture = drawNetwork(graph, drawn, timed);
  if (svg !== undefined) writeFileSync(svg, picture);
  if (html !== undefined) writeFileSync(html, pageOf(basename(path), picture));
}

interface Report extends ReturnType<typeof partsOf> {
  readonly program: OnnxProgram;
  readonly inputs: readonly NamedInput[];
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly batchOne: readonly string[];
  readonly layers: readonly LayerReport[];
  /** Whether times were measured, not estimated. */
  readonly timed: boolean;
  /** Nodes that depend on the data. */
  readonly late: readonly { readonly name: string; readonly opType: string }[];
  /** Bytes of activations at their peak. */
  readonly activations: number;
}

function printUnsupported(nodes: readonly UnsupportedNode[], json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ unsupported: nodes }, null, 2));
    return;
  }
  const rows = nodes.map((node) => [node.node, node.opType, node.domain || 'ai.onnx', String(node.opset), node.reason]);
  const what = rows.length === 1 ? 'one node' : `${rows.length} nodes`;
  console.log(`${what} cannot be run:\n\n${formatTable(['node', 'operator', 'domain', 'opset', 'reason'], rows, [3])}`);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function totalsOf({ layers, activations, late, parts, timed }: Report) {
  const milliseconds = parts.every(({ ms }) => ms !== null) ? sum(parts.map(({ ms }) => ms ?? 0)) : null;
  return {
    parameters: sum(layers.map((layer) => layer.parameters)),
    macs: sum(layers.map((layer) => layer.macs)),
    peakActivationBytes: activations,
    /** One of the two is present, as `timed` says. */
    milliseconds: timed ? milliseconds : undefined,
    estimatedMilliseconds: timed ? undefined : milliseconds,
    plainJs: parts.filter(({ runs }) => runs === 'plain JS').length,
    dynamic: late.length > 0,
  };
}

function jsonOf(report: Report) {
  const { program, inputs, shapes, layers, parts } = report;
  return {
    model: readMetadata(program.model),
    inputs: inputs.map(({ name, dtype, declared, optional }) => ({
      ...{ name, dtype, declared, optional },
      shape: shapes.get(name),
    })),
    outputs: program.outputs,
    layers: layers.map(({ bytes: _, baseOp: __, attributes, ...layer }, i) => ({
      ...layer,
      attributes: plainAttributes(attributes),
      ...parts[i],
    })),
    kernels: report.kernels,
    dynamicNodes: report.late,
    totals: totalsOf(report),
  };
}

function print(report: Report, flags: InspectFlags): void {
  const { layers, parts } = report;
  const totals = totalsOf(report);
  printHead(report);
  const head = ['layer', 'op', 'output', 'parameters', 'MACs', report.timed ? 'ms' : 'est. ms', 'runs'];
  if (flags.attributes) head.push('attributes');
  const rows = layers.map((layer, i) => [
    layer.name,
    layer.op,
    layer.dtype === 'float32' ? shapeText(layer.shape) : `${layer.dtype} ${shapeText(layer.shape)}`,
    layer.parameters ? grouped(layer.parameters) : '',
    layer.macs ? grouped(layer.macs) : '',
    parts[i].ms?.toFixed(3) ?? '',
    parts[i].runs,
    ...(flags.attributes ? [attributesText(layer.attributes)] : []),
  ]);
  console.log(`\n${formatTable(head, rows, [3, 4, 5])}\n`);
  if (flags.kernels) {
    const list = report.kernels.map(({ node, op, kernel, others }) => [node, op, kernel, others]);
    console.log(`${formatTable(['layer', 'op', 'runs', 'other ways'], list, [])}\n`);
  }
  console.log(`parameters  ${grouped(totals.parameters)}  (${bytesText(4 * totals.parameters)})`);
  console.log(`MACs        ${grouped(totals.macs)}`);
  const peak = 4 * totals.parameters + totals.peakActivationBytes;
  console.log(`peak memory ${bytesText(peak)}  (activations ${bytesText(totals.peakActivationBytes)})`);
  const time = totals.milliseconds ?? totals.estimatedMilliseconds ?? null;
  const how = report.timed ? 'sum of the layers, each by itself' : 'estimated, one thread; --profile measures';
  if (time !== null) console.log(`time        ${time.toFixed(2)} ms  (${how})`);
  if (totals.plainJs > 0) console.log(`plain JS    ${totals.plainJs} of ${layers.length} layers (--kernels says why)`);
  if (totals.dynamic) {
    const names = report.late.slice(0, 8).map(({ name, opType }) => `${opType} '${name}'`);
    const more = report.late.length > names.length ? `, … (${report.late.length} nodes)` : '';
    console.log(`depends on the data, and runs node by node: ${names.join(', ')}${more}`);
  }
}

function printHead({ program, inputs, shapes, batchOne }: Report): void {
  const { irVersion, opsets, producer, graph, properties } = readMetadata(program.model);
  const versions = Object.entries(opsets).map(([domain, version]) => `${domain} ${version}`);
  const maker = producer === '' ? '' : `, made by ${shortened(producer)}`;
  console.log(`model   ${shortened(graph)}  opset ${versions.join(', ')}, IR version ${irVersion}${maker}`);
  for (const [key, value] of Object.entries(properties)) console.log(`        ${shortened(key)}: ${shortened(value)}`);
  for (const input of inputs) {
    const { name, dtype, declared } = input;
    const shape = shapes.get(name);
    const open = declared === null || declared.some((dim) => typeof dim !== 'number');
    const chosen = shape === undefined ? '  (optional)' : open ? ` as ${shapeText(shape)}` : '';
    console.log(`input   ${name}  ${open ? declaredText(input) : `${dtype} ${shapeText(declared)}`}${chosen}`);
  }
  for (const { name, dtype, shape } of program.model.graph.outputs)
    console.log(`output  ${name}  ${dtype ?? '?'} ${shape === null ? 'of any shape' : shapeText(shape)}`);
  if (batchOne.length > 0) console.log(`        batch 1, as ${batchOne.join(', ')} leaves it open (--shape)`);
}
