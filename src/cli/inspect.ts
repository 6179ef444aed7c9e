import type { Command } from 'commander';
import { stepText } from '../backend/backend.ts';
import { JsBackend } from '../backend/js/backend.ts';
import { jsPrims } from '../backend/js/prims.ts';
import { inferencePrims } from '../backend/wasm/prims.ts';
import { shapeText } from '../common/error.ts';
import { compile } from '../compile/plan.ts';
import type { Graph } from '../graph/graph.ts';
import { optimize } from '../graph/passes/index.ts';
import { describeLayers } from '../runtime/inspect.ts';
import { createBackend, openProgram } from '../runtime/load.ts';
import { defaultShape } from '../runtime/model.ts';
import { nodePlatform } from '../runtime/node.ts';
import { parseShapes } from './options.ts';
import { bytesText, formatTable, grouped } from './table.ts';

export function inspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('layers, shapes, parameters, multiply–accumulates and memory of a model')
    .argument('<model>', 'path or URL of an .onnx file')
    .option('--shape <name=dims...>', 'shape of an input, e.g. input=1x3x224x224', [])
    .option('--kernels', 'what runs each layer, how it was chosen, and what the other ways would cost')
    .option('--json', 'the same as JSON')
    .action(inspect);
}

interface InspectFlags {
  readonly shape: string[];
  readonly kernels?: boolean;
  readonly json?: boolean;
}

async function inspect(path: string, flags: InspectFlags): Promise<void> {
  const program = await openProgram(nodePlatform, path);
  const unsupported = program.unsupported();
  if (unsupported.length > 0) {
    process.exitCode = 1;
    const rows = unsupported.map((node) => [
      node.node,
      node.opType,
      node.domain || 'ai.onnx',
      String(node.opset),
      node.reason,
    ]);
    if (flags.json) {
      console.log(JSON.stringify({ unsupported }, null, 2));
      return;
    }
    const what = rows.length === 1 ? 'one node' : `${rows.length} nodes`;
    console.log(
      `${what} cannot be run:\n\n${formatTable(['node', 'operator', 'domain', 'opset', 'reason'], rows, [3])}`,
    );
    return;
  }
  const given = parseShapes(flags.shape, program.inputs);
  const wanted = program.inputs.filter(({ name, optional }) => !optional || given.has(name));
  const shapes = new Map(wanted.map(({ name, shape }) => [name, given.get(name) ?? defaultShape(shape)]));
  const { graph, tail } = program.specialize(shapes);
  const layers = describeLayers(optimize(graph));
  const plan = compile(graph, new JsBackend({ prims: jsPrims }));
  const kernels = flags.kernels ? await kernelsOf(graph) : undefined;
  const totals = {
    parameters: layers.reduce((sum, layer) => sum + layer.parameters, 0),
    macs: layers.reduce((sum, layer) => sum + layer.macs, 0),
    peakActivationBytes: plan.memory.arenaBytes,
    dynamic: tail !== null,
  };
  const inputs = [...shapes].map(([name, shape]) => ({ name, shape }));
  if (flags.json) {
    console.log(JSON.stringify({ inputs, outputs: program.outputs, layers, kernels, totals }, null, 2));
    return;
  }
  for (const { name, shape } of inputs) console.log(`input   ${name}  ${shapeText(shape)}`);
  for (const { name, shape } of program.outputs)
    console.log(`output  ${name}  ${shape === null ? '?' : shapeText(shape)}`);
  const rows = layers.map((layer) => [
    layer.name,
    layer.op,
    shapeText(layer.shape),
    layer.parameters ? grouped(layer.parameters) : '',
    layer.macs ? grouped(layer.macs) : '',
  ]);
  console.log(`\n${formatTable(['layer', 'op', 'output', 'parameters', 'MACs'], rows, [3, 4])}\n`);
  if (kernels !== undefined) {
    const list = kernels.map(({ node, op, kernel, others }) => [node, op, kernel, others]);
    console.log(`${formatTable(['layer', 'op', 'runs', 'other ways'], list, [])}\n`);
  }
  console.log(`parameters  ${grouped(totals.parameters)}  (${bytesText(4 * totals.parameters)})`);
  console.log(`MACs        ${grouped(totals.macs)}`);
  console.log(
    `peak memory ${bytesText(4 * totals.parameters + totals.peakActivationBytes)}  (activations ${bytesText(totals.peakActivationBytes)})`,
  );
  if (totals.dynamic)
    console.log('part of the graph has shapes that depend on the data; it is run node by node and not listed');
}

/** What the WebAssembly backend of this machine makes of each step of the graph. */
async function kernelsOf(graph: Graph): Promise<{ node: string; op: string; kernel: string; others: string }[]> {
  const backend = await createBackend(nodePlatform, {}, inferencePrims);
  try {
    const { steps } = compile(graph, backend);
    return steps.map(({ node, op, step }) => ({ node, op, kernel: stepText(step), others: step.others ?? '' }));
  } finally {
    backend.dispose();
  }
}
