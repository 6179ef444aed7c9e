import { ConvletError } from '../../../common/error.ts';
import { NeedsData } from '../../../graph/builder.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Handlers, ImportContext } from '../context.ts';
import type { OnnxGraph } from '../model.ts';
import { onnxDType } from '../tensor-proto.ts';
import { sliceOf } from './slice.ts';

/** Loops of a known trip count are unrolled into the graph up to this; longer ones are interpreted at run time. */
const maxUnrolled = 64;
/** A loop that its condition does not end before this is taken for endless. */
const maxIterations = 1e6;

/** Runs the body once and frees what it computed but does not pass on. */
function iterate(ctx: ImportContext, body: OnnxGraph, inputs: Value[], mark: number, keep: Value[][]): Value[] {
  const outputs = ctx.around.subgraph(body, inputs);
  if (outputs.length < body.outputs.length) throw new ConvletError('malformed', 'the body lacks outputs');
  ctx.around.release(mark, [...outputs, ...keep.flat()]);
  return outputs;
}

/** Values of all iterations along a new axis; without any, an empty tensor of the type that the body declares. */
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
  const scanned = body.outputs.slice(1 + carried.length).map((): Value[] => []);
  const mark = ctx.around.mark();
  for (let i = 0; going && i < trips; i++) {
    if (!ctx.around.eager && i >= maxUnrolled) throw new NeedsData('a long loop');
    if (i >= maxIterations) throw new ConvletError('unsupported', `the loop goes on after ${maxIterations} iterations`);
    const inputs = [ctx.values(i, 'int64', []), ctx.values(1, 'bool', []), ...carried];
    const [condition, ...outputs] = iterate(ctx, body, inputs, mark, scanned);
    going = ctx.dataOf(condition)[0] !== 0;
    carried = outputs.slice(0, carried.length);
    scanned.forEach((list, k) => list.push(outputs[carried.length + k]));
  }
  return [...carried, ...scanned.map((list, k) => stack(ctx, list, body, 1 + carried.length + k))];
}

/** Opset 9 and later: states, then sequences that are cut along an axis; no batch axis. */
function scan(ctx: ImportContext): Value[] {
  const body = ctx.attr.graph('body');
  const count = ctx.attr.int('num_scan_inputs');
  const states = ctx.inputs.length - count;
  if (count < 1 || states < 0) throw new ConvletError('malformed', `num_scan_inputs ${count} does not fit the inputs`);
  const zeros = (length: number) => new Array<number>(length).fill(0);
  const axes = ctx.attr.ints('scan_input_axes', zeros(count));
  const backwards = ctx.attr.ints('scan_input_directions', zeros(count));
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
  const outputAxes = ctx.attr.ints('scan_output_axes', zeros(scanned.length));
  const outputBackwards = ctx.attr.ints('scan_output_directions', zeros(scanned.length));
  const mark = ctx.around.mark();
  for (let i = 0; i < length; i++) {
    const slices = sequences.map(({ value, axis }, k) => {
      const part = sliceOf(ctx, value, axis, backwards[k] === 0 ? i : length - 1 - i, 1);
      return ctx.reshape(
        part,
        value.shape.filter((_, at) => at !== axis),
      );
    });
    const outputs = iterate(ctx, body, [...carried, ...slices], mark, scanned);
    carried = outputs.slice(0, states);
    scanned.forEach((list, k) => {
      if (outputBackwards[k] === 0) list.push(outputs[states + k]);
      else list.unshift(outputs[states + k]);
    });
  }
  return [...carried, ...scanned.map((list, k) => stack(ctx, list, body, states + k, outputAxes[k]))];
}

/** `If` itself is resolved by the walk, since its branch takes the node's place. */
function never(): never {
  throw new Error('If is imported by the walk');
}

export const controlHandlers: Handlers = {
  If: { since: 1, build: never },
  Loop: { since: 1, build: loop },
  Scan: { since: 9, build: scan },
};
