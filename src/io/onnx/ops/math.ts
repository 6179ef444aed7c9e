import type { BinaryKind } from '../../../backend/prims/elementwise.ts';
import { dtypes } from '../../../common/dtype.ts';
import { ConvletError } from '../../../common/error.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Handler, Handlers, ImportContext } from '../context.ts';

/** Opset 6 and before: if `broadcast` is set, b is aligned with a from `axis` on (by default at the end). */
function legacyBroadcast(ctx: ImportContext, a: Value, b: Value): Value {
  if (!ctx.attr.flag('broadcast') || !ctx.attr.has('axis')) return b;
  const axis = ctx.axis(ctx.attr.int('axis'), a.shape.length);
  const behind = a.shape.length - axis - b.shape.length;
  if (behind < 0) throw new ConvletError('malformed', `axis ${axis} leaves no room for the axes of input 1`);
  return ctx.reshape(b, [...b.shape, ...new Array<number>(behind).fill(1)]);
}

function binary(op: BinaryKind, since = 1): Handler {
  return {
    since,
    build(ctx) {
      const [a, b] = [ctx.required(0), ctx.required(1)];
      return ctx.one(op, [a, ctx.opset < 7 ? legacyBroadcast(ctx, a, b) : b]);
    },
  };
}

/** Combines inputs 0, 1, … from left to right. */
function fold(ctx: ImportContext, op: BinaryKind): Value {
  let result = ctx.required(0);
  for (let i = 1; i < ctx.inputs.length; i++) result = ctx.one(op, [result, ctx.required(i)]);
  return result;
}

const variadic = (op: BinaryKind): Handler => ({ since: 1, build: (ctx) => fold(ctx, op) });

function mean(ctx: ImportContext): Value {
  const sum = fold(ctx, 'add');
  return ctx.inputs.length === 1 ? sum : ctx.one('div', [sum, ctx.values(ctx.inputs.length, sum.dtype)]);
}

function mod(ctx: ImportContext): Value {
  const [a, b] = [ctx.required(0), ctx.required(1)];
  const fmod = ctx.attr.flag('fmod');
  if (!fmod && dtypes[a.dtype].kind === 'float') {
    throw new ConvletError('malformed', `fmod expects 1 for ${a.dtype} inputs, got 0`);
  }
  return ctx.one(fmod ? 'fmod' : 'mod', [a, b]);
}

function bitShift(ctx: ImportContext): Value {
  const direction = ctx.attr.choice('direction', ['LEFT', 'RIGHT'], 'LEFT');
  return ctx.one(direction === 'LEFT' ? 'shiftLeft' : 'shiftRight', [ctx.required(0), ctx.required(1)]);
}

function matmul(ctx: ImportContext, a: Value, b: Value, more: object = {}, bias: Value | null = null): Value {
  const attrs = { transposeA: false, transposeB: false, alpha: 1, activation: null, ...more };
  return ctx.one('matmul', [a, b, bias], attrs);
}

/** alpha·A'·B' + beta·C; a C of one value per column is the product's bias. */
function gemm(ctx: ImportContext): Value {
  const [a, b] = [ctx.required(0), ctx.required(1)];
  const attrs = {
    transposeA: ctx.attr.flag('transA'),
    transposeB: ctx.attr.flag('transB'),
    alpha: ctx.attr.float('alpha', 1),
  };
  for (const [i, value] of [a, b].entries()) {
    if (value.shape.length !== 2) {
      throw new ConvletError('shape', `input ${i} expects rank 2, got rank ${value.shape.length}`);
    }
  }
  const beta = ctx.attr.float('beta', 1);
  let c = ctx.input(2);
  if (c === null || beta === 0) return matmul(ctx, a, b, attrs);
  if (beta !== 1) c = ctx.one('mul', [c, ctx.values(beta, c.dtype)]);
  const columns = b.shape[attrs.transposeB ? 0 : 1];
  const last = c.shape.at(-1) ?? 1;
  if (last === columns && c.shape.slice(0, -1).every((d) => d === 1)) {
    return matmul(ctx, a, b, attrs, ctx.reshape(c, [columns]));
  }
  return ctx.one('add', [matmul(ctx, a, b, attrs), c]);
}

export const mathHandlers: Handlers = {
  Add: binary('add'),
  Sub: binary('sub'),
  Mul: binary('mul'),
  Div: binary('div'),
  Pow: binary('pow'),
  And: binary('and'),
  Or: binary('or'),
  Xor: binary('xor'),
  Equal: binary('equal'),
  Less: binary('less'),
  LessOrEqual: binary('lessOrEqual', 12),
  Greater: binary('greater'),
  GreaterOrEqual: binary('greaterOrEqual', 12),
  BitwiseAnd: binary('bitwiseAnd', 18),
  BitwiseOr: binary('bitwiseOr', 18),
  BitwiseXor: binary('bitwiseXor', 18),
  BitShift: { since: 11, build: bitShift },
  Mod: { since: 10, build: mod },
  Sum: variadic('add'),
  Max: variadic('max'),
  Min: variadic('min'),
  Mean: { since: 1, build: mean },
  Where: { since: 9, build: (ctx) => ctx.one('where', [ctx.required(0), ctx.required(1), ctx.required(2)]) },
  MatMul: { since: 1, build: (ctx) => matmul(ctx, ctx.required(0), ctx.required(1)) },
  Gemm: { since: 1, build: gemm },
};
