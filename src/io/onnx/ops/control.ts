import { ConvletError } from '../../../common/error.ts';
import { NeedsData } from '../../../graph/builder.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Handlers, ImportContext } from '../context.ts';
import type { OnnxGraph } from '../model.ts';
import { onnxDType } from '../tensor-proto.ts';
import { sliceOf } from './slice.ts';
import { perAxis } from './window.ts';

/** Loops of a known trip count up to this are unrolled into the graph; longer loops are interpreted at run time. */
const maxUnrolled = 64;

/**
 * Runs the body once and frees its other values: the first `carried` outputs are inputs of the next iteration, and the other
 * outputs remain to the end of the loop. Returns the outputs and the mark for the next iteration.
 */
function iterate(ctx: ImportContext, body: OnnxGraph, inputs: Value[], carried: number, mark: number) {
  ctx.around.iteration();
  const outputs = ctx.around.subgraph(body, inputs);
  if (outputs.length < body.outputs.length) throw new ConvletError('malformed', 'the body lacks outputs');
  return { outputs, mark: ctx.around.release(mark, outputs.slice(0, carried), outputs.slice(carried)) };
}

function expectOutputs(body: OnnxGraph, least: number): void {
  if (body.outputs.length >= least) return;
  throw new ConvletError('malformed', `the body expects at least ${least} outputs, got ${body.outputs.length}`);
}

/** The values of all iterations along a new axis; without iterations, an empty tensor of the type that the body declares. */
function stack(ctx: ImportContext, values: Value[], body: OnnxGraph, output: number, axis = 0): Value {
  if (values.length === 0) {
    const info = body.outputs[output];
    const dtype = onnxDType(info.elementType) ?? 'float32';
    const inner = (info.shape ?? []).map((d) => (typeof d === 'number' ? d : 0));
    inner.splice(axis, 0, 0);
    return ctx.filled(0, dtype, inner);
  }
  const at = ctx.axis(axis, values[0].shape.length + 1);
  const rows = values.map((value) => ctx.reshape(value, [...value.shape.slice(0, at), 1, ...value.shape.slice(at)]));
  return rows.length === 1 ? rows[0] : ctx.one('concat', rows, { axis: at });
}

function loop(ctx: ImportContext): Value[] {
  const body = ctx.attr.graph('body');
  const trips = ctx.scalar(0, Number.POSITIVE_INFINITY);
  let going = ctx.scalar(1, 1) !== 0;
  let carried = ctx.inputs.slice(2).map((_, i) => ctx.required(i + 2));
  expectOutputs(body, 1 + carried.length);
  const scanned = body.outputs.slice(1 + carried.length).map((): Value[] => []);
  let mark = ctx.around.mark();
  for (let i = 0; going && i < trips; i++) {
    if (!ctx.around.eager && i >= maxUnrolled) throw new NeedsData('a long loop');
    const inputs = [ctx.values(i, 'int64', []), ctx.values(1, 'bool', []), ...carried];
    const done = iterate(ctx, body, inputs, 1 + carried.length, mark);
    const [condition, ...outputs] = done.outputs;
    mark = done.mark;
    going = ctx.onlyElement(condition, "the body's condition") !== 0;
    carried = outputs.slice(0, carried.length);
    scanned.forEach((list, k) => list.push(outputs[carried.length + k]));
  }
  return [...carried, ...scanned.map((list, k) => stack(ctx, list, body, 1 + carried.length + k))];
}

/** Opset 9 and later: states, then sequences that are sliced along an axis; there is no batch axis. */
function scan(ctx: ImportContext): Value[] {
  const body = ctx.attr.graph('body');
  const count = ctx.attr.int('num_scan_inputs');
  const states = ctx.inputs.length - count;
  if (count < 1 || states < 0) throw new ConvletError('malformed', `num_scan_inputs ${count} does not fit the inputs`);
  expectOutputs(body, states);
  const axes = perAxis(ctx, 'scan_input_axes', count, 0);
  const backwards = perAxis(ctx, 'scan_input_directions', count, 0);
  const sequences = axes.map((given, k) => {
    const value = ctx.required(states + k);
    return { value, axis: ctx.axis(given, value.shape.length) };
  });
  const length = sequences[0].value.shape[sequences[0].axis];
  if (sequences.some(({ value, axis }) => value.shape[axis] !== length)) {
    throw new ConvletError('shape', `scan inputs expect equal lengths, the first has ${length}`);
  }
  if (!ctx.around.eager && length > maxUnrolled) throw new NeedsData('a long scan');
  let carried = ctx.inputs.slice(0, states).map((_, i) => ctx.required(i));
  const scanned = body.outputs.slice(states).map((): Value[] => []);
  const outputAxes = perAxis(ctx, 'scan_output_axes', scanned.length, 0);
  const outputBackwards = perAxis(ctx, 'scan_output_directions', scanned.length, 0);
  let mark = ctx.around.mark();
  for (let i = 0; i < length; i++) {
    const slices = sequences.map(({ value, axis }, k) => {
      const part = sliceOf(ctx, value, axis, backwards[k] === 0 ? i : length - 1 - i, 1);
      return ctx.reshape(
        part,
        value.shape.filter((_, at) => at !== axis),
      );
    });
    const done = iterate(ctx, body, [...carried, ...slices], states, mark);
    const { outputs } = done;
    mark = done.mark;
    carried = outputs.slice(0, states);
    scanned.forEach((list, k) => {
      if (outputBackwards[k] === 0) list.push(outputs[states + k]);
      else list.unshift(outputs[states + k]);
    });
  }
  return [...carried, ...scanned.map((list, k) => stack(ctx, list, body, states + k, outputAxes[k]))];
}

/** The walk resolves `If`, since the chosen branch replaces the node. */
function never(): never {
  throw new Error('If is imported by the walk');
}

export const controlHandlers: Handlers = {
  If: { since: 1, build: never },
  Loop: { since: 1, build: loop },
  Scan: { since: 9, build: scan },
};
