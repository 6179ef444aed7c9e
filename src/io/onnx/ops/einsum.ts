import type { Value } from '../../../graph/graph.ts';
import { einsum } from '../../../ops/matmul/einsum.ts';
import type { Handlers, ImportContext } from '../context.ts';

function build(ctx: ImportContext): Value {
  const operands = ctx.inputs.map((_, i) => ctx.required(i));
  return einsum<Value>(
    { apply: (op, inputs, attrs) => ctx.one(op, inputs, attrs as never), code: 'malformed' },
    ctx.attr.string('equation'),
    operands,
  );
}

export const einsumHandlers: Handlers = { Einsum: { since: 12, build } };
