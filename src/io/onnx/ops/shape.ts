import { ConvletError, shapeText } from '../../../common/error.ts';
import { product } from '../../../common/numbers.ts';
import type { Value } from '../../../graph/graph.ts';
import { broadcastShape } from '../../../ops/check.ts';
import type { Handlers, ImportContext } from '../context.ts';
import { sliceOf } from './slice.ts';

/** 0 copies the dimension (unless allowzero), −1 is computed from the others. */
function reshape(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const wanted = ctx.opset < 5 ? [...ctx.attr.ints('shape')] : (ctx.numbers(1) ?? []);
  const keepZero = ctx.attr.flag('allowzero');
  const shape = wanted.map((d, i) => {
    if (d !== 0 || keepZero) return d;
    if (i < x.shape.length) return x.shape[i];
    throw new ConvletError(
      'shape',
      `shape ${shapeText(wanted)} copies axis ${i} of an input of rank ${x.shape.length}`,
    );
  });
  const open = shape.indexOf(-1);
  const size = product(x.shape);
  if (open >= 0) {
    const known = -product(shape);
    shape[open] = known === 0 ? 0 : size / known;
  }
  if (shape.some((d) => !Number.isInteger(d) || d < 0) || product(shape) !== size) {
    throw new ConvletError('shape', `shape ${shapeText(wanted)} does not hold the elements of ${shapeText(x.shape)}`);
  }
  return ctx.reshape(x, shape);
}

function flatten(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const rank = x.shape.length;
  const given = ctx.attr.int('axis', 1);
  const axis = given === rank ? rank : ctx.axis(given, rank);
  return ctx.reshape(x, [product(x.shape.slice(0, axis)), product(x.shape.slice(axis))]);
}

/** Axes of Squeeze and Unsqueeze: an attribute before opset 13. */
function axesOf(ctx: ImportContext): readonly number[] | null {
  if (ctx.opset >= 13) return ctx.numbers(1);
  return ctx.attr.has('axes') ? ctx.attr.ints('axes') : null;
}

function squeeze(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const given = axesOf(ctx);
  const axes = given === null ? x.shape.flatMap((d, i) => (d === 1 ? [i] : [])) : ctx.axes(given, x.shape.length);
  const wide = axes.find((axis) => x.shape[axis] !== 1);
  if (wide !== undefined) {
    throw new ConvletError('shape', `axis ${wide} of ${shapeText(x.shape)} expects size 1, got ${x.shape[wide]}`);
  }
  return ctx.reshape(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  );
}

function unsqueeze(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const given = axesOf(ctx);
  if (given === null) throw new ConvletError('malformed', 'axes are missing');
  const shape = [...x.shape];
  for (const axis of ctx.axes(given, x.shape.length + given.length)) shape.splice(axis, 0, 1);
  return ctx.reshape(x, shape);
}

function transpose(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const rank = x.shape.length;
  const perm = ctx.attr.ints(
    'perm',
    x.shape.map((_, i) => rank - 1 - i),
  );
  if (perm.length !== rank || ctx.axes(perm, rank).length !== rank) {
    throw new ConvletError('malformed', `perm ${shapeText(perm)} is not an order of ${rank} axes`);
  }
  return ctx.transpose(x, perm);
}

function concat(ctx: ImportContext): Value {
  const inputs = ctx.inputs.map((_, i) => ctx.required(i));
  if (inputs.length === 0) throw new ConvletError('malformed', 'expects at least one input');
  const axis = ctx.axis(ctx.attr.int('axis', ctx.opset < 4 ? 1 : undefined), inputs[0].shape.length);
  return inputs.length === 1 ? inputs[0] : ctx.one('concat', inputs, { axis });
}

/** Equal parts (the last one may be smaller), or parts of the sizes `split`. */
function split(ctx: ImportContext): Value[] {
  const x = ctx.required(0);
  const axis = ctx.axis(ctx.attr.int('axis', 0), x.shape.length);
  const total = x.shape[axis];
  const { length } = ctx.node.outputs;
  let sizes = ctx.opset >= 13 ? ctx.numbers(1) : ctx.attr.has('split') ? [...ctx.attr.ints('split')] : null;
  if (sizes === null) {
    const count = ctx.attr.int('num_outputs', length);
    if (count !== length || count < 1) {
      throw new ConvletError('malformed', `num_outputs expects ${length}, the node's outputs, got ${count}`);
    }
    const part = Math.ceil(total / count);
    sizes = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, total - i * part)));
  }
  if (sizes.some((size) => size < 0) || sizes.reduce((a, b) => a + b, 0) !== total) {
    throw new ConvletError('shape', `split ${shapeText(sizes)} does not add up to ${total}, the size of axis ${axis}`);
  }
  if (sizes.length !== length) {
    throw new ConvletError('malformed', `splits into ${sizes.length}, but has ${length} outputs`);
  }
  let at = 0;
  return sizes.map((size) => {
    const part = sliceOf(ctx, x, axis, at, size);
    at += size;
    return part;
  });
}

function expand(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const shape = broadcastShape('Expand', x.shape, ctx.numbers(1) ?? []);
  const same = shape.length === x.shape.length && shape.every((d, i) => d === x.shape[i]);
  return same ? x : ctx.one('expand', [x], { shape });
}

function tile(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const repeats = ctx.numbers(1) ?? [];
  if (repeats.length !== x.shape.length || repeats.some((count) => count < 0)) {
    throw new ConvletError('shape', `repeats ${shapeText(repeats)} do not fit shape ${shapeText(x.shape)}`);
  }
  return repeats.every((count) => count === 1) ? x : ctx.one('tile', [x], { repeats });
}

const padModes = ['constant', 'reflect', 'edge', 'wrap'] as const;

/** Pads and value are attributes before opset 11; since opset 18 there is an input `axes`. */
function pad(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const rank = x.shape.length;
  const mode = ctx.attr.choice('mode', padModes, 'constant');
  const legacy = ctx.opset < 11;
  const pads = legacy ? ctx.attr.ints(ctx.opset < 2 ? 'paddings' : 'pads') : (ctx.numbers(1) ?? []);
  const given = legacy ? null : ctx.numbers(3);
  const axes = given?.map((axis) => ctx.axis(axis, rank)) ?? x.shape.map((_, i) => i);
  if (pads.length !== axes.length * 2) {
    throw new ConvletError('malformed', `pads expects ${axes.length * 2} values, got ${pads.length}`);
  }
  const begin = new Array<number>(rank).fill(0);
  const end = new Array<number>(rank).fill(0);
  axes.forEach((axis, i) => {
    begin[axis] = pads[i];
    end[axis] = pads[axes.length + i];
  });
  const value = mode !== 'constant' ? 0 : legacy ? ctx.attr.float('value', 0) : ctx.scalar(2, 0);
  if ([...begin, ...end].every((count) => count === 0)) return x;
  return ctx.one('pad', [x], { begin, end, mode, value });
}

function centerCropPad(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const rank = x.shape.length;
  const axes = ctx.attr.has('axes')
    ? ctx.attr.ints('axes').map((axis) => ctx.axis(axis, rank))
    : x.shape.map((_, i) => i);
  const sizes = ctx.numbers(1) ?? [];
  if (sizes.length !== axes.length) {
    throw new ConvletError('malformed', `shape expects ${axes.length} values, got ${sizes.length}`);
  }
  const begin = new Array<number>(rank).fill(0);
  const end = new Array<number>(rank).fill(0);
  axes.forEach((axis, i) => {
    const extra = sizes[i] - x.shape[axis];
    begin[axis] = extra < 0 ? -Math.floor(-extra / 2) : Math.floor(extra / 2);
    end[axis] = extra - begin[axis];
  });
  return ctx.one('pad', [x], { begin, end, mode: 'constant', value: 0 });
}

function depthToSpace(ctx: ImportContext): Value {
  const mode = ctx.attr.choice('mode', ['DCR', 'CRD'], 'DCR');
  return ctx.one('depthToSpace', [ctx.required(0)], { blockSize: ctx.attr.int('blocksize'), mode });
}

function spaceToDepth(ctx: ImportContext): Value {
  return ctx.one('spaceToDepth', [ctx.required(0)], { blockSize: ctx.attr.int('blocksize'), mode: 'DCR' });
}

/** Shapes are concrete, so this is a constant. */
function shape(ctx: ImportContext): Value {
  const dims = ctx.required(0).shape;
  return ctx.values(dims.slice(ctx.attr.int('start', 0), ctx.attr.int('end', dims.length)), 'int64');
}

export const shapeHandlers: Handlers = {
  Reshape: { since: 1, build: reshape },
  Flatten: { since: 1, build: flatten },
  Squeeze: { since: 1, build: squeeze },
  Unsqueeze: { since: 1, build: unsqueeze },
  Transpose: { since: 1, build: transpose },
  Concat: { since: 1, build: concat },
  Split: { since: 2, build: split },
  Expand: { since: 8, build: expand },
  Tile: { since: 6, build: tile },
  Pad: { since: 1, build: pad },
  CenterCropPad: { since: 18, build: centerCropPad },
  DepthToSpace: { since: 1, build: depthToSpace },
  SpaceToDepth: { since: 1, build: spaceToDepth },
  Shape: { since: 1, build: shape },
  Size: { since: 1, build: (ctx) => ctx.values(product(ctx.required(0).shape), 'int64') },
};
