// The inputs and outputs of models, and batches: a value, or nested arrays and records of values.

import { ConvletError } from './error.ts';

/** A value, or arrays and records of structures. */
export type Structure<T> = T | readonly Structure<T>[] | { readonly [name: string]: Structure<T> };

/** A structure with its leaves of type `From` replaced by `To`. */
export type Mapped<S, From, To> = S extends From
  ? To
  : S extends readonly unknown[]
    ? { readonly [K in keyof S]: Mapped<S[K], From, To> }
    : S extends object
      ? { readonly [K in keyof S]: Mapped<S[K], From, To> }
      : never;

const isRecord = (value: unknown): value is { readonly [name: string]: unknown } => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype.constructor?.name === 'Object';
};

/**
 * The structure with each leaf replaced by `body` of it; `path` is the place of a leaf: '', '[0]', '.boxes'.
 *
 * @param expected what a leaf is, for the error
 * @throws ConvletError `argument` with the path of a value that is neither a leaf nor an array or record
 */
export function mapStructure<U>(
  structure: unknown,
  isLeaf: (value: unknown) => boolean,
  // biome-ignore lint/suspicious/noExplicitAny: what isLeaf lets through
  body: (leaf: any, path: string) => U,
  expected: (path: string) => string,
  path = '',
): Structure<U> {
  if (isLeaf(structure)) return body(structure, path);
  const into = (value: unknown, step: string): Structure<U> =>
    mapStructure(value, isLeaf, body, expected, `${path}${step}`);
  if (Array.isArray(structure)) return structure.map((value, i) => into(value, `[${i}]`));
  if (isRecord(structure)) {
    return Object.fromEntries(Object.entries(structure).map(([name, value]) => [name, into(value, `.${name}`)]));
  }
  const got = typeof structure === 'object' ? (structure?.constructor.name ?? 'null') : String(structure);
  throw new ConvletError('argument', `${expected(path)}, got ${typeof structure === 'function' ? 'a function' : got}`);
}
