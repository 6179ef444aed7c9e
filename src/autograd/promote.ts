// Type promotion by PyTorch's rules (torch.result_type): which element type an operation on mixed operands has.
import { allocateArray, type DType, dtypes } from '../common/dtype.ts';
import { ConvletError } from '../common/error.ts';
import { constant } from '../tensor/tensor.ts';
import { apply1 } from './tape.ts';
import { Variable } from './variable.ts';

/** A variable, or a number or truth value that stands for one of every shape. */
export type Operand = Variable | number | boolean;

const categories = { bool: 0, int: 1, float: 2 } as const;
const categoryOf = (dtype: DType): number => categories[dtypes[dtype].kind];

/** Integer types by width; an unsigned type and a signed one need the next wider signed one. */
const signed = ['int8', 'int16', 'int32', 'int64'] as const;
const unsigned = ['uint8', 'uint16', 'uint32', 'uint64'] as const;

function wider(a: DType, b: DType): DType {
  if (a === b) return a;
  if (categoryOf(a) !== categoryOf(b)) return categoryOf(a) > categoryOf(b) ? a : b;
  if (categoryOf(a) === categories.float) {
    if (a === 'float64' || b === 'float64') return 'float64';
    return 'float32';
  }
  const at = (list: readonly string[], dtype: DType): number => list.indexOf(dtype);
  const [signedA, signedB] = [at(signed, a), at(signed, b)];
  if (signedA >= 0 && signedB >= 0) return signed[Math.max(signedA, signedB)];
  if (signedA < 0 && signedB < 0) return unsigned[Math.max(at(unsigned, a), at(unsigned, b))];
  const [plain, other] = signedA >= 0 ? [signedA, at(unsigned, b)] : [signedB, at(unsigned, a)];
  return signed[Math.min(Math.max(plain, other + 1), signed.length - 1)];
}

/** The type that a number brings along: of its category, and only as wide as needed where nothing else has that category. */
const typeOfNumber = (value: number | boolean): DType =>
  typeof value === 'boolean' ? 'bool' : Number.isInteger(value) ? 'int64' : 'float32';

/**
 * The element type of an operation on these operands. Operands with axes come first, those without axes (shape []) next, and
 * numbers last: a later one changes the type only if its category (bool < int < float) is higher.
 */
export function resultType(...operands: readonly Operand[]): DType {
  const ranks: (DType | null)[] = [null, null, null];
  for (const operand of operands) {
    const isVariable = operand instanceof Variable;
    const rank = isVariable ? (operand.rank > 0 ? 0 : 1) : 2;
    const dtype = isVariable ? operand.dtype : typeOfNumber(operand);
    const known = ranks[rank];
    ranks[rank] = known === null ? dtype : wider(known, dtype);
  }
  let result: DType | null = null;
  for (const dtype of ranks) {
    if (dtype === null) continue;
    if (result === null || categoryOf(dtype) > categoryOf(result)) result = dtype;
  }
  return result ?? 'float32';
}

export const isFloat = (x: Variable): boolean => dtypes[x.dtype].kind === 'float';

/** As a variable of that type; a number becomes a constant of shape []. */
export function asType(operand: Operand, dtype: DType): Variable {
  if (operand instanceof Variable) return operand.dtype === dtype ? operand : apply1('cast', [operand], { to: dtype });
  return scalar(Number(operand), dtype);
}

/** A number as a constant of shape []. */
export function scalar(value: number, dtype: DType = 'float32'): Variable {
  const array = allocateArray(dtype, 1);
  array[0] = value;
  const tensor = constant(array, [], dtype);
  return new Variable(tensor, tensor);
}

/** A float32 variable of an integer or bool one; floating-point ones as they are. */
export const toFloat = (x: Variable): Variable => (isFloat(x) ? x : asType(x, 'float32'));

/** Throws `argument` for an operand that is neither a variable nor a number. */
export function expectOperand(op: string, operand: unknown): asserts operand is Operand {
  if (operand instanceof Variable || typeof operand === 'number' || typeof operand === 'boolean') return;
  const got = operand === null ? 'null' : typeof operand;
  throw new ConvletError('argument', `${op}: expects a variable or a number, got ${got}; variable(values) makes one`);
}
