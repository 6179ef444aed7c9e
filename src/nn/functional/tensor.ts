// The functions of torch on tensors, which are methods too: F.add(1, x), F.sum(x, 0), F.einsum('ij,jk->ik', a, b).
import { apply1, functions, type Operand, stack as stackOf, Variable } from '../../autograd/index.ts';
import { ConvletError } from '../../common/error.ts';
import { einsum as sums } from '../../ops/matmul/einsum.ts';

export const {
  abs,
  acos,
  acosh,
  add,
  all,
  allclose,
  amax,
  amin,
  any,
  argmax,
  argmin,
  argsort,
  asin,
  asinh,
  atan,
  atanh,
  ceil,
  chunk,
  clamp,
  cos,
  cosh,
  cumprod,
  cumsum,
  div,
  eq,
  erf,
  exp,
  expm1,
  flatten,
  flip,
  floor,
  gather,
  ge,
  gt,
  indexSelect,
  isinf,
  isnan,
  le,
  log,
  log1p,
  logsumexp,
  lt,
  maskedFill,
  maskedSelect,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  narrow,
  ne,
  neg,
  nonzero,
  norm,
  permute,
  pow,
  prod,
  reciprocal,
  reshape,
  roll,
  round,
  rsqrt,
  scatter,
  scatterAdd,
  select,
  sign,
  sin,
  sinh,
  sort,
  split,
  sqrt,
  square,
  squeeze,
  std,
  sub,
  sum,
  tan,
  tile,
  topk,
  transpose,
  tril,
  triu,
  trunc,
  unbind,
  unsqueeze,
} = functions;

/** x where condition (bool) is true, else other; x and other are variables or numbers (torch.where). */
export function where(condition: Variable, x: Operand, other: Operand): Variable {
  if (!(condition instanceof Variable))
    throw new ConvletError('argument', `where: condition expects a variable, got ${String(condition)}`);
  return functions.where(x as Variable, condition, other);
}

/** Variables of equal shapes as entries of a new axis. */
export const stack = (parts: readonly Variable[], dim = 0): Variable => stackOf(parts, dim);

/**
 * Sums of products by an equation of labels: `einsum('bij,bjk->bik', a, b)`. Without an arrow: the labels that occur once, in
 * alphabetical order. '...' stands for any axes.
 *
 * @throws ConvletError `argument` for an equation that makes no sense, `shape` where it does not fit the operands
 */
export function einsum(equation: string, ...operands: Variable[]): Variable {
  if (typeof equation !== 'string')
    throw new ConvletError('argument', `einsum: equation expects a text such as 'ij,jk->ik', got ${String(equation)}`);
  return sums<Variable>(
    { apply: (op, inputs, attrs) => apply1(op, inputs, attrs as never), code: 'argument' },
    equation,
    operands,
  );
}
