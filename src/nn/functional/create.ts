// Tensors of torch's factory functions: zeros, ones, full, arange, linspace, eye and their -Like forms. They are constants of compiled
// steps.
import { asVariable, type Variable } from '../../autograd/index.ts';
import { allocateArray, type DType, dtypes } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { checkOptions, flag, type KnownOf, kind } from '../../common/options.ts';
import { checkShape, tensor } from '../../tensor/tensor.ts';

/** Of zeros, ones and their like. */
export interface CreateOptions {
  /** Default: float32; of `arange` with whole numbers, and of `full` with a truth value or whole number: int64, bool. */
  readonly dtype?: DType;
  /** Whether gradients by it are wanted. */
  readonly requiresGrad?: boolean;
}

const createKnown: KnownOf<CreateOptions> = {
  dtype: kind(Object.keys(dtypes).join(', '), (value) => Object.hasOwn(dtypes, value as string)),
  requiresGrad: flag,
};

/** Whole numbers one by one or as one array, then options. */
type ShapeAndOptions = (number | readonly number[] | CreateOptions)[];

function made(
  what: string,
  dtype: DType,
  shape: readonly number[],
  fill: (array: { [i: number]: number; length: number }) => void,
  options: CreateOptions,
): Variable {
  checkOptions(what, options, createKnown);
  const array = allocateArray(options.dtype ?? dtype, product(checkShape(what, shape)));
  fill(array);
  const variable = asVariable(tensor(array, shape, options.dtype ?? dtype));
  return options.requiresGrad ? variable.requiresGrad_() : variable;
}

/** The shape, and the options where the last argument is an object. */
function parted(args: ShapeAndOptions): [readonly number[], CreateOptions] {
  const last = args.at(-1);
  const options = typeof last === 'object' && !Array.isArray(last) ? (last as CreateOptions) : undefined;
  const sizes = (options === undefined ? args : args.slice(0, -1)) as (number | readonly number[])[];
  return [Array.isArray(sizes[0]) ? sizes[0] : (sizes as number[]), options ?? {}];
}

const filled =
  (what: string, value: number) =>
  (...args: ShapeAndOptions): Variable => {
    const [shape, options] = parted(args);
    return made(what, 'float32', shape, (array) => value !== 0 && (array as Float32Array).fill(value), options);
  };

/** Zeros of a shape: `zeros(2, 3)`, `zeros([2, 3])`, `zeros(2, 3, { dtype: 'int64' })`. */
export const zeros = filled('zeros', 0);
/** Ones of a shape, as `zeros`. */
export const ones = filled('ones', 1);

const typeOf = (value: number | boolean): DType =>
  typeof value === 'boolean' ? 'bool' : Number.isInteger(value) ? 'int64' : 'float32';

/** One value everywhere: `full([2, 3], 0.5)`. As in PyTorch, a whole number gives int64 and a truth value bool. */
export const full = (shape: readonly number[], value: number | boolean, options: CreateOptions = {}): Variable =>
  made('full', typeOf(value), shape, (array) => (array as Float32Array).fill(Number(value)), options);

function like(what: string, x: Variable, value: number | boolean, options: CreateOptions): Variable {
  return made(what, x.dtype, x.shape, (array) => (array as Float32Array).fill(Number(value)), options);
}

/** As `full`, of the shape and type of x. */
export const fullLike = (x: Variable, value: number | boolean, options: CreateOptions = {}): Variable =>
  like('fullLike', x, value, options);
/** Zeros of the shape and type of x. */
export const zerosLike = (x: Variable, options: CreateOptions = {}): Variable => like('zerosLike', x, 0, options);
/** Ones of the shape and type of x. */
export const onesLike = (x: Variable, options: CreateOptions = {}): Variable => like('onesLike', x, 1, options);

/**
 * Numbers from `start` (0) up to, not with, `end`, `step` (1) apart: `arange(5)`, `arange(2, 10, 2)`. int64 where all are whole, else
 * float32.
 *
 * @throws ConvletError `argument` for a step of 0 or in the wrong direction
 */
export function arange(...args: (number | CreateOptions)[]): Variable {
  const options = typeof args.at(-1) === 'object' ? (args.pop() as CreateOptions) : {};
  const [first, second, step = 1] = args as number[];
  const [start, end] = second === undefined ? [0, first] : [first, second];
  const count = Math.ceil((end - start) / step);
  if (!(Number.isFinite(count) && count >= 0) || step === 0)
    throw new ConvletError('argument', `arange: step expects to lead from ${start} to ${end}, got ${step}`);
  const whole = [start, end, step].every((value) => Number.isInteger(value));
  const set = (array: { [i: number]: number }): void => {
    for (let i = 0; i < count; i++) array[i] = start + i * step;
  };
  return made('arange', whole ? 'int64' : 'float32', [count], set, options);
}

/** `steps` numbers at equal distances from `start` to `end`, both of them included. */
export function linspace(start: number, end: number, steps: number, options: CreateOptions = {}): Variable {
  if (!(Number.isInteger(steps) && steps >= 0))
    throw new ConvletError('argument', `linspace: steps expects a whole number ≥ 0, got ${steps}`);
  const set = (array: { [i: number]: number }): void => {
    const step = steps > 1 ? (end - start) / (steps - 1) : 0;
    // From both ends, as PyTorch has it: the last number is `end` itself.
    for (let i = 0; i < steps; i++) array[i] = i < steps / 2 ? start + i * step : end - (steps - 1 - i) * step;
  };
  return made('linspace', 'float32', [steps], set, options);
}

/** The unit matrix [n, m] (m: n). */
export function eye(n: number, m: number | CreateOptions = n, options: CreateOptions = {}): Variable {
  const [columns, given] = typeof m === 'number' ? [m, options] : [n, m];
  const set = (array: { [i: number]: number }): void => {
    for (let i = 0; i < Math.min(n, columns); i++) array[i * columns + i] = 1;
  };
  return made('eye', 'float32', [n, columns], set, given);
}
