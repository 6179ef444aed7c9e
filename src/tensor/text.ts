// The text of a tensor in console.log and String(): type, shape and the first values, in at most a dozen lines.

import type { DType, TypedArray } from '../common/dtype.ts';
import { shapeText } from '../common/error.ts';

/** Node, Deno and Bun ask for this method when they print an object. */
export const inspect = Symbol.for('nodejs.util.inspect.custom');

const [mostRows, mostColumns] = [8, 10];

/** `[1, 2, 3, …]` for each row of the last axis; with several other axes, after the row's index. */
export function valuesText(dtype: DType, shape: readonly number[], data: TypedArray): string {
  const text = (value: number): string =>
    dtype === 'bool' ? String(value !== 0) : String(Number.isInteger(value) ? value : Number(value.toPrecision(5)));
  if (shape.length === 0) return text(data[0]);
  const columns = shape[shape.length - 1];
  const rows = columns === 0 ? 0 : data.length / columns;
  const lines = Array.from({ length: Math.min(rows, mostRows) }, (_, row) => {
    const values = Array.from(data.subarray(row * columns, row * columns + Math.min(columns, mostColumns)), text);
    let place = '';
    for (let axis = shape.length - 2, rest = row; axis >= 0 && shape.length > 2; axis--) {
      place = `${rest % shape[axis]},${place}`;
      rest = Math.floor(rest / shape[axis]);
    }
    return `${place === '' ? '' : `[${place}:] `}[${values.join(', ')}${columns > mostColumns ? ', …' : ''}]`;
  });
  if (rows > mostRows) lines.push(`… ${rows - mostRows} more rows`);
  return lines.length === 0 ? '[]' : lines.join('\n');
}

/** `name(float32[2,3])` and the values below. */
export const describeValues = (name: string, dtype: DType, shape: readonly number[], data: TypedArray): string =>
  `${name}(${dtype}${shapeText(shape)})\n${valuesText(dtype, shape, data)}`;
