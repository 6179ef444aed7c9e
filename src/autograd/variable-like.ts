import type { DType, TypedArray } from '../common/dtype.ts';
import { ConvletError } from '../common/error.ts';
import { Tensor, tensor } from '../tensor/tensor.ts';
import { Variable } from './variable.ts';

/** A shape and row-major elements: what loaders, models and `load` give. */
export interface ShapedValues {
  readonly shape: readonly number[];
  readonly data: TypedArray;
  readonly dtype?: DType;
}

/** What stands for a variable: one, a tensor, or typed arrays with their shape. */
export type VariableLike = Variable | Tensor | ShapedValues;

export function isVariableLike(value: unknown): value is VariableLike {
  if (value instanceof Variable || value instanceof Tensor) return true;
  const { shape, data } = (typeof value === 'object' && value !== null ? value : {}) as Partial<ShapedValues>;
  return Array.isArray(shape) && ArrayBuffer.isView(data);
}

/** As a variable; elements are shared, not copied. */
export function asVariable(value: VariableLike): Variable {
  if (value instanceof Variable) return value;
  const made = value instanceof Tensor ? value : tensor(value.data, value.shape, value.dtype);
  return new Variable(made, made);
}

/** As a variable; `what` and `name` say for the error where it was given. Throws `argument` for anything else. */
export function toVariable(what: string, name: string, value: unknown): Variable {
  if (isVariableLike(value)) return asVariable(value);
  const got = value === null || typeof value !== 'object' ? String(value) : (value.constructor?.name ?? 'an object');
  throw new ConvletError(
    'argument',
    `${what}: ${name} expects a variable, a tensor or { shape, data }, got ${typeof value === 'function' ? 'a function' : got}`,
  );
}
