import { allocateArray, type DType } from '../../../common/dtype.ts';
import { ConvletError } from '../../../common/error.ts';
import type { Value } from '../../../graph/graph.ts';
import { constant as constantTensor } from '../../../tensor/tensor.ts';
import type { Handlers, ImportContext } from '../context.ts';
import { onnxDType, onnxTypeName } from '../tensor-proto.ts';

/** All attributes that may contain the value of Constant, except strings. */
const constantForms: { readonly [attribute: string]: (ctx: ImportContext) => Value } = {
  value: (ctx) => ctx.fromTensor(ctx.around.decode(ctx.attr.tensor('value'))),
  value_float: (ctx) => ctx.values(ctx.attr.float('value_float'), 'float32'),
  value_floats: (ctx) => ctx.values(ctx.attr.floats('value_floats'), 'float32'),
  value_int: (ctx) => ctx.values(int64(ctx.attr.int('value_int')), 'int64'),
  value_ints: (ctx) => ctx.values(ctx.attr.ints('value_ints').map(int64), 'int64'),
};

/** int64 is stored in 32 bits: the values that exporters write for "to the end" are saturated. */
const int64 = (value: number): number => Math.min(Math.max(value, -0x80000000), 0x7fffffff);

function constant(ctx: ImportContext): Value {
  const form = Object.keys(constantForms).find((name) => ctx.attr.has(name));
  if (form !== undefined) return constantForms[form](ctx);
  if (ctx.node.attributes.get('sparse_value')?.type === 'SPARSE_TENSOR') {
    const attribute = ctx.node.attributes.get('sparse_value') as {
      sparseTensor: Parameters<typeof ctx.around.decode>[0];
    };
    return ctx.fromTensor(ctx.around.decode(attribute.sparseTensor));
  }
  throw new ConvletError('unsupported', `a value given as ${ctx.attr.names.join(', ') || 'nothing'}`);
}

export function dtypeOfCode(code: number): DType {
  const dtype = onnxDType(code);
  if (dtype === null) throw new ConvletError('unsupported', `element type ${onnxTypeName(code)}`);
  return dtype;
}

function cast(ctx: ImportContext): Value {
  const x = ctx.required(0);
  // Opset 1 to 5 name the type.
  const code = ctx.opset < 6 ? ctx.attr.string('to') : ctx.attr.int('to');
  if (typeof code === 'string') throw new ConvletError('unsupported', `type name '${code}' of opset ${ctx.opset}`);
  return ctx.cast(x, dtypeOfCode(code));
}

function constantOfShape(ctx: ImportContext): Value {
  const shape = ctx.numbers(0) ?? [];
  if (shape.some((d) => d < 0)) throw new ConvletError('shape', `shape expects whole numbers ≥ 0, got [${shape}]`);
  const tensor = ctx.attr.has('value') ? ctx.around.decode(ctx.attr.tensor('value')) : null;
  const dtype = tensor?.dtype ?? 'float32';
  const element = ctx.values(tensor?.array[0] ?? 0, dtype);
  return ctx.one('expand', [element], { shape });
}

function range(ctx: ImportContext): Value {
  const [start, limit, delta] = [ctx.scalar(0), ctx.scalar(1), ctx.scalar(2)];
  if (delta === 0) throw new ConvletError('argument', 'delta expects a number other than 0');
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(count <= 2 ** 26)) throw new ConvletError('argument', `a range of ${count} elements`);
  const { dtype } = ctx.required(0);
  const array = allocateArray(dtype, count);
  for (let i = 0; i < count; i++) array[i] = start + i * delta;
  return ctx.fromTensor(constantTensor(array, [count], dtype));
}

function eyeLike(ctx: ImportContext): Value {
  const x = ctx.required(0);
  const dtype = ctx.attr.has('dtype') ? dtypeOfCode(ctx.attr.int('dtype')) : x.dtype;
  return ctx.one('eyeLike', [x], { dtype, k: ctx.attr.int('k', 0) });
}

export const constantHandlers: Handlers = {
  Constant: { since: 1, build: constant },
  ConstantOfShape: { since: 9, build: constantOfShape },
  Range: { since: 11, build: range },
  EyeLike: { since: 9, build: eyeLike },
  Identity: { since: 1, build: (ctx) => ctx.required(0) },
  Cast: { since: 1, build: cast },
  CastLike: { since: 15, build: (ctx) => ctx.cast(ctx.required(0), ctx.required(1).dtype) },
};
